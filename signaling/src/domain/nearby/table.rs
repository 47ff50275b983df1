//! Near which devices somebody was, and when. Pure, and told the time.

use std::collections::HashMap;
use std::time::Duration;

use homeline_protocol::id::{DeviceId, HouseholdId};

use crate::model::UnixMillis;

/// Beyond, nobody was near.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);
/// What is told is rounded to this.
const STEP: Duration = Duration::from_mins(5);
/// A device that tells again so soon is not heard: nothing that is shown would change.
pub(super) const REPORTS_EVERY: Duration = Duration::from_secs(10);
/// Devices that are remembered; of more, the one that was heard least lately is forgotten.
const DEVICES_MAX: usize = 4_096;

/// Who was near which device, for ten minutes.
#[derive(Debug, Default)]
pub(super) struct Table(HashMap<DeviceId, Seen>);

/// Somebody was near a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    household: HouseholdId,
    at: UnixMillis,
}

impl Table {
    /// Whether a device that tells now is heard.
    pub(super) fn may_tell(&self, device: DeviceId, now: UnixMillis) -> bool {
        let before = self.0.get(&device);
        before.is_none_or(|seen| now.since(seen.at) >= REPORTS_EVERY)
    }

    /// Somebody is near. Says whether what is shown has changed.
    pub(super) fn seen(
        &mut self,
        device: DeviceId,
        household: HouseholdId,
        at: UnixMillis,
    ) -> bool {
        let shown = self.minutes_ago(device, at);
        self.0.insert(device, Seen { household, at });
        if self.0.len() > DEVICES_MAX {
            let oldest = self.0.iter().min_by_key(|(_, seen)| seen.at);
            if let Some(oldest) = oldest.map(|(device, _)| *device) {
                self.0.remove(&oldest);
            }
        }
        shown != Some(0)
    }

    /// Nobody was near, whatever was told before.
    pub(super) fn forget(&mut self, device: DeviceId) {
        self.0.remove(&device);
    }

    /// Forgets what is too long ago.
    pub(super) fn sweep(&mut self, now: UnixMillis) {
        self.0
            .retain(|_, seen| now.since(seen.at) < FORGOTTEN_AFTER);
    }

    /// When somebody was near, if it was lately.
    pub(super) fn at(&self, device: DeviceId, now: UnixMillis) -> Option<UnixMillis> {
        let seen = self.0.get(&device)?;
        (now.since(seen.at) < FORGOTTEN_AFTER).then_some(seen.at)
    }

    /// The same, as it is shown: 0 or 5.
    pub(super) fn minutes_ago(&self, device: DeviceId, now: UnixMillis) -> Option<u8> {
        let at = self.at(device, now)?;
        Some(if now.since(at) < STEP { 0 } else { 5 })
    }

    /// All devices near which somebody was lately, with their households.
    pub(super) fn all(&self, now: UnixMillis) -> Vec<(DeviceId, HouseholdId, u8)> {
        let devices = self.0.iter();
        let mut all: Vec<_> = devices
            .filter_map(|(device, seen)| {
                let minutes_ago = self.minutes_ago(*device, now)?;
                Some((*device, seen.household, minutes_ago))
            })
            .collect();
        all.sort_unstable();
        all
    }
}
