//! From the answer to the end.

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{EndReason, Event, MediaState, Participant};

use super::call::{Call, State, Step};
use super::media::Link;
use super::timers::Timer;
use crate::domain::calls::input::{Act, CallError, Effect, Moment};
use crate::domain::keys::{Group, KeyEffect, SentCommit};

/// The two who take part, and their keys' group.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) caller: Side,
    pub(super) callee: Side,
    /// What lets the callee into the group.
    pub(super) introduction: Introduction,
    pub(super) group: Group,
}

/// One participant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) device: DeviceId,
    pub(super) account: AccountId,
    pub(super) media: MediaState,
    /// Whether its session is attached to a connection.
    pub(super) session: bool,
    /// What the other side was last told of its connection.
    pub(super) connected: bool,
    /// Its timer for when it is lost.
    pub(super) lost: Timer,
}

/// A device's fresh key package, and the statement that binds it to the call.
#[derive(Debug, Clone)]
pub(super) struct Introduction {
    pub(super) key_package: Blob,
    pub(super) statement: Blob,
}

impl Answered {
    pub(super) fn side(&self, device: DeviceId) -> Option<&Side> {
        [&self.caller, &self.callee]
            .into_iter()
            .find(|side| side.device == device)
    }

    pub(super) fn side_mut(&mut self, device: DeviceId) -> Option<&mut Side> {
        [&mut self.caller, &mut self.callee]
            .into_iter()
            .find(|side| side.device == device)
    }

    /// The one that a participant talks with.
    pub(super) fn other(&self, device: DeviceId) -> Option<&Side> {
        if device == self.caller.device {
            Some(&self.callee)
        } else if device == self.callee.device {
            Some(&self.caller)
        } else {
            None
        }
    }
}

fn admission(
    call: CallId,
    (device, media): (DeviceId, MediaState),
    introduction: Introduction,
) -> Event {
    let Introduction {
        key_package,
        statement,
    } = introduction;
    Event::CallAnswered {
        call,
        device,
        media,
        key_package,
        statement,
    }
}

impl Call {
    /// Tells the caller whom to commit to the group.
    pub(super) fn announcement(&self, answered: &Answered) -> Event {
        let callee = (answered.callee.device, self.clamped(&answered.callee));
        admission(self.invite.call, callee, answered.introduction.clone())
    }

    /// Everybody, with what their switches let them send.
    fn participants(&self, answered: &Answered) -> Vec<Participant> {
        [&answered.caller, &answered.callee]
            .map(|side| Participant {
                device: side.device,
                account: side.account,
                media: self.clamped(side),
            })
            .to_vec()
    }

    fn clamped(&self, side: &Side) -> MediaState {
        self.clamp(side.device, side.media)
    }

    pub(super) fn act_when_answered(
        &mut self,
        now: Moment,
        device: DeviceId,
        account: AccountId,
        act: Act,
    ) -> Step {
        let is_callee = self.is_callee(account);
        let State::Answered(answered) = &mut self.state else {
            return Err(CallError::Ended);
        };
        let Some(side) = answered.side_mut(device) else {
            return Err(if is_callee {
                CallError::AnsweredElsewhere
            } else {
                CallError::NotFound
            });
        };
        match act {
            Act::Ringing {
                key_package,
                statement,
            } => Ok(self.rejoin(
                now,
                device,
                Introduction {
                    key_package,
                    statement,
                },
            )),
            // Said twice, or cancelled in the moment in which it was answered.
            Act::Answer { .. } => Ok(Vec::new()),
            Act::Cancel => Ok(self.end(now, EndReason::HungUp)),
            Act::HangUp {
                reason:
                    reason @ (EndReason::HungUp | EndReason::EncryptionRefused | EndReason::MediaFailed),
            } => Ok(self.end(now, reason)),
            Act::HangUp { .. } => Err(CallError::Invalid("this is no reason to hang up")),
            Act::SetMedia { media } => {
                side.media = media;
                Ok(self.tell_participants())
            }
            Act::Commit(sent) => self.commit(now, device, sent),
            Act::EpochReady { epoch } => {
                let effects = answered.group.ready(device, epoch)?;
                Ok(self.key_effects(now, effects))
            }
            Act::GroupMessage { message } => {
                let effects = answered.group.message(device, &message)?;
                Ok(self.key_effects(now, effects))
            }
            Act::Decline | Act::RefuseInvitation => {
                Err(CallError::NotNow("it is answered; hang up instead"))
            }
            Act::Offer(_) | Act::Quality => Err(CallError::Internal),
        }
    }

    fn commit(&mut self, now: Moment, device: DeviceId, sent: SentCommit) -> Step {
        let State::Answered(answered) = &mut self.state else {
            return Err(CallError::Ended);
        };
        if let Some(welcome) = &sent.welcome
            && answered.side(welcome.device).is_none()
        {
            return Err(CallError::Invalid(
                "the welcome is for a device that has not answered",
            ));
        }
        let effects = answered.group.commit(device, sent)?;
        Ok(self.key_effects(now, effects))
    }

    /// A participant's page was reloaded: it holds nothing any more, joins the group as a new leaf
    /// and connects anew. Somebody else in the group lets it in.
    fn rejoin(&mut self, now: Moment, device: DeviceId, introduction: Introduction) -> Vec<Effect> {
        let call = self.invite.call;
        let mut effects: Vec<_> = self
            .room
            .remove(device)
            .into_iter()
            .map(Effect::Media)
            .collect();
        let State::Answered(answered) = &mut self.state else {
            return effects;
        };
        let (Some(side), Some(other)) = (answered.side(device).copied(), answered.other(device))
        else {
            return effects;
        };
        let other = other.device;
        if device == answered.callee.device {
            answered.introduction = introduction.clone();
        }
        let let_in = answered.group.has(other);
        if let_in {
            let media = self.clamp(device, side.media);
            let event = admission(call, (device, media), introduction);
            effects.push(Effect::Tell(other, event));
        } else if let State::Answered(answered) = &self.state {
            // The caller was reloaded before it let the callee in: it makes the group again.
            effects.push(Effect::Tell(device, self.announcement(answered)));
        }
        let tracks = self.tracks_for(other);
        effects.push(Effect::Tell(other, Event::Tracks { call, tracks }));
        effects.extend(self.tell_participants());
        effects.extend(self.weigh_connection(now, device));
        effects
    }

    pub(super) fn tell_participants(&self) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let call = self.invite.call;
        [answered.caller.device, answered.callee.device]
            .map(|device| {
                let participants = self.participants(answered);
                Effect::Tell(device, Event::Participants { call, participants })
            })
            .to_vec()
    }

    /// Tells the other side when a participant goes or returns, and waits for one that is lost:
    /// without a session it can't be told anything, without media it can't be heard.
    pub(super) fn weigh_connection(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        let link = self.room.link(device);
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let Some(other) = answered.other(device).map(|other| other.device) else {
            return Vec::new();
        };
        let Some(side) = answered.side_mut(device) else {
            return Vec::new();
        };
        let lost = !side.session && link != Link::Up;
        if !lost {
            self.timers.clear(side.lost);
        } else if !self.timers.is_set(side.lost) {
            self.timers
                .set(side.lost, now.at + self.config.device_lost_after());
        }
        let connected = side.session && link != Link::Down;
        if connected == side.connected {
            return Vec::new();
        }
        side.connected = connected;
        let call = self.invite.call;
        vec![Effect::Tell(
            other,
            Event::ParticipantConnection {
                call,
                device,
                connected,
            },
        )]
    }

    /// Carries the relay's wishes into the call.
    pub(super) fn key_effects(&mut self, now: Moment, wishes: Vec<KeyEffect>) -> Vec<Effect> {
        let call = self.invite.call;
        let mut effects = Vec::with_capacity(wishes.len());
        for wish in wishes {
            match wish {
                KeyEffect::Tell(device, event) => effects.push(Effect::Tell(device, event)),
                KeyEffect::Welcome(welcome) => {
                    let participants = match &self.state {
                        State::Answered(answered) => self.participants(answered),
                        State::Waiting(_) | State::Ended(_) => Vec::new(),
                    };
                    let event = Event::GroupWelcome {
                        call,
                        welcome: welcome.welcome,
                        participants,
                    };
                    effects.push(Effect::Tell(welcome.device, event));
                }
                KeyEffect::AwaitReady if self.phase().is_none() => {}
                KeyEffect::AwaitReady => {
                    self.timers
                        .set(Timer::KeySwitch, now.at + self.config.key_switch_timeout());
                }
                KeyEffect::Switched => {
                    self.timers.clear(Timer::KeySwitch);
                    let room = self.room.id;
                    effects.push(Effect::Media(MediaCommand::RequestKeyFrames { room }));
                }
                KeyEffect::Removed(device) => {
                    // Between two, a removal leaves one alone, and a group of one ends.
                    effects.extend(self.room.remove(device).map(Effect::Media));
                    effects.extend(self.end(now, EndReason::HungUp));
                }
            }
        }
        effects
    }
}
