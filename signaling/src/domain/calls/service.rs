//! Finds the call that a request or a session is about.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::media_control::MediaEvent;
use homeline_protocol::session::{EndReason, Event, RunningCall};
use tokio::sync::{mpsc, oneshot};

use super::config::CallsConfig;
use super::figures::CallFigures;
use super::index::{Entry, Index, Standing};
use super::input::{Act, ActReply, CallError, Input, Moment};
use super::task::{Message, send};
use crate::bus::{Audience, Bus};
use crate::domain::history::{History, HistoryError, Interrupted};
use crate::domain::push::Push;
use crate::domain::reach::{Asker, Target, TargetDevice, reach};
use crate::gateway::Media;
use crate::model::{Clock, Speaker, UnixMillis};
use crate::store::Db;

/// Calls cut off by the last stop, remembered until their people come back. A server carries fewer.
const INTERRUPTED_MAX: usize = 2_048;

/// Clients come back within seconds; whoever comes later finds it in the history.
const INTERRUPTED_FOR: Duration = Duration::from_mins(10);

/// Running calls. Clones share them.
#[derive(Debug, Clone)]
pub struct Calls(pub(super) Arc<Shared>);

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
    /// What wakes devices that hear nothing.
    pub push: Push,
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
    pub(super) push: Push,
    index: Mutex<Index>,
    started_at: UnixMillis,
    interrupted: Vec<(AccountId, CallId)>,
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
            push,
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
            push,
            index: Mutex::default(),
            started_at,
            interrupted: people_of(&interrupted),
        }));
        tokio::spawn(calls.clone().follow_media(media_events));
        tokio::spawn(calls.clone().follow_notices(notices));
        Ok(calls)
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
        for (mailbox, input) in self.inputs_of(speaker, device, change) {
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
        speaker: &Speaker,
        device: DeviceId,
        change: SessionChange,
    ) -> Vec<(mpsc::Sender<Message>, Input)> {
        let index = self.0.index();
        let mut inputs = Vec::new();
        for (_, entry) in index.of_account(speaker.account) {
            let present = matches!(change, SessionChange::Opened | SessionChange::Resumed);
            if entry.has_device(device) {
                let input = if present {
                    Input::SessionBack
                } else {
                    Input::SessionLost
                };
                inputs.push((entry.mailbox.clone(), input(device)));
            } else if change == SessionChange::Opened && may_ring(entry, speaker, device) {
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

/// Whether a device that comes online while a call waits rings for it too.
fn may_ring(entry: &Entry, speaker: &Speaker, device: DeviceId) -> bool {
    let waits = !matches!(entry.standing, Standing::Answered(_));
    if !waits || entry.callee != Some(speaker.account) {
        return false;
    }
    let (caller, caller_device) = (entry.caller, Some(entry.caller_device));
    let asker = Asker {
        account: caller,
        device: caller_device,
        admitted: true,
    };
    let devices = vec![TargetDevice {
        device,
        kind: speaker.kind,
    }];
    let target = Target {
        account: speaker.account,
        devices,
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
