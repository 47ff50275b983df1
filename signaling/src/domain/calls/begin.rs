//! How a call begins: who is called, whether it may be tried, and its record.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{Account, Party};
use homeline_protocol::{Blob, Handle};
use tokio::sync::mpsc;

use super::index::{Admitted, Entry, Refused, Standing};
use super::input::Invite;
use super::machine::{Call, Part};
use super::service::Calls;
use super::task::{MAILBOX_MAX, Message, Task};
use crate::domain::history::{HistoryError, RunningCallRecord};
use crate::domain::reach::{Asker, Refusal, Target, TargetDevice, reach};
use crate::model::Speaker;
use crate::store::{StoreError, accounts, calls};

/// The longest signed invitation: a chain of six certificates takes some 2 KiB.
pub(super) const INVITATION_BYTES_MAX: usize = 16 * 1024;

/// A call to begin.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Its id.
    pub call: CallId,
    /// Whom.
    pub to: Handle,
    /// With picture.
    pub video: bool,
    /// The caller's signed invitation.
    pub invitation: Blob,
}

/// Who is called, as `reach` decides.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) caller: Account,
    pub(super) callee: Party,
    pub(super) account: Option<AccountId>,
    pub(super) ring: Vec<DeviceId>,
}

/// Why a call can't begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing is tried.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This device takes part in a call already.
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
    #[error("this call is over")]
    Over,
    /// The invitation is too long.
    #[error("the invitation is longer than 16 KiB")]
    TooLong,
    /// The caller's account is gone.
    #[error("the account is gone")]
    NoAccount,
    /// The database failed.
    #[error(transparent)]
    Internal(#[from] StoreError),
}

impl Calls {
    /// Calls somebody.
    ///
    /// # Errors
    /// [`StartError`]. A handle that nobody has is no error: it is not reached.
    pub async fn call(&self, speaker: &Speaker, new: NewCall) -> Result<(), StartError> {
        if new.invitation.0.len() > INVITATION_BYTES_MAX {
            return Err(StartError::TooLong);
        }
        let invite = self.invite(speaker, new).await?;
        let (mailbox, inbox) = mpsc::channel(MAILBOX_MAX);
        let id = invite.call;
        let entry = entry(&invite, mailbox.clone());
        let admitted = self
            .0
            .index()
            .admit(&self.0.config, id, entry, &invite.ring)?;
        let Admitted::New { busy, engaged } = admitted else {
            return Ok(());
        };
        let invite = Invite { engaged, ..invite };
        if let Err(error) = self.0.history.begin(self.record(&invite)).await {
            self.0.index().withdraw(id);
            return Err(match error {
                HistoryError::Used | HistoryError::BadLimit => StartError::Over,
                HistoryError::Internal(error) => StartError::Internal(error),
            });
        }
        let moment = self.0.moment();
        let (call, first) = Call::start(&self.0.config, invite, busy, moment);
        let shared = Arc::clone(&self.0);
        let task = Task {
            id,
            call,
            shared,
            inbox,
            mailbox,
        };
        let running = tokio::spawn(task.run(first));
        tokio::spawn(self.clone().follow_call(id, running));
        Ok(())
    }

    async fn invite(&self, speaker: &Speaker, new: NewCall) -> Result<Invite, StartError> {
        let reached = self.reach(speaker, &new.to).await?;
        Ok(Invite {
            call: new.call,
            caller: reached.caller,
            caller_device: speaker.device.ok_or(Refusal::NoDevice)?,
            callee: reached.callee,
            callee_account: reached.account,
            ring: reached.ring,
            engaged: BTreeSet::new(),
            video: new.video,
            invitation: new.invitation,
        })
    }

    /// Who is called, and which devices ring: the same decision for a new call and for somebody who
    /// is added to one.
    pub(super) async fn reach(
        &self,
        speaker: &Speaker,
        to: &Handle,
    ) -> Result<Reached, StartError> {
        let mut tx = self.0.db.read().await?;
        let caller = accounts::find(&mut tx, speaker.account).await?;
        let caller = caller.ok_or(StartError::NoAccount)?;
        let callee = accounts::by_handle(&mut tx, to).await?;
        // Asked for nobody too, so that it takes as long.
        let whose = callee
            .as_ref()
            .map_or(AccountId([0; 16]), |callee| callee.id);
        let devices = calls::devices_of(&mut tx, whose).await?;
        let devices = devices
            .into_iter()
            .map(|row| TargetDevice {
                device: row.id,
                kind: row.kind.0,
            })
            .collect();
        let target = callee.as_ref().map(|callee| Target {
            account: callee.id,
            devices,
        });
        let admitted = speaker.household.is_some();
        let asker = Asker {
            account: speaker.account,
            device: speaker.device,
            admitted,
        };
        let plan = reach(&asker, target.as_ref())?;
        let display_name = callee
            .as_ref()
            .map_or(String::new(), |callee| callee.display_name.clone());
        Ok(Reached {
            caller: Account {
                id: caller.id,
                handle: caller.handle,
                display_name: caller.display_name,
            },
            callee: Party {
                handle: to.clone(),
                display_name,
            },
            account: callee.map(|callee| callee.id),
            ring: plan.ring,
        })
    }

    fn record(&self, invite: &Invite) -> RunningCallRecord {
        RunningCallRecord {
            call: invite.call,
            caller: invite.caller.id,
            caller_device: invite.caller_device,
            callee: invite.callee_account,
            callee_handle: invite.callee.handle.clone(),
            video: invite.video,
            started_at: self.0.clock.now(),
        }
    }
}

impl From<Refused> for StartError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::AccountFull => Self::AccountFull,
            Refused::AlreadyInCall => Self::AlreadyInCall,
            Refused::IdTaken => Self::IdTaken,
        }
    }
}

fn entry(invite: &Invite, mailbox: mpsc::Sender<Message>) -> Entry {
    Entry {
        mailbox,
        caller: invite.caller.id,
        caller_device: invite.caller_device,
        caller_party: Party {
            handle: invite.caller.handle.clone(),
            display_name: invite.caller.display_name.clone(),
        },
        callee: invite.callee_account,
        callee_handle: invite.callee.handle.clone(),
        callee_name: invite.callee.display_name.clone(),
        standing: Standing::Waiting { rings: false },
        part: Part::default(),
    }
}
