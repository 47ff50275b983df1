//! One call's task: feeds its machine and carries out what the machine decides, in order.
//!
//! It never waits for the media node or for another call; it does wait for the store, since what
//! is acknowledged must be stored.

use std::sync::Arc;

use homeline_protocol::id::{AccountId, CallId, DeviceId, PeerId};
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaReply};
use homeline_protocol::session::{CallPhase, EndReason, Event};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::entry::Standing;
use super::grades::quality;
use super::input::{Act, ActReply, CallError, Effect, Input, Kind, Record};
use super::machine::{Call, Part, is_missed};
use super::service::Shared;
use crate::bus::Audience;
use crate::domain::history::{Ended, HistoryError, Missed};
use crate::gateway::PendingReply;

/// What may wait for one call; whoever sends more waits.
pub(super) const MAILBOX_MAX: usize = 256;

/// Where the reply to an act goes.
pub(super) type ReplyTo = oneshot::Sender<Result<ActReply, CallError>>;

/// What a call's task is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Somebody acts and waits for the reply.
    Act {
        device: DeviceId,
        account: AccountId,
        act: Act,
        reply: ReplyTo,
    },
    /// Something happened.
    Input(Input),
    /// The media node answered a device that waits.
    Answered {
        device: DeviceId,
        result: Result<MediaReply, MediaError>,
        reply: ReplyTo,
    },
}

/// One call and what it takes to carry out its effects.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: CallId,
    pub(super) call: Call,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) mailbox: mpsc::Sender<Message>,
}

impl Task {
    /// Carries out the first effects, then whatever comes, until the call is over.
    pub(super) async fn run(mut self, first: Vec<Effect>) -> EndReason {
        tracing::info!(call = %self.id, "a call begins");
        self.carry_out(first, &mut None).await;
        loop {
            if let Some(reason) = self.call.ended() {
                tracing::info!(call = %self.id, ?reason, "a call is over");
                return reason;
            }
            let deadline = self.call.deadline().map(Instant::from_std);
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.take(message).await,
                    None => return EndReason::MediaFailed,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.step(Input::Tick).await;
                }
            }
        }
    }

    async fn take(&mut self, message: Message) {
        match message {
            Message::Input(input) => self.step(input).await,
            Message::Act {
                device,
                account,
                act,
                reply,
            } => {
                let answers = matches!(act, Act::Answer { .. });
                let mut reply = Some(reply);
                let now = self.shared.moment();
                match self.call.step(now, Input::Act(device, account, act)) {
                    Ok(effects) => {
                        self.carry_out(effects, &mut reply).await;
                        if answers {
                            self.supersede_others(device);
                        } else {
                            self.publish_standing();
                        }
                        respond(reply, Ok(ActReply::Done));
                    }
                    Err(error) => {
                        self.publish_standing();
                        respond(reply, Err(error));
                    }
                }
            }
            Message::Answered {
                device,
                result,
                reply,
            } => {
                let result = self.media_answered(device, result).await;
                respond(Some(reply), result);
            }
        }
    }

    async fn step(&mut self, input: Input) {
        let now = self.shared.moment();
        if let Ok(effects) = self.call.step(now, input) {
            self.carry_out(effects, &mut None).await;
        }
        self.publish_standing();
    }

    async fn media_answered(
        &mut self,
        device: DeviceId,
        result: Result<MediaReply, MediaError>,
    ) -> Result<ActReply, CallError> {
        match result {
            Ok(MediaReply::Answer { sdp }) => {
                self.step(Input::Negotiated(device, true)).await;
                if self.call.ended().is_some() {
                    return Err(CallError::Ended);
                }
                Ok(ActReply::Media {
                    sdp,
                    tracks: self.call.tracks_for(device),
                })
            }
            Ok(MediaReply::Statistics(peers)) => {
                let own = peers.iter().find(|one| one.peer == PeerId(device.0));
                own.map(|own| ActReply::Quality(quality(own)))
                    .ok_or(CallError::NotNow("the media connection is not there yet"))
            }
            Ok(MediaReply::Done) => Err(CallError::Internal),
            Err(MediaError::BadOffer(why)) => {
                self.step(Input::Negotiated(device, false)).await;
                Err(CallError::BadOffer(why))
            }
            Err(MediaError::Limit(which)) => {
                self.step(Input::Negotiated(device, false)).await;
                Err(CallError::MediaLimit(which))
            }
            Err(error @ (MediaError::NoRoom | MediaError::NoPeer | MediaError::Gone)) => {
                if let Some(input) = consequence(&error) {
                    self.step(input).await;
                }
                Err(CallError::NotNow(
                    "the media connection was lost; offer again",
                ))
            }
        }
    }

    /// In order. A command that the acting device waits for takes its reply with it.
    async fn carry_out(&mut self, effects: Vec<Effect>, reply: &mut Option<ReplyTo>) {
        for effect in effects {
            match effect {
                Effect::Tell(device, event) => {
                    self.wake(device, &event);
                    self.shared.guests.told(device, &event);
                    self.shared.bus.publish(Audience::Device(device), event);
                }
                Effect::Record(record) => self.record(record).await,
                Effect::Media(command) => {
                    let making = matches!(command, MediaCommand::CreateRoom { .. });
                    let pending = self.shared.media.send(command).await;
                    self.watch(pending, making);
                }
                Effect::Measure(command) => {
                    let pending = self.shared.media.send(command).await;
                    self.measure(pending);
                }
                Effect::Ask(device, command) => {
                    let pending = self.shared.media.send(command).await;
                    if let Some(reply) = reply.take() {
                        self.relay(pending, device, reply);
                    }
                }
            }
        }
    }

    /// Devices that do not hear it are pushed, beside the call; once one was, the call waits for it.
    fn wake(&self, device: DeviceId, event: &Event) {
        let Some(accepted) = self.shared.push.told(device, event) else {
            return;
        };
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            if accepted.await.is_ok() {
                send(&mailbox, Message::Input(Input::Pushed)).await;
            }
        });
    }

    /// Waits beside the call for a reply that only matters when it is bad.
    fn watch(&self, pending: PendingReply, making: bool) {
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            let Err(error) = pending.wait().await else {
                return;
            };
            // Of a room that failed the node tells by itself, once.
            if making || error == MediaError::Gone {
                send(&mailbox, Message::Input(Input::MediaGone)).await;
            }
        });
    }

    /// Waits beside the call for figures. Without them nothing is told: a node that is gone says so itself.
    fn measure(&self, pending: PendingReply) {
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            if let Ok(MediaReply::Statistics(peers)) = pending.wait().await {
                send(&mailbox, Message::Input(Input::Measured(peers))).await;
            }
        });
    }

    fn relay(&self, pending: PendingReply, device: DeviceId, reply: ReplyTo) {
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            let result = pending.wait().await;
            send(
                &mailbox,
                Message::Answered {
                    device,
                    result,
                    reply,
                },
            )
            .await;
        });
    }

    /// A store that fails is logged and does not end a call: people go on talking.
    async fn record(&self, record: Record) {
        // Only calls are kept in histories.
        if self.call.kind() != Kind::Call {
            return;
        }
        match self.keep(record).await {
            Ok(Some(missed)) => {
                let event = Event::CallMissed(missed.call);
                let audience = Audience::Account(missed.account);
                self.shared.bus.publish(audience, event);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a call could not be kept on record"),
        }
    }

    async fn keep(&self, record: Record) -> Result<Option<Missed>, HistoryError> {
        let history = &self.shared.history;
        match record {
            Record::Answered { at, device } => {
                tracing::info!(call = %self.id, %device, "a call is answered");
                history.answered(self.id, device, at).await?;
                Ok(None)
            }
            Record::Adding { at, account, from } => {
                history.adding(self.id, account, from, at).await?;
                Ok(None)
            }
            Record::Joined { at, account } => {
                history.joined(self.id, account, at).await?;
                Ok(None)
            }
            Record::Left {
                at,
                account,
                reason,
            } => {
                let (callee_named, missed) = (true, is_missed(reason));
                let ended = Ended {
                    at,
                    reason,
                    callee_named,
                    missed,
                };
                history.left(self.id, account, ended).await
            }
            Record::Ended {
                at,
                reason,
                callee_named,
                missed,
            } => {
                let ended = Ended {
                    at,
                    reason,
                    callee_named,
                    missed,
                };
                history.ended(self.id, ended).await
            }
        }
    }

    fn standing(&self) -> Option<(Standing, Part)> {
        let standing = match self.call.phase()? {
            CallPhase::Answered => Standing::Answered,
            CallPhase::Inviting => Standing::Waiting { rings: false },
            CallPhase::Ringing => Standing::Waiting { rings: true },
        };
        Some((standing, self.call.part()))
    }

    fn publish_standing(&self) {
        if let Some((standing, part)) = self.standing() {
            self.shared.index().set_standing(self.id, standing, part);
        }
    }

    /// Says that this device has answered, and tells the calls for which that means something. In
    /// one step, so that of two calls that a device answers at once exactly the later one stays.
    fn supersede_others(&self, by: DeviceId) {
        let others = {
            let mut index = self.shared.index();
            if let Some((standing, part)) = self.standing() {
                index.set_standing(self.id, standing, part);
            }
            index.after_answer(self.id, by)
        };
        // Beside this call: two calls that wait for each other would hang.
        tokio::spawn(async move {
            for (other, input) in others {
                send(&other, Message::Input(input)).await;
            }
        });
    }
}

/// What a failed command means for the call.
fn consequence(error: &MediaError) -> Option<Input> {
    match error {
        MediaError::NoRoom => Some(Input::RoomFailed),
        MediaError::Gone => Some(Input::MediaGone),
        MediaError::NoPeer | MediaError::BadOffer(_) | MediaError::Limit(_) => None,
    }
}

/// To a call that may be over by now, which is no error.
pub(super) async fn send(mailbox: &mpsc::Sender<Message>, message: Message) {
    if mailbox.send(message).await.is_err() {
        tracing::trace!("a call was over before it could be told");
    }
}

fn respond(reply: Option<ReplyTo>, result: Result<ActReply, CallError>) {
    if let Some(reply) = reply
        && reply.send(result).is_err()
    {
        tracing::trace!("nobody waits for this reply any more");
    }
}
