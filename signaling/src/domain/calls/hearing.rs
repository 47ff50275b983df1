//! What the calls that run must know of live announcements: who is free to hear one, and who does.

use std::collections::BTreeSet;

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use tokio::sync::mpsc;

use super::config::CallsConfig;
use super::entry::Entry;
use super::index::Index;
use super::task::Message;

/// Why a live announcement can't begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiveRefused {
    Full,
    AccountFull,
    AlreadyInCall,
    IdTaken,
    Over,
    NobodyFree,
}

impl Index {
    /// Takes a live announcement in, and says which of those that are to hear it are in a call or a drop-in,
    /// or hear another one.
    pub(super) fn admit_live(
        &mut self,
        config: &CallsConfig,
        id: CallId,
        entry: Entry,
        told: &[DeviceId],
    ) -> Result<BTreeSet<DeviceId>, LiveRefused> {
        if self.running.contains_key(&id) {
            return Err(LiveRefused::IdTaken);
        }
        if self.is_recent(id, entry.caller) {
            return Err(LiveRefused::Over);
        }
        if self.running.len() >= config.running_max as usize {
            return Err(LiveRefused::Full);
        }
        let own = entry.caller_device;
        if self.running.values().any(|other| other.is_busied_by(own)) {
            return Err(LiveRefused::AlreadyInCall);
        }
        if self.is_full(config, entry.caller) {
            return Err(LiveRefused::AccountFull);
        }
        let busy = told.iter().copied().filter(|one| self.is_engaged(*one));
        let busy: BTreeSet<_> = busy.collect();
        if told.iter().all(|one| busy.contains(one)) {
            return Err(LiveRefused::NobodyFree);
        }
        self.running.insert(id, entry);
        self.live.opened_total += 1;
        Ok(busy)
    }

    /// Notes that a device begins to hear a live announcement; false when it is in another call, or hears
    /// another one.
    pub(super) fn begin_hearing(
        &mut self,
        id: CallId,
        device: DeviceId,
        account: AccountId,
    ) -> bool {
        let mut others = self.running.iter().filter(|(other, _)| **other != id);
        if others.any(|(_, other)| other.holds(device)) {
            return false;
        }
        if let Some(entry) = self.running.get_mut(&id)
            && !entry.has_device(device)
        {
            // Until the call says so itself; what it refuses it takes back.
            entry.part.present.push((device, account));
        }
        true
    }

    /// The live announcements that a device hears: it leaves them when it begins something itself.
    pub(super) fn heard_by(&self, device: DeviceId) -> Vec<mpsc::Sender<Message>> {
        let heard = self.running.values();
        let heard = heard.filter(|one| one.has_device(device) && !one.is_busied_by(device));
        heard.map(|one| one.mailbox.clone()).collect()
    }
}
