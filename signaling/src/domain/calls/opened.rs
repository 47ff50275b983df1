//! A drop-in that its target has opened begins as a call does, and ends as one.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{Account, Callee, EndReason, Event, MediaState, Party, Switches};
use tokio::sync::{mpsc, oneshot};

use super::entry::{Entry, Standing};
use super::index::Refused;
use super::input::{Effect, Input, Invite, Kind, Rings};
use super::machine::{Call, Initiator, Introduction, Part};
use super::service::Calls;
use super::task::{MAILBOX_MAX, Message, Task, send};

/// A device of a drop-in, and whose it is.
#[derive(Debug, Clone)]
pub struct DropInSide {
    /// The device.
    pub device: DeviceId,
    /// Where its switches stand.
    pub switches: Switches,
    /// Whose it is.
    pub account: Account,
    /// What it sends.
    pub media: MediaState,
}

/// A drop-in that its target opens.
#[derive(Debug, Clone)]
pub struct NewDropIn {
    /// Its id.
    pub call: CallId,
    /// The target, which makes the group.
    pub target: DropInSide,
    /// Who drops in.
    pub initiator: DropInSide,
    /// Whether both are of one household.
    pub family: bool,
    /// With picture.
    pub picture: bool,
    /// What lets the initiator into the group.
    pub key_package: Blob,
    /// What the initiator signed.
    pub asking: Blob,
    /// What the initiator is told first.
    pub told: Vec<Event>,
}

/// Why a drop-in does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// One of the two devices, or its person, is in a call.
    #[error("one of the two devices is in a call, or its person in too many")]
    Busy,
    /// The server carries too many calls.
    #[error("the server carries as many calls as it can; try again in a few minutes")]
    Full,
    /// The id belongs to another running call.
    #[error("this call's id is taken; choose another")]
    IdTaken,
}

impl Calls {
    /// Begins a drop-in. What is returned resolves when it is over.
    ///
    /// # Errors
    /// [`OpenError`]; then nobody was told anything.
    pub fn open_drop_in(&self, new: NewDropIn) -> Result<oneshot::Receiver<()>, OpenError> {
        let (mailbox, inbox) = mpsc::channel(MAILBOX_MAX);
        let id = new.call;
        let entry = new.entry(mailbox.clone());
        self.0.index().admit_drop_in(&self.0.config, id, entry)?;
        let media = new.target.media;
        let initiator = Initiator {
            account: new.initiator.account.id,
            rings: new.initiator.rings(),
            media: new.initiator.media,
            introduction: Introduction {
                key_package: new.key_package.clone(),
                statement: new.asking.clone(),
            },
            told: new.told.clone(),
        };
        let moment = self.0.moment();
        let (call, first) = Call::opened(&self.0.config, new.invite(), media, initiator, moment);
        Ok(self.run_begun(id, (call, first), (mailbox, inbox)))
    }

    /// Runs what begins answered. What is returned resolves when it is over.
    pub(super) fn run_begun(
        &self,
        id: CallId,
        (call, first): (Call, Vec<Effect>),
        (mailbox, inbox): (mpsc::Sender<Message>, mpsc::Receiver<Message>),
    ) -> oneshot::Receiver<()> {
        let task = Task {
            id,
            call,
            shared: Arc::clone(&self.0),
            inbox,
            mailbox,
        };
        let running = tokio::spawn(task.run(first));
        let calls = self.clone();
        let (open, over) = oneshot::channel();
        tokio::spawn(async move {
            calls.follow_call(id, running).await;
            // What waits for it need not wait any more.
            drop(open);
        });
        over
    }

    /// Ends a drop-in, whatever its devices say.
    pub async fn end_drop_in(&self, call: CallId, reason: EndReason) {
        let mailbox = {
            let index = self.0.index();
            let entry = index.get(call).filter(|entry| entry.kind == Kind::DropIn);
            entry.map(|entry| entry.mailbox.clone())
        };
        if let Some(mailbox) = mailbox {
            send(&mailbox, Message::Input(Input::DropInOver(reason))).await;
        }
    }

    /// Whether a device is in a call or a drop-in, calls, or is to take a call over.
    #[must_use]
    pub fn is_engaged(&self, device: DeviceId) -> bool {
        self.0.index().is_engaged(device)
    }

    /// How long a device may take to decide about a drop-in.
    #[must_use]
    pub fn drop_in_timeout(&self) -> std::time::Duration {
        self.0.config.drop_in_timeout()
    }
}

impl DropInSide {
    fn party(&self) -> Party {
        Party {
            handle: self.account.handle.clone(),
            display_name: self.account.display_name.clone(),
            guest: false,
        }
    }

    fn rings(&self) -> Rings {
        Rings {
            device: self.device,
            switches: self.switches,
        }
    }
}

impl NewDropIn {
    fn entry(&self, mailbox: mpsc::Sender<Message>) -> Entry {
        let (target, initiator) = (&self.target, &self.initiator);
        Entry {
            mailbox,
            caller: target.account.id,
            caller_device: target.device,
            caller_party: target.party(),
            to: Callee::Device {
                device: initiator.device,
            },
            callees: vec![initiator.account.id],
            callee: initiator.party(),
            standing: Standing::Answered,
            part: Part {
                present: vec![
                    (target.device, target.account.id),
                    (initiator.device, initiator.account.id),
                ],
                ..Part::default()
            },
            kind: Kind::DropIn,
        }
    }

    fn invite(&self) -> Invite {
        let (target, initiator) = (&self.target, &self.initiator);
        Invite {
            call: self.call,
            caller: target.account.clone(),
            caller_device: target.device,
            callee: initiator.party(),
            people: vec![initiator.account.id],
            to: Some(initiator.account.clone()),
            ring: vec![initiator.rings()],
            engaged: BTreeSet::new(),
            caller_switches: target.switches,
            family: self.family,
            video: self.picture,
            invitation: Blob(Vec::new()),
        }
    }
}

impl From<Refused> for OpenError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::AccountFull | Refused::AlreadyInCall => Self::Busy,
            Refused::IdTaken => Self::IdTaken,
        }
    }
}
