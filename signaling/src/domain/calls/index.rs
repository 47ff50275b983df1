//! Which calls run, and what one call must know of the others.

use std::collections::{HashMap, VecDeque};

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{CallDirection, CallPhase, Callee, EndReason, Party, RunningCall};
use tokio::sync::mpsc;

use super::config::CallsConfig;
use super::figures::CallFigures;
use super::task::Message;

/// Calls remembered after their end, so that a late request hears "over" and not "no such call".
/// The oldest is forgotten first.
const RECENT_MAX: usize = 1_024;

/// The running calls.
#[derive(Debug, Default)]
pub(super) struct Index {
    running: HashMap<CallId, Entry>,
    recent: VecDeque<(CallId, AccountId, Vec<AccountId>)>,
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
    /// As the caller asked for it.
    pub(super) to: Callee,
    /// Whose devices may answer; nobody's if the call rings nowhere.
    pub(super) callees: Vec<AccountId>,
    pub(super) callee: Party,
    pub(super) standing: Standing,
}

/// Where a running call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody has answered.
    Waiting { rings: bool },
    /// An answer is on its way into the call: no other call may be answered beside it.
    Answering { rings: bool },
    /// This device has answered.
    Answered(DeviceId),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    New {
        busy: bool,
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
            .any(|other| other.has_device(entry.caller_device))
        {
            return Err(Refused::AlreadyInCall);
        }
        if self.of_account(entry.caller).count() >= account_max {
            return Err(Refused::AccountFull);
        }
        let busy = match (&entry.to, entry.callees.first()) {
            (Callee::Person { .. }, Some(callee)) => {
                let mut theirs = self.of_account(*callee);
                theirs.any(|(_, other)| other.is_answered())
                    || self.of_account(*callee).count() >= account_max
            }
            (Callee::Device { device }, Some(_)) => {
                self.running.values().any(|other| other.has_device(*device))
            }
            // Of a whole household somebody is free, or every device says by itself that it is not.
            (Callee::Place { .. }, _) | (_, None) => false,
        };
        self.running.insert(id, entry);
        self.started_total += 1;
        Ok(Admitted::New { busy })
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

    /// Reserves the answer of a call for a device. False when the device is in another call, or
    /// the two people are talking already because they called each other at once.
    pub(super) fn reserve_answer(&mut self, id: CallId, device: DeviceId) -> bool {
        let Some(entry) = self.running.get(&id) else {
            return true;
        };
        let taken = self.running.iter().any(|(other_id, other)| {
            let answered = other.is_answered();
            *other_id != id && answered && (other.has_device(device) || entry.is_mutual(other))
        });
        if taken {
            return false;
        }
        if let Some(Entry { standing, .. }) = self.running.get_mut(&id)
            && let Standing::Waiting { rings } = *standing
        {
            *standing = Standing::Answering { rings };
        }
        true
    }

    /// Calls that an answer makes pointless: the other one between the same two, and what the
    /// answering device itself was calling.
    pub(super) fn superseded_by(&self, id: CallId) -> Vec<mpsc::Sender<Message>> {
        let Some(entry) = self.running.get(&id) else {
            return Vec::new();
        };
        let Standing::Answered(device) = entry.standing else {
            return Vec::new();
        };
        let pointless = |other: &Entry| {
            !other.is_answered() && (other.caller_device == device || entry.is_mutual(other))
        };
        let others = self.running.iter().filter(|(other_id, _)| **other_id != id);
        others
            .filter(|(_, other)| pointless(other))
            .map(|(_, other)| other.mailbox.clone())
            .collect()
    }

    pub(super) fn set_standing(&mut self, id: CallId, standing: Standing) {
        if let Some(entry) = self.running.get_mut(&id) {
            entry.standing = standing;
        }
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
        self.recent.push_back((id, entry.caller, entry.callees));
    }

    pub(super) fn of_account(&self, account: AccountId) -> impl Iterator<Item = (CallId, &Entry)> {
        let takes_part =
            move |entry: &Entry| entry.caller == account || entry.callees.contains(&account);
        self.running
            .iter()
            .filter(move |(_, entry)| takes_part(entry))
            .map(|(id, entry)| (*id, entry))
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
        self.caller_device == device || self.standing == Standing::Answered(device)
    }

    fn is_answered(&self) -> bool {
        matches!(
            self.standing,
            Standing::Answered(_) | Standing::Answering { .. }
        )
    }

    /// Whether the two people called each other.
    fn is_mutual(&self, other: &Self) -> bool {
        let between_two = self.caller != other.caller;
        between_two && self.callees.contains(&other.caller) && other.callees.contains(&self.caller)
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
        // A device of the caller's own may be the one that is called.
        let here_or_away = device == Some(self.caller_device) || !self.callees.contains(&account);
        let outgoing = self.caller == account && here_or_away;
        let display_name = match phase {
            CallPhase::Inviting => self.callee.handle.to_string(),
            CallPhase::Ringing | CallPhase::Answered => self.callee.display_name.clone(),
        };
        let callee = Party {
            handle: self.callee.handle.clone(),
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
            Self::Waiting { rings: false } | Self::Answering { rings: false } => {
                CallPhase::Inviting
            }
            Self::Waiting { rings: true } | Self::Answering { rings: true } => CallPhase::Ringing,
            Self::Answered(_) => CallPhase::Answered,
        }
    }
}
