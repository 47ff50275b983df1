//! The frame keys of a member over time: which epoch it sends under, which ones it still receives.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::group::{CallGroup, GroupError};
use crate::sframe::{EpochKey, FrameCounts, FrameReceiver, FrameSender, LateFrame};
use crate::time::UnixMs;

/// Losses are reported at most this often: a storm of them must not become a storm of reports.
const REPORT_EVERY_MS: u64 = 1_000;

#[derive(Default)]
pub(super) struct Frames {
    pub(super) sender: FrameSender,
    pub(super) receiver: FrameReceiver,
    /// When the receive keys of epochs that nobody sends under any more go.
    drops: BTreeMap<u64, UnixMs>,
    reported: u64,
    report_at: UnixMs,
}

/// What a member will send under from the switch on.
pub(super) struct SendKey {
    pub(super) epoch: u64,
    leaf: u32,
    base_key: Zeroizing<[u8; 16]>,
}

impl Frames {
    /// Receives under the group's epoch from now on; the key to send under comes back, to be
    /// switched to in time.
    pub(super) fn install(
        &mut self,
        now: UnixMs,
        group: &CallGroup,
    ) -> Result<(SendKey, Vec<LateFrame>), GroupError> {
        let (epoch, base_key) = (group.epoch(), group.sframe_base_key()?);
        let leaves = group
            .members()
            .map(|one| (one.leaf, one.identity.device))
            .collect();
        let key = EpochKey {
            epoch,
            base_key: base_key.clone(),
            leaves,
        };
        let late = self.receiver.install(now, key);
        Ok((
            SendKey {
                epoch,
                leaf: group.own_leaf(),
                base_key,
            },
            late,
        ))
    }

    /// A leaf that does not fit a KID leaves the sender without a key: nothing is sent.
    pub(super) fn switch(&mut self, key: &SendKey) {
        if self
            .sender
            .switch(key.epoch, &key.base_key, key.leaf)
            .is_err()
        {
            self.sender.stop();
        }
    }

    pub(super) fn drop_at(&mut self, epoch: u64, at: UnixMs) {
        self.drops.insert(epoch, at);
    }

    pub(super) fn drop_old(&mut self, now: UnixMs) {
        let due: Vec<u64> = self
            .drops
            .iter()
            .filter(|(_, at)| now >= **at)
            .map(|(epoch, _)| *epoch)
            .collect();
        for epoch in due {
            self.drops.remove(&epoch);
            self.receiver.forget(epoch);
        }
    }

    /// Out of the group. Another group, or another leaf in this one, has other keys and may start
    /// at any epoch, so the sender remembers none.
    pub(super) fn clear(&mut self) {
        self.sender = FrameSender::default();
        self.receiver.clear();
        self.drops.clear();
    }

    /// Losses that nobody was told of, if it is time again.
    pub(super) fn report(&mut self, now: UnixMs) -> Option<FrameCounts> {
        self.receiver.expire(now);
        let counts = self.receiver.counts();
        if counts.lost() == self.reported || now < self.report_at {
            return None;
        }
        self.reported = counts.lost();
        self.report_at = now.plus(REPORT_EVERY_MS);
        Some(counts)
    }

    pub(super) fn next_timeout(&self) -> Option<UnixMs> {
        let unreported = self.receiver.counts().lost() != self.reported;
        let report = unreported.then_some(self.report_at);
        self.drops.values().copied().chain(report).min()
    }
}
