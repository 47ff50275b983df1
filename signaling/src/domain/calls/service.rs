//! Finds the call that a request or a session is about.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::media_control::MediaEvent;
use homeline_protocol::session::{DeviceKind, EndReason, Event, RunningCall};
use tokio::sync::{mpsc, oneshot};

use super::begin::rings;
use super::config::CallsConfig;
use super::entry::{Asked, Entry, Standing};
use super::figures::CallFigures;
use super::index::Index;
use super::input::{Act, ActReply, CallError, Input, Kind, Moment, Rings};
use super::task::{Message, send};
use crate::bus::{Audience, Bus};
use crate::domain::guests::Guests;
use crate::domain::history::{History, HistoryError, Interrupted};
use crate::domain::push::Push;
use crate::domain::reach::{Asking, Reach, Way, World, reach};
use crate::gateway::Media;
use crate::model::{Clock, Speaker, UnixMillis};
use crate::store::{self, Db, StoreError};

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
    /// Who may be reached.
    pub reach: Reach,
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
    /// Guests, who come by call links.
    pub guests: Guests,
}

/// What every call's task needs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: CallsConfig,
    pub(super) db: Db,
    pub(super) reach: Reach,
    pub(super) bus: Bus,
    pub(super) media: Media,
    pub(super) history: History,
    pub(super) clock: Clock,
    pub(super) push: Push,
    pub(super) guests: Guests,
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
            reach,
            bus,
            media,
            media_events,
            clock,
            push,
            guests,
        } = parts;
        let history = History::new(db.clone(), config.history_per_account_max);
        let started_at = clock.now();
        let interrupted = history.end_interrupted(started_at).await?;
        let notices = bus.notices();
        let calls = Self(Arc::new(Shared {
            config,
            db,
            reach,
            bus,
            media,
            history,
            clock,
            push,
            guests,
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
                && !matches!(entry.standing, Standing::Answered)
                && entry.callees.contains(&account)
                && !index.reserve_answer(call, device)
            {
                return Err(CallError::AlreadyInCall);
            }
            if matches!(act, Act::Hear { .. }) && !index.begin_hearing(call, device, account) {
                return Err(CallError::AlreadyInCall);
            }
            mailbox
        };
        let stops = matches!(act, Act::RefuseInvitation | Act::HangUp { .. });
        let message = Message::Act {
            device,
            account,
            act,
            reply,
        };
        mailbox.send(message).await.map_err(|_| CallError::Ended)?;
        let result = replied.await.unwrap_or(Err(CallError::Ended));
        // A device that rings no more is told nothing of the call's end.
        if stops && speaker.guest && result.is_ok() {
            self.0.guests.call_over(device);
        }
        result
    }

    /// The running calls of the one who asks.
    #[must_use]
    pub fn list(&self, speaker: &Speaker) -> Vec<RunningCall> {
        let index = self.0.index();
        let own = index.of_account(speaker.account);
        // A drop-in is nobody's but the two devices', and a live announcement theirs that hear it.
        let here = |entry: &Entry| {
            speaker
                .device
                .is_some_and(|device| entry.has_device(device))
        };
        let own = own.filter(|(_, entry)| entry.kind == Kind::Call || here(entry));
        own.map(|(id, entry)| entry.view(id, speaker.account, speaker.device))
            .collect()
    }

    /// Past calls.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.0.history
    }

    /// Guests, who come by call links.
    #[must_use]
    pub fn guests(&self) -> &Guests {
        &self.0.guests
    }

    /// Who reaches whom.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.0.reach
    }

    /// A device's session came or went.
    pub async fn session_changed(&self, speaker: &Speaker, change: SessionChange) {
        let Some(device) = speaker.device else { return };
        if change == SessionChange::Opened {
            self.tell_of_interrupted(speaker.account, device);
        }
        let (inputs, waiting) = self.0.index().concerned(speaker.account, device, change);
        for (mailbox, input) in inputs {
            send(&mailbox, Message::Input(input)).await;
        }
        for asked in waiting {
            match self.may_ring(&asked, device).await {
                Ok(Some(rings)) => {
                    send(&asked.mailbox, Message::Input(Input::Reachable(rings))).await;
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a device that came online does not ring"),
            }
        }
    }

    /// Ends every call in which a person takes part, in the name of the device that does. What only
    /// rings them goes on, as to somebody who is away.
    pub async fn hang_up_all(&self, account: AccountId, devices: &[DeviceId]) {
        let theirs = self.0.index().with_devices(devices);
        for (call, device) in theirs {
            let speaker = Speaker {
                account,
                device: Some(device),
                household: None,
                kind: DeviceKind::App,
                adult: false,
                guest: false,
            };
            let reason = EndReason::HungUp;
            if let Err(error) = self.act(&speaker, call, Act::HangUp { reason }).await {
                tracing::debug!(%call, %error, "a call of a leaving person was over already");
            }
        }
    }

    /// Counts for `/metrics`.
    #[must_use]
    pub fn figures(&self) -> CallFigures {
        self.0.index().figures()
    }

    /// Whether a device that comes online while a call waits, or somebody is being added, rings for it
    /// too, by the rules as they stand now.
    async fn may_ring(&self, asked: &Asked, device: DeviceId) -> Result<Option<Rings>, StoreError> {
        let mut tx = self.0.db.read().await?;
        let by = asked.by;
        let caller = store::devices::find(&mut tx, by.device).await?;
        let asking = Asking {
            account: by.account,
            device: Some(by.device),
            household: caller.and_then(|caller| caller.household.0),
            way: Way::Call,
            now: self.0.clock.now(),
        };
        let world = self.0.reach.world(&mut tx, asking, &asked.to).await?;
        let Some(world) = world.map(World::let_through) else {
            return Ok(None);
        };
        let world = self.0.reach.among(&mut tx, world, &asked.there).await?;
        let plan = reach(&world).unwrap_or_default();
        Ok(rings(&world, &plan)
            .into_iter()
            .find(|one| one.device == device))
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

fn people_of(interrupted: &[Interrupted]) -> Vec<(AccountId, CallId)> {
    let people = interrupted.iter().flat_map(|one| {
        [Some(one.caller), one.callee]
            .into_iter()
            .flatten()
            .map(|account| (account, one.call))
    });
    people.take(INTERRUPTED_MAX).collect()
}
