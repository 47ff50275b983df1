//! What a running call looks like to the other calls.

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{CallDirection, CallPhase, Callee, Party, RunningCall};
use tokio::sync::mpsc;

use super::company::Gathering;
use super::input::Kind;
use super::machine::{Part, Someone};
use super::task::Message;

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
    pub(super) fn concerns(&self, account: AccountId) -> bool {
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

    pub(super) fn is_answered(&self) -> bool {
        matches!(
            self.standing,
            Standing::Answered | Standing::Answering { .. }
        )
    }

    /// Whether the two people called each other.
    pub(super) fn is_mutual(&self, other: &Self) -> bool {
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
    pub(super) fn phase(self) -> CallPhase {
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
