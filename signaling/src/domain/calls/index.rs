//! Which calls run, and what one call must know of the others.

use std::collections::{BTreeSet, HashMap, VecDeque};

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{Callee, EndReason};
use tokio::sync::mpsc;

use super::company::Gathering;
use super::config::CallsConfig;
use super::entry::{Asked, Entry, Standing};
use super::figures::{CallFigures, OpenedFigures};
use super::input::{Input, Kind};
use super::machine::Part;
use super::service::SessionChange;
use super::task::Message;

/// Calls remembered after their end, so that a late request hears "over" and not "no such call".
/// The oldest is forgotten first.
const RECENT_MAX: usize = 1_024;

/// The running calls.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) running: HashMap<CallId, Entry>,
    recent: VecDeque<(CallId, AccountId, Vec<AccountId>)>,
    /// Changes when limits or blocks have: what was decided before is to be decided anew.
    decisions: u64,
    started_total: u64,
    ended_total: HashMap<EndReason, u64>,
    drop_ins: OpenedFigures,
    pub(super) live: OpenedFigures,
}

/// Why a call can't begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    AccountFull,
    AlreadyInCall,
    IdTaken,
}

/// How a call begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admitted {
    New {
        /// The callee takes part in as many calls as they may. To somebody outside their household
        /// that is not said: this call is nobody's then, and rings nothing.
        full: bool,
        /// Those of the devices to ring that are in a call: there the new one waits.
        engaged: BTreeSet<DeviceId>,
    },
    /// It runs already: the request was repeated.
    Repeated,
}

impl Index {
    pub(super) fn admit(
        &mut self,
        config: &CallsConfig,
        id: CallId,
        mut entry: Entry,
        ring: &[DeviceId],
        family: bool,
    ) -> Result<Admitted, Refused> {
        if let Some(running) = self.running.get(&id) {
            let same = running.caller_device == entry.caller_device && running.to == entry.to;
            return if same {
                Ok(Admitted::Repeated)
            } else {
                Err(Refused::IdTaken)
            };
        }
        let account_max = config.running_per_account_max as usize;
        if self.running.len() >= config.running_max as usize {
            return Err(Refused::Full);
        }
        if self
            .running
            .values()
            .any(|other| other.is_busied_by(entry.caller_device))
        {
            return Err(Refused::AlreadyInCall);
        }
        if self.of_account(entry.caller).count() >= account_max {
            return Err(Refused::AccountFull);
        }
        let full = match (&entry.to, entry.callees.first()) {
            // Nobody is busy whom nothing would have rung.
            (Callee::Person { .. }, Some(callee)) => {
                !ring.is_empty() && self.is_full(config, *callee)
            }
            // A device in a call is told that another one waits; of a household somebody is free.
            _ => false,
        };
        let engaged = self.engaged(ring);
        if full && !family {
            entry.callees.clear();
        }
        self.running.insert(id, entry);
        self.started_total += 1;
        Ok(Admitted::New { full, engaged })
    }

    /// Takes a drop-in in that its target has opened: two devices that are in no other call.
    pub(super) fn admit_drop_in(
        &mut self,
        config: &CallsConfig,
        id: CallId,
        entry: Entry,
    ) -> Result<(), Refused> {
        if self.running.contains_key(&id) {
            return Err(Refused::IdTaken);
        }
        if self.running.len() >= config.running_max as usize {
            return Err(Refused::Full);
        }
        let present = entry.part.present.clone();
        if present.iter().any(|(device, _)| self.is_engaged(*device)) {
            return Err(Refused::AlreadyInCall);
        }
        if present.iter().any(|(_, one)| self.is_full(config, *one)) {
            return Err(Refused::AccountFull);
        }
        self.running.insert(id, entry);
        self.drop_ins.opened_total += 1;
        Ok(())
    }

    /// Whether a person takes part in as many calls as they may.
    pub(super) fn is_full(&self, config: &CallsConfig, account: AccountId) -> bool {
        self.of_account(account).count() >= config.running_per_account_max as usize
    }

    /// Those of some devices that are in an answered call.
    pub(super) fn engaged(&self, devices: &[DeviceId]) -> BTreeSet<DeviceId> {
        let present = self.running.values().flat_map(|entry| {
            let present = entry.part.present.iter().map(|(device, _)| *device);
            // Whoever only hears an announcement is rung as if there were none.
            present.filter(|device| entry.is_busied_by(*device))
        });
        let present: BTreeSet<_> = present.collect();
        let engaged = devices.iter().filter(|device| present.contains(device));
        engaged.copied().collect()
    }

    /// Which limits and blocks hold now; compared after a decision, whether it still holds.
    pub(super) fn decisions(&self) -> u64 {
        self.decisions
    }

    /// Limits or blocks have changed.
    pub(super) fn decide_anew(&mut self) {
        self.decisions += 1;
    }

    /// The calls in which a person has a part.
    pub(super) fn gatherings(&self, account: AccountId) -> Vec<Gathering> {
        let theirs = self.of_account(account);
        theirs.map(|(_, entry)| entry.gathering()).collect()
    }

    pub(super) fn get(&self, id: CallId) -> Option<&Entry> {
        self.running.get(&id)
    }

    /// Whether a call with this id and this person has ended lately.
    pub(super) fn is_recent(&self, id: CallId, account: AccountId) -> bool {
        let with = |one: &&(CallId, AccountId, Vec<AccountId>)| {
            one.0 == id && (one.1 == account || one.2.contains(&account))
        };
        self.recent.iter().any(|one| with(&one))
    }

    /// Reserves the answer of a call for a device. False when the device answers another call in
    /// this moment, or the two people are talking already because they called each other at once.
    pub(super) fn reserve_answer(&mut self, id: CallId, by: DeviceId) -> bool {
        let Some(entry) = self.running.get(&id) else {
            return true;
        };
        let taken = self.running.iter().any(|(other_id, other)| {
            let same = matches!(other.standing, Standing::Answering { device, .. } if device == by);
            *other_id != id && (same || other.is_answered() && entry.is_mutual(other))
        });
        if taken {
            return false;
        }
        if let Some(Entry { standing, .. }) = self.running.get_mut(&id)
            && let Standing::Waiting { rings } = *standing
        {
            let device = by;
            *standing = Standing::Answering { rings, device };
        }
        true
    }

    /// Says where a call stands now.
    pub(super) fn set_standing(&mut self, id: CallId, standing: Standing, part: Part) {
        if let Some(entry) = self.running.get_mut(&id) {
            entry.standing = standing;
            entry.part = part;
        }
    }

    /// What an answer by this device means for the other calls: pointless is the other one between
    /// the same two, and what the device was calling; the call that it was in, it leaves.
    pub(super) fn after_answer(
        &self,
        id: CallId,
        by: DeviceId,
    ) -> Vec<(mpsc::Sender<Message>, Input)> {
        let Some(entry) = self.running.get(&id) else {
            return Vec::new();
        };
        if !entry.has_device(by) {
            return Vec::new();
        }
        let others = self.running.iter().filter(|(other_id, _)| **other_id != id);
        let consequence = |other: &Entry| match other.is_answered() {
            true => other.holds(by).then_some(Input::LeftFor(by)),
            false => {
                let pointless = other.caller_device == by || entry.is_mutual(other);
                pointless.then_some(Input::Superseded)
            }
        };
        others
            .filter_map(|(_, other)| Some((other.mailbox.clone(), consequence(other)?)))
            .collect()
    }

    /// Takes a call out that never began.
    pub(super) fn withdraw(&mut self, id: CallId) {
        match self.running.remove(&id).map(|entry| entry.kind) {
            Some(Kind::Call) => self.started_total -= 1,
            Some(Kind::DropIn) => self.drop_ins.opened_total -= 1,
            Some(Kind::Live) => self.live.opened_total -= 1,
            None => {}
        }
    }

    pub(super) fn end(&mut self, id: CallId, reason: EndReason) {
        let Some(entry) = self.running.remove(&id) else {
            return;
        };
        let ended = match entry.kind {
            Kind::Call => &mut self.ended_total,
            Kind::DropIn => &mut self.drop_ins.ended_total,
            Kind::Live => &mut self.live.ended_total,
        };
        *ended.entry(reason).or_default() += 1;
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((id, entry.caller, entry.callees));
    }

    /// Calls in which a person has a part, also with another of their devices.
    pub(super) fn of_account(&self, account: AccountId) -> impl Iterator<Item = (CallId, &Entry)> {
        let running = self.running.iter();
        running
            .filter(move |(_, entry)| entry.concerns(account))
            .map(|(id, entry)| (*id, entry))
    }

    /// Calls that a device has a part in, with what they are told of its session; and calls of its
    /// person that still wait, which it may ring for.
    pub(super) fn concerned(
        &self,
        account: AccountId,
        device: DeviceId,
        change: SessionChange,
    ) -> (Vec<(mpsc::Sender<Message>, Input)>, Vec<Asked>) {
        let (mut inputs, mut waiting) = (Vec::new(), Vec::new());
        for entry in self.about(account, device) {
            let present = matches!(change, SessionChange::Opened | SessionChange::Resumed);
            if entry.holds(device) {
                let input = if entry.kind != Kind::Call && change == SessionChange::Opened {
                    Input::SessionNew
                } else if present {
                    Input::SessionBack
                } else {
                    Input::SessionLost
                };
                inputs.push((entry.mailbox.clone(), input(device)));
            } else if change == SessionChange::Opened {
                waiting.extend(entry.ringing(account));
            }
        }
        (inputs, waiting)
    }

    /// The calls that a device's session matters for: its person's, and those that it is in for
    /// another person of the household.
    fn about(&self, account: AccountId, device: DeviceId) -> impl Iterator<Item = &Entry> {
        let about = move |entry: &&Entry| entry.concerns(account) || entry.has_device(device);
        self.running.values().filter(about)
    }

    /// The calls that some devices are in, or call with.
    pub(super) fn with_devices(&self, devices: &[DeviceId]) -> Vec<(CallId, DeviceId)> {
        let running = self.running.iter();
        running
            .flat_map(|(id, entry)| {
                let there = devices.iter().filter(|device| entry.has_device(**device));
                there.map(|device| (*id, *device))
            })
            .collect()
    }

    /// Whether a device is in some call, calls, or is to take one over.
    pub(super) fn is_engaged(&self, device: DeviceId) -> bool {
        let mut running = self.running.values();
        running.any(|entry| entry.holds(device))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.running.values()
    }

    pub(super) fn figures(&self) -> CallFigures {
        let mut figures = CallFigures {
            started_total: self.started_total,
            ended_total: self.ended_total.clone(),
            drop_ins: self.drop_ins.clone(),
            live: self.live.clone(),
            ..CallFigures::default()
        };
        for entry in self.running.values() {
            match entry.kind {
                Kind::Call => figures.count(entry.standing.phase()),
                Kind::DropIn => figures.drop_ins.open += 1,
                Kind::Live => figures.live.open += 1,
            }
        }
        figures
    }
}
