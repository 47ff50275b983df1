//! Which calls run, and what one call must know of the others.

use std::collections::{BTreeSet, HashMap, VecDeque};

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{CallDirection, CallPhase, Callee, EndReason, Party, RunningCall};
use tokio::sync::mpsc;

use super::company::Gathering;
use super::config::CallsConfig;
use super::figures::CallFigures;
use super::input::{Input, Kind};
use super::machine::{Part, Someone};
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
    pub(super) started_total: u64,
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
    /// Who has a part once it is answered.
    pub(super) part: Part,
    pub(super) kind: Kind,
}

/// A call that may still ring somebody, and who asks for it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) mailbox: mpsc::Sender<Message>,
    pub(super) by: Someone,
    /// Whom.
    pub(super) to: Callee,
    /// Who takes part already.
    pub(super) there: Vec<AccountId>,
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
        self.started_total += 1;
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

    /// Whether a device is kept from calling by it: it has a part in more than hearing an announcement.
    pub(super) fn is_busied_by(&self, device: DeviceId) -> bool {
        let speaks = self.kind != Kind::Live || self.caller_device == device;
        speaks && self.holds(device)
    }

    /// Those who take part; nobody before the answer.
    pub(super) fn people(&self) -> Vec<AccountId> {
        let present = self.part.present.iter();
        present.map(|(_, account)| *account).collect()
    }

    /// Who asks for a person now, if the call still rings them.
    pub(super) fn ringing(&self, account: AccountId) -> Option<Asked> {
        let (by, to) = match self.standing {
            Standing::Answered => {
                let coming = self.part.coming.as_ref()?;
                let theirs = coming.account == account;
                theirs.then(|| (coming.by, coming.to.clone()))?
            }
            Standing::Waiting { .. } | Standing::Answering { .. } => {
                let by = Someone {
                    account: self.caller,
                    device: self.caller_device,
                };
                let theirs = self.callees.contains(&account);
                theirs.then(|| (by, self.to.clone()))?
            }
        };
        let mailbox = self.mailbox.clone();
        let there = self.people();
        Some(Asked {
            mailbox,
            by,
            to,
            there,
        })
    }

    /// Whether a person has a part: calls, is called, takes part, or is being added.
    fn concerns(&self, account: AccountId) -> bool {
        match self.standing {
            Standing::Answered => {
                let present = self.part.present.iter();
                let coming = self.part.coming.as_ref();
                present.map(|(_, one)| *one).any(|one| one == account)
                    || coming.is_some_and(|coming| coming.account == account)
            }
            Standing::Waiting { .. } | Standing::Answering { .. } => {
                self.caller == account || self.callees.contains(&account)
            }
        }
    }

    /// Who is there, for children's limits and blocks.
    pub(super) fn gathering(&self) -> Gathering {
        let present = self.people();
        let mailbox = self.mailbox.clone();
        if self.standing == Standing::Answered {
            let coming = self.part.coming.as_ref();
            let people = present.iter().copied();
            let people = people.chain(coming.map(|one| one.account)).collect();
            let asks = coming.map(|one| (one.by.account, one.account));
            return Gathering {
                mailbox,
                kind: self.kind,
                people,
                nobody: None,
                present,
                asks: asks.into_iter().collect(),
            };
        }
        let callees = self.callees.iter().copied();
        let nobody = match &self.to {
            Callee::Person { handle } if self.callees.is_empty() => Some(handle.clone()),
            _ => None,
        };
        Gathering {
            mailbox,
            kind: self.kind,
            people: callees.clone().chain([self.caller]).collect(),
            nobody,
            present,
            asks: callees.map(|callee| (self.caller, callee)).collect(),
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
        let between_two = self.caller != other.caller;
        let calls = self.kind == Kind::Call && other.kind == Kind::Call;
        between_two
            && calls
            && self.callees.contains(&other.caller)
            && other.callees.contains(&self.caller)
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
            CallPhase::Inviting if !self.callee.guest => self.callee.handle.to_string(),
            CallPhase::Inviting | CallPhase::Ringing | CallPhase::Answered => {
                self.callee.display_name.clone()
            }
        };
        let callee = Party {
            handle: self.callee.handle.clone(),
            display_name,
            guest: self.callee.guest,
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
