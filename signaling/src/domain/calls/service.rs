//! Finds the call that a request or an event is about, and begins new ones.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homeline_protocol::id::{AccountId, CallId, DeviceId, PeerId, RoomId};
use homeline_protocol::media_control::MediaEvent;
use homeline_protocol::session::{Account, EndReason, Event, Party, RunningCall};
use homeline_protocol::{Blob, Handle};
use tokio::sync::{mpsc, oneshot};

use super::config::CallsConfig;
use super::figures::CallFigures;
use super::index::{Admitted, Entry, Index, Refused, Standing};
use super::input::{Act, ActReply, CallError, Input, Invite, Moment, PeerChange};
use super::machine::Call;
use super::task::{MAILBOX_MAX, Message, Task, send};
use crate::bus::{Audience, Bus, Notice};
use crate::domain::history::{Ended, History, HistoryError, Interrupted, RunningCallRecord};
use crate::domain::reach::{Asker, Refusal, Target, TargetDevice, reach};
use crate::gateway::Media;
use crate::model::{Clock, Speaker, UnixMillis};
use crate::store::{Db, StoreError, accounts, calls};

/// The longest signed invitation: a chain of six certificates takes some 2 KiB.
const INVITATION_BYTES_MAX: usize = 16 * 1024;

/// Calls cut off by the last stop, remembered until their people come back. A server carries fewer.
const INTERRUPTED_MAX: usize = 2_048;

/// Clients come back within seconds; whoever comes later finds it in the history.
const INTERRUPTED_FOR: Duration = Duration::from_mins(10);

/// Running calls. Clones share them.
#[derive(Debug, Clone)]
pub struct Calls(Arc<Shared>);

/// What calls are built on.
#[derive(Debug)]
pub struct CallsParts {
    /// Times and limits.
    pub config: CallsConfig,
    /// Where they are kept on record.
    pub db: Db,
    /// Where their events go.
    pub bus: Bus,
    /// The media node.
    pub media: Media,
    /// What it says by itself. When it closes, the node is gone.
    pub media_events: mpsc::Receiver<MediaEvent>,
    /// The time.
    pub clock: Clock,
}

/// What every call's task needs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: CallsConfig,
    pub(super) db: Db,
    pub(super) bus: Bus,
    pub(super) media: Media,
    pub(super) history: History,
    pub(super) clock: Clock,
    index: Mutex<Index>,
    started_at: UnixMillis,
    interrupted: Vec<(AccountId, CallId)>,
}

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

/// What became of a device's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionChange {
    /// A new one: the device knows nothing of what went before.
    Opened,
    /// The one it had was taken up again.
    Resumed,
    /// Its connection was lost; it may be resumed.
    Lost,
    /// It is over.
    Ended,
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
    /// Ends what the last stop cut off, then listens to the media node and the bus until both
    /// are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(parts: CallsParts) -> Result<Self, HistoryError> {
        let CallsParts {
            config,
            db,
            bus,
            media,
            media_events,
            clock,
        } = parts;
        let history = History::new(db.clone(), config.history_per_account_max);
        let started_at = clock.now();
        let interrupted = history.end_interrupted(started_at).await?;
        let notices = bus.notices();
        let calls = Self(Arc::new(Shared {
            config,
            db,
            bus,
            media,
            history,
            clock,
            index: Mutex::default(),
            started_at,
            interrupted: people_of(&interrupted),
        }));
        tokio::spawn(calls.clone().follow_media(media_events));
        tokio::spawn(calls.clone().follow_notices(notices));
        Ok(calls)
    }

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
        let admitted = self.0.index().admit(&self.0.config, id, entry)?;
        let Admitted::New { busy } = admitted else {
            return Ok(());
        };
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

    /// Does something to a call.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn act(
        &self,
        speaker: &Speaker,
        call: CallId,
        act: Act,
    ) -> Result<ActReply, CallError> {
        let device = speaker.device.ok_or(CallError::NotFound)?;
        let account = speaker.account;
        let (reply, replied) = oneshot::channel();
        let mailbox = {
            let mut index = self.0.index();
            let Some(entry) = index.get(call) else {
                let recent = index.is_recent(call, account);
                return Err(if recent {
                    CallError::Ended
                } else {
                    CallError::NotFound
                });
            };
            let mailbox = entry.mailbox.clone();
            if matches!(act, Act::Answer { .. })
                && entry.callee == Some(account)
                && !index.reserve_answer(call, device)
            {
                return Err(CallError::AlreadyInCall);
            }
            mailbox
        };
        let message = Message::Act {
            device,
            account,
            act,
            reply,
        };
        mailbox.send(message).await.map_err(|_| CallError::Ended)?;
        replied.await.unwrap_or(Err(CallError::Ended))
    }

    /// The running calls of the one who asks.
    #[must_use]
    pub fn list(&self, speaker: &Speaker) -> Vec<RunningCall> {
        let index = self.0.index();
        let own = index.of_account(speaker.account);
        own.map(|(id, entry)| entry.view(id, speaker.account, speaker.device))
            .collect()
    }

    /// Past calls.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.0.history
    }

    /// A device's session came or went.
    pub async fn session_changed(&self, speaker: &Speaker, change: SessionChange) {
        let Some(device) = speaker.device else { return };
        if change == SessionChange::Opened {
            self.tell_of_interrupted(speaker.account, device);
        }
        for (mailbox, input) in self.inputs_of(speaker.account, device, change) {
            send(&mailbox, Message::Input(input)).await;
        }
    }

    /// Counts for `/metrics`.
    #[must_use]
    pub fn figures(&self) -> CallFigures {
        self.0.index().figures()
    }

    fn inputs_of(
        &self,
        account: AccountId,
        device: DeviceId,
        change: SessionChange,
    ) -> Vec<(mpsc::Sender<Message>, Input)> {
        let index = self.0.index();
        let mut inputs = Vec::new();
        for (_, entry) in index.of_account(account) {
            let present = matches!(change, SessionChange::Opened | SessionChange::Resumed);
            if entry.has_device(device) {
                let input = if present {
                    Input::SessionBack
                } else {
                    Input::SessionLost
                };
                inputs.push((entry.mailbox.clone(), input(device)));
            } else if change == SessionChange::Opened && may_ring(entry, account, device) {
                inputs.push((entry.mailbox.clone(), Input::Reachable(device)));
            }
        }
        inputs
    }

    /// A call that the server's stop cut off: said once to each device that comes back.
    fn tell_of_interrupted(&self, account: AccountId, device: DeviceId) {
        if self.0.clock.now().since(self.0.started_at) > INTERRUPTED_FOR {
            return;
        }
        for (_, call) in self
            .0
            .interrupted
            .iter()
            .filter(|(whose, _)| *whose == account)
        {
            let (call, reason) = (*call, EndReason::ServerRestarted);
            self.0
                .bus
                .publish(Audience::Device(device), Event::CallEnded { call, reason });
        }
    }

    async fn invite(&self, speaker: &Speaker, new: NewCall) -> Result<Invite, StartError> {
        let mut tx = self.0.db.read().await?;
        let caller = accounts::find(&mut tx, speaker.account).await?;
        let caller = caller.ok_or(StartError::NoAccount)?;
        let callee = accounts::by_handle(&mut tx, &new.to).await?;
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
        Ok(Invite {
            call: new.call,
            caller: Account {
                id: caller.id,
                handle: caller.handle,
                display_name: caller.display_name,
            },
            caller_device: speaker.device.ok_or(Refusal::NoDevice)?,
            callee: Party {
                handle: new.to,
                display_name,
            },
            callee_account: callee.map(|callee| callee.id),
            ring: plan.ring,
            video: new.video,
            invitation: new.invitation,
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

    /// Waits for a call's end. One that panicked takes nothing with it but itself.
    async fn follow_call(self, id: CallId, running: tokio::task::JoinHandle<EndReason>) {
        let reason = match running.await {
            Ok(reason) => reason,
            Err(error) => {
                tracing::error!(%error, "a call failed inside the server and was ended");
                self.clean_up_failed(id).await;
                EndReason::MediaFailed
            }
        };
        self.0.index().end(id, reason);
    }

    async fn clean_up_failed(&self, call: CallId) {
        let reason = EndReason::MediaFailed;
        let entry = self.0.index().get(call).cloned();
        let Some(entry) = entry else { return };
        let ended = Ended {
            at: self.0.clock.now(),
            reason,
            callee_named: false,
        };
        if let Err(error) = self.0.history.ended(call, ended).await {
            tracing::error!(%error, "a call could not be kept on record");
        }
        self.0.bus.publish(
            Audience::Device(entry.caller_device),
            Event::CallEnded { call, reason },
        );
        if let Some(callee) = entry.callee {
            self.0
                .bus
                .publish(Audience::Account(callee), Event::CallEnded { call, reason });
        }
        let room = RoomId(call.0);
        let close = homeline_protocol::media_control::MediaCommand::CloseRoom { room };
        if let Err(error) = self.0.media.send(close).await.wait().await {
            tracing::warn!(%error, "a failed call's room could not be closed");
        }
    }

    async fn follow_media(self, mut events: mpsc::Receiver<MediaEvent>) {
        while let Some(event) = events.recv().await {
            let device = |peer: PeerId| DeviceId(peer.0);
            let (room, input) = match event {
                MediaEvent::PeerConnected { room, peer } => {
                    (room, Input::Peer(device(peer), PeerChange::Connected))
                }
                MediaEvent::PeerSilent { room, peer } => {
                    (room, Input::Peer(device(peer), PeerChange::Silent))
                }
                MediaEvent::PeerClosed { room, peer } => {
                    (room, Input::Peer(device(peer), PeerChange::Closed))
                }
                MediaEvent::RoomFailed { room } => (room, Input::RoomFailed),
            };
            let mailbox = self
                .0
                .index()
                .get(CallId(room.0))
                .map(|entry| entry.mailbox.clone());
            if let Some(mailbox) = mailbox {
                send(&mailbox, Message::Input(input)).await;
            }
        }
        let mailboxes: Vec<_> = self
            .0
            .index()
            .all()
            .map(|entry| entry.mailbox.clone())
            .collect();
        for mailbox in mailboxes {
            send(&mailbox, Message::Input(Input::MediaGone)).await;
        }
    }

    async fn follow_notices(self, mut notices: mpsc::Receiver<Notice>) {
        use homeline_protocol::session::ErrorCode;
        while let Some(Notice::SessionsEnded { device, code }) = notices.recv().await {
            if code != ErrorCode::DeviceRevoked {
                continue;
            }
            let mailboxes: Vec<_> = self
                .0
                .index()
                .all()
                .map(|entry| entry.mailbox.clone())
                .collect();
            for mailbox in mailboxes {
                send(&mailbox, Message::Input(Input::Revoked(device))).await;
            }
        }
    }
}

impl Shared {
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn moment(&self) -> Moment {
        Moment {
            at: tokio::time::Instant::now().into_std(),
            unix: self.clock.now(),
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
    }
}

/// Whether a device that comes online while a call waits rings for it too.
fn may_ring(entry: &Entry, account: AccountId, device: DeviceId) -> bool {
    let waits = matches!(
        entry.standing,
        Standing::Waiting { .. } | Standing::Answering { .. }
    );
    if !waits || entry.callee != Some(account) {
        return false;
    }
    let device_of_caller = Some(entry.caller_device);
    let asker = Asker {
        account: entry.caller,
        device: device_of_caller,
        admitted: true,
    };
    let kind = homeline_protocol::session::DeviceKind::App;
    let target = Target {
        account,
        devices: vec![TargetDevice { device, kind }],
    };
    reach(&asker, Some(&target)).is_ok_and(|plan| plan.ring.contains(&device))
}

fn people_of(interrupted: &[Interrupted]) -> Vec<(AccountId, CallId)> {
    let people = interrupted.iter().flat_map(|one| {
        [Some(one.caller), one.callee]
            .into_iter()
            .flatten()
            .map(|account| (account, one.call))
    });
    people.take(INTERRUPTED_MAX).collect()
}
