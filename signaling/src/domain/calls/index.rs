//! Which calls run, and what one call must know of the others.

use std::collections::{BTreeSet, HashMap, VecDeque};

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{CallDirection, CallPhase, EndReason, Party, RunningCall};
use tokio::sync::mpsc;

use super::config::CallsConfig;
use super::figures::CallFigures;
use super::input::Input;
use super::machine::Part;
use super::task::Message;

/// Calls remembered after their end, so that a late request hears "over" and not "no such call".
/// The oldest is forgotten first.
const RECENT_MAX: usize = 1_024;

/// The running calls.
#[derive(Debug, Default)]
pub(super) struct Index {
    running: HashMap<CallId, Entry>,
    recent: VecDeque<(CallId, AccountId, Option<AccountId>)>,
    started_total: u64,
    ended_total: HashMap<EndReason, u64>,
}

/// A running call, as the others see it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) mailbox: mpsc::Sender<Message>,
    pub(super) caller: AccountId,
    pub(super) caller_device: DeviceId,
    pub(super) caller_party: Party,
    pub(super) callee: Option<AccountId>,
    pub(super) callee_handle: Handle,
    pub(super) callee_name: String,
    pub(super) standing: Standing,
    /// Who has a part once it is answered.
    pub(super) part: Part,
}

/// Where a running call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody has answered.
    Waiting { rings: bool },
    /// This device's answer is on its way into the call: no other call may be answered beside it.
    Answering { rings: bool, device: DeviceId },
    /// Somebody has answered.
    Answered,
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
        /// The callee takes part in as many calls as they may.
        busy: bool,
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
        entry: Entry,
        ring: &[DeviceId],
    ) -> Result<Admitted, Refused> {
        if let Some(running) = self.running.get(&id) {
            let same = running.caller_device == entry.caller_device
                && running.callee_handle == entry.callee_handle;
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
            .any(|other| other.holds(entry.caller_device))
        {
            return Err(Refused::AlreadyInCall);
        }
        if self.of_account(entry.caller).count() >= account_max {
            return Err(Refused::AccountFull);
        }
        let busy = entry
            .callee
            .is_some_and(|callee| self.is_full(config, callee));
        let engaged = self.engaged(ring);
        self.running.insert(id, entry);
        self.started_total += 1;
        Ok(Admitted::New { busy, engaged })
    }

    /// Whether a person takes part in as many calls as they may.
    pub(super) fn is_full(&self, config: &CallsConfig, account: AccountId) -> bool {
        self.of_account(account).count() >= config.running_per_account_max as usize
    }

    /// Those of some devices that are in an answered call.
    pub(super) fn engaged(&self, devices: &[DeviceId]) -> BTreeSet<DeviceId> {
        let present = self.running.values().flat_map(|entry| &entry.part.present);
        let present: BTreeSet<_> = present.map(|(device, _)| *device).collect();
        let engaged = devices.iter().filter(|device| present.contains(device));
        engaged.copied().collect()
    }

    pub(super) fn get(&self, id: CallId) -> Option<&Entry> {
        self.running.get(&id)
    }

    /// Whether a call with this id and this person has ended lately.
    pub(super) fn is_recent(&self, id: CallId, account: AccountId) -> bool {
        let with = |one: &&(CallId, AccountId, Option<AccountId>)| {
            one.0 == id && (one.1 == account || one.2 == Some(account))
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
        if self.running.remove(&id).is_some() {
            self.started_total -= 1;
        }
    }

    pub(super) fn end(&mut self, id: CallId, reason: EndReason) {
        let Some(entry) = self.running.remove(&id) else {
            return;
        };
        *self.ended_total.entry(reason).or_default() += 1;
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((id, entry.caller, entry.callee));
    }

    /// Calls in which a person has a part, also with another of their devices.
    pub(super) fn of_account(&self, account: AccountId) -> impl Iterator<Item = (CallId, &Entry)> {
        let running = self.running.iter();
        running
            .filter(move |(_, entry)| entry.concerns(account))
            .map(|(id, entry)| (*id, entry))
    }

    /// The calls that a device's session matters for: its person's, and those that it is in for
    /// another person of the household.
    pub(super) fn about(
        &self,
        account: AccountId,
        device: DeviceId,
    ) -> impl Iterator<Item = &Entry> {
        let about = move |entry: &&Entry| entry.concerns(account) || entry.has_device(device);
        self.running.values().filter(about)
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
            ..CallFigures::default()
        };
        for entry in self.running.values() {
            figures.count(entry.standing.phase());
        }
        figures
    }
}

impl Entry {
    pub(super) fn has_device(&self, device: DeviceId) -> bool {
        match self.standing {
            Standing::Answered => self.part.present.iter().any(|(one, _)| *one == device),
            Standing::Answering {
                device: answering, ..
            } => self.caller_device == device || answering == device,
            Standing::Waiting { .. } => self.caller_device == device,
        }
    }

    /// Whether a device takes part, or is to take a part over.
    pub(super) fn holds(&self, device: DeviceId) -> bool {
        self.has_device(device) || self.part.moving.contains(&device)
    }

    /// Whether a person has a part: calls, is called, takes part, or is being added.
    fn concerns(&self, account: AccountId) -> bool {
        match self.standing {
            Standing::Answered => {
                let present = self.part.present.iter();
                let added = self.part.adding.as_ref();
                present.map(|(_, one)| *one).any(|one| one == account)
                    || added.is_some_and(|(added, _)| *added == account)
            }
            Standing::Waiting { .. } | Standing::Answering { .. } => {
                self.caller == account || self.callee == Some(account)
            }
        }
    }

    fn is_answered(&self) -> bool {
        matches!(
            self.standing,
            Standing::Answered | Standing::Answering { .. }
        )
    }

    /// Whether the two people called each other.
    fn is_mutual(&self, other: &Self) -> bool {
        self.callee == Some(other.caller) && other.callee == Some(self.caller)
    }

    /// As `list_calls` shows it to one of the two. The callee's own name is told only once it
    /// rings: before, it would say whether anybody has the handle.
    pub(super) fn view(
        &self,
        call: CallId,
        account: AccountId,
        device: Option<DeviceId>,
    ) -> RunningCall {
        let phase = self.standing.phase();
        let outgoing = self.caller == account;
        let display_name = match phase {
            CallPhase::Inviting => self.callee_handle.to_string(),
            CallPhase::Ringing | CallPhase::Answered => self.callee_name.clone(),
        };
        let callee = Party {
            handle: self.callee_handle.clone(),
            display_name,
        };
        RunningCall {
            call,
            direction: if outgoing {
                CallDirection::Outgoing
            } else {
                CallDirection::Incoming
            },
            party: if outgoing {
                callee
            } else {
                self.caller_party.clone()
            },
            phase,
            here: device.is_some_and(|device| self.has_device(device)),
        }
    }
}

impl Standing {
    fn phase(self) -> CallPhase {
        match self {
            Self::Waiting { rings: false } | Self::Answering { rings: false, .. } => {
                CallPhase::Inviting
            }
            Self::Waiting { rings: true } | Self::Answering { rings: true, .. } => {
                CallPhase::Ringing
            }
            Self::Answered => CallPhase::Answered,
        }
    }
}
