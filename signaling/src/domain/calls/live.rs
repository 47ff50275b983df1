//! A live announcement begins as a call does, and ends as one.

use std::collections::BTreeSet;

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{Account, Callee, Event, Party, Place, Switches};
use tokio::sync::{mpsc, oneshot};

use super::entry::{Entry, Standing};
use super::hearing::LiveRefused;
use super::input::{Invite, Kind};
use super::machine::{Announcement, Call, Hearer, Part};
use super::service::Calls;
use super::task::{MAILBOX_MAX, Message};

/// A live announcement to begin.
#[derive(Debug, Clone)]
pub struct NewLive {
    /// Its id.
    pub call: CallId,
    /// Who announces.
    pub account: Account,
    /// With which device.
    pub device: DeviceId,
    /// Where its switches stand.
    pub switches: Switches,
    /// The devices that may be told, and whose they are.
    pub hearers: Vec<(DeviceId, Account)>,
    /// What the announcing device signed.
    pub statement: Blob,
}

/// A live announcement that has begun.
#[derive(Debug)]
pub struct BegunLive {
    /// Those of the devices that were not told, since they are in a call or a drop-in or hear another one.
    pub busy: BTreeSet<DeviceId>,
    /// Resolves when it is over.
    pub over: oneshot::Receiver<()>,
}

/// Why a live announcement does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BeginLiveError {
    /// The device is in a call.
    #[error("this device is in a call already; hang up first")]
    AlreadyInCall,
    /// The account has too many calls.
    #[error("there are too many calls from this account at once")]
    AccountFull,
    /// The server carries too many calls.
    #[error("the server carries as many calls as it can; try again in a few minutes")]
    Full,
    /// The id belongs to another running call.
    #[error("this call's id is taken; choose another")]
    IdTaken,
    /// The call with this id is over.
    #[error("this announcement is over")]
    Over,
    /// Every device that would hear it is in a call, or hears another one.
    #[error("every device that would hear it is in a call")]
    NobodyFree,
}

impl Calls {
    /// Begins a live announcement, and tells those that may hear it.
    ///
    /// # Errors
    /// [`BeginLiveError`]; then nobody was told anything.
    pub async fn begin_live(&self, mut new: NewLive) -> Result<BegunLive, BeginLiveError> {
        let (mailbox, inbox) = mpsc::channel(MAILBOX_MAX);
        let id = new.call;
        let told: Vec<_> = new.hearers.iter().map(|(device, _)| *device).collect();
        let entry = new.entry(mailbox.clone());
        let config = &self.0.config;
        let busy = self.0.index().admit_live(config, id, entry, &told)?;
        new.hearers.retain(|(device, _)| !busy.contains(device));
        self.hears_no_more(new.device).await;
        let moment = self.0.moment();
        let (call, first) = Call::announced(config, new.announcement(), moment);
        let over = self.run_begun(id, (call, first), (mailbox, inbox));
        Ok(BegunLive { busy, over })
    }
}

impl NewLive {
    pub(super) fn entry(&self, mailbox: mpsc::Sender<Message>) -> Entry {
        let people: BTreeSet<_> = self.hearers.iter().map(|(_, whose)| whose.id).collect();
        Entry {
            mailbox,
            caller: self.account.id,
            caller_device: self.device,
            caller_party: party(&self.account),
            to: Callee::Place { place: Place::Home },
            callees: people.into_iter().collect(),
            callee: party(&self.account),
            standing: Standing::Answered,
            part: Part {
                present: vec![(self.device, self.account.id)],
                ..Part::default()
            },
            kind: Kind::Live,
        }
    }

    pub(super) fn announcement(self) -> Announcement {
        let told = Event::LiveAnnouncement {
            call: self.call,
            device: self.device,
            statement: self.statement,
        };
        let callee = party(&self.account);
        let people = self.hearers.iter().map(|(_, whose)| whose.id);
        let invite = Invite {
            call: self.call,
            caller_device: self.device,
            callee,
            people: people.collect(),
            to: None,
            ring: Vec::new(),
            engaged: BTreeSet::new(),
            caller_switches: self.switches,
            family: true,
            video: false,
            invitation: Blob(Vec::new()),
            caller: self.account,
        };
        let hearers = self.hearers.into_iter().map(|(device, whose)| Hearer {
            device,
            account: whose.id,
            party: party(&whose),
        });
        Announcement {
            invite,
            hearers: hearers.collect(),
            told,
        }
    }
}

impl From<LiveRefused> for BeginLiveError {
    fn from(refused: LiveRefused) -> Self {
        match refused {
            LiveRefused::Full => Self::Full,
            LiveRefused::AccountFull => Self::AccountFull,
            LiveRefused::AlreadyInCall => Self::AlreadyInCall,
            LiveRefused::IdTaken => Self::IdTaken,
            LiveRefused::Over => Self::Over,
            LiveRefused::NobodyFree => Self::NobodyFree,
        }
    }
}

fn party(account: &Account) -> Party {
    Party {
        handle: account.handle.clone(),
        display_name: account.display_name.clone(),
        guest: false,
    }
}
