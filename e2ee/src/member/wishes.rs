//! What a member still wants committed: who is to come, who is to go, and fresh keys.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use homeline_protocol::id::DeviceId;
use sha2::{Digest, Sha256};

use crate::group::{AcceptedKeyPackage, CallGroup, CommitPlan};
use crate::time::UnixMs;

/// Wishes that wait for their commit. A home's call never has more people; further ones are
/// dropped.
pub const WISHES_MAX: usize = 64;

/// Key packages are used once: so many used ones are remembered.
const USED_MAX: usize = 256;

#[derive(Default)]
pub(super) struct Wishes {
    adds: BTreeMap<DeviceId, AcceptedKeyPackage>,
    removes: BTreeSet<DeviceId>,
    /// Which device an added one takes the place of, in the same commit.
    replaces: BTreeMap<DeviceId, DeviceId>,
    update: bool,
    used: VecDeque<[u8; 32]>,
    /// When the oldest removal that was not echoed yet was sent.
    pub(super) removing_since: Option<UnixMs>,
}

impl Wishes {
    /// Notes that a key package is used; false if it was before.
    pub(super) fn first_use(&mut self, key_package: &[u8]) -> bool {
        let hash: [u8; 32] = Sha256::digest(key_package).into();
        if self.used.contains(&hash) {
            return false;
        }
        if self.used.len() >= USED_MAX {
            self.used.pop_front();
        }
        self.used.push_back(hash);
        true
    }

    pub(super) fn add(&mut self, accepted: AcceptedKeyPackage) {
        if self.adds.len() < WISHES_MAX {
            self.adds.insert(accepted.identity.device, accepted);
        }
    }

    /// Adds a device in the place of another one of its household.
    pub(super) fn replace(&mut self, accepted: AcceptedKeyPackage, old: DeviceId) {
        let new = accepted.identity.device;
        if new != old && self.replaces.len() < WISHES_MAX {
            self.replaces.insert(new, old);
        }
        self.add(accepted);
    }

    pub(super) fn no_longer_add(&mut self, device: DeviceId) {
        self.adds.remove(&device);
        self.replaces.remove(&device);
    }

    /// The server does not take the device: it, and whatever goes for it, is not wished for.
    pub(super) fn forget(&mut self, device: DeviceId) {
        self.no_longer_add(device);
        if self.removes.is_empty() {
            self.removing_since = None;
        }
    }

    pub(super) fn remove(&mut self, device: DeviceId) {
        if self.removes.len() < WISHES_MAX {
            self.removes.insert(device);
        }
    }

    pub(super) fn update(&mut self) {
        self.update = true;
    }

    pub(super) fn updated(&mut self) {
        self.update = false;
    }

    pub(super) fn someone_comes(&self) -> bool {
        !self.adds.is_empty()
    }

    /// The next commit. Removals first, on their own: a device that comes back is removed before
    /// it is added. One addition at a time, since a Welcome goes to one device; with it goes the
    /// device whose place it takes.
    pub(super) fn plan(&self, group: &CallGroup) -> Option<CommitPlan> {
        let others = || {
            group
                .members()
                .filter(|member| member.leaf != group.own_leaf())
        };
        let leaving =
            |device: &DeviceId| self.removes.contains(device) || self.adds.contains_key(device);
        let remove: Vec<DeviceId> = others()
            .map(|member| member.identity.device)
            .filter(leaving)
            .collect();
        if !remove.is_empty() {
            return Some(CommitPlan { add: None, remove });
        }
        if let Some((device, add)) = self.adds.iter().next() {
            let old = self.replaces.get(device).copied();
            let present = |old: &DeviceId| others().any(|one| one.identity.device == *old);
            let remove = old.filter(present).into_iter().collect();
            return Some(CommitPlan {
                add: Some(add.clone()),
                remove,
            });
        }
        (self.update && others().next().is_some()).then(CommitPlan::default)
    }

    /// After an applied commit: what it fulfilled, whoever made it. An addition is fulfilled by
    /// `came`, a removal by absence.
    pub(super) fn settle(&mut self, group: &CallGroup, came: &[DeviceId]) {
        self.adds.retain(|device, _| !came.contains(device));
        let adds = &self.adds;
        self.replaces.retain(|new, _| adds.contains_key(new));
        self.removes
            .retain(|device| group.member_of(*device).is_some());
        let to_go = |device: &DeviceId| group.member_of(*device).is_some();
        if self.removes.is_empty() && !self.adds.keys().any(to_go) {
            self.removing_since = None;
        }
    }
}
