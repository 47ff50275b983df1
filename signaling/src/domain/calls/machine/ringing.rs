//! Before anybody has answered.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::{Account, EndReason, Event, MediaState};

use super::answered::{Answered, Introduction, Side};
use super::call::{Call, State, Step};
use super::timers::Timer;
use crate::domain::calls::input::{Act, CallError, Effect, Moment, Record};
use crate::domain::keys::Group;
use crate::domain::reach::DEVICES_MAX;

/// Who was asked to ring, and who does.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Devices that were told of the call. They are told of its end.
    pub(super) invited: BTreeSet<DeviceId>,
    /// Devices that ring, with what lets the caller add them to the group.
    pub(super) ringing: BTreeMap<DeviceId, Introduction>,
    /// Whether any has ever rung.
    pub(super) rang: bool,
    /// Whether one is being woken by a push: nobody may open it, but it was not unreachable.
    pub(super) pushed: bool,
}

impl Waiting {
    pub(super) fn forget(&mut self, device: DeviceId) {
        self.invited.remove(&device);
        self.ringing.remove(&device);
    }
}

impl Call {
    /// Asks a device of the callee to ring: at the start, or when it comes online meanwhile.
    pub(super) fn invite_device(&mut self, device: DeviceId) -> Vec<Effect> {
        let from = self.caller_party();
        let State::Waiting(waiting) = &mut self.state else {
            return Vec::new();
        };
        let Some(account) = self.invite.callee_account else {
            return Vec::new();
        };
        if waiting.invited.len() >= DEVICES_MAX && !waiting.invited.contains(&device) {
            return Vec::new();
        }
        waiting.invited.insert(device);
        let incoming = Event::IncomingCall {
            call: self.invite.call,
            from,
            to: Account {
                id: account,
                handle: self.invite.callee.handle.clone(),
                display_name: self.invite.callee.display_name.clone(),
            },
            video: self.invite.video,
            invitation: self.invite.invitation.clone(),
            expires_at_ms: self.expires_at.0,
        };
        vec![Effect::Tell(device, incoming)]
    }

    /// A device is being woken: it gets as long as a call rings.
    pub(super) fn pushed(&mut self) -> Vec<Effect> {
        if let State::Waiting(waiting) = &mut self.state {
            waiting.pushed = true;
            self.timers.clear(Timer::Unreachable);
        }
        Vec::new()
    }

    pub(super) fn act_while_waiting(
        &mut self,
        now: Moment,
        device: DeviceId,
        account: AccountId,
        act: Act,
    ) -> Step {
        if device == self.invite.caller_device {
            return self.caller_acts(now, act);
        }
        let State::Waiting(waiting) = &mut self.state else {
            return Err(CallError::Ended);
        };
        if self.invite.callee_account != Some(account) || !waiting.invited.contains(&device) {
            return Err(CallError::NotFound);
        }
        match act {
            Act::Ringing {
                key_package,
                statement,
            } => Ok(self.rings(
                device,
                Introduction {
                    key_package,
                    statement,
                },
            )),
            Act::RefuseInvitation => Ok(self.stop_ringing(device)),
            Act::HangUp {
                reason: EndReason::EncryptionRefused | EndReason::MediaFailed,
            } => Ok(self.stop_ringing(device)),
            Act::Answer { media } => self.answer(now, device, account, media),
            Act::Decline
            | Act::HangUp {
                reason: EndReason::HungUp,
            } => Ok(self.end(now, EndReason::Declined)),
            Act::HangUp { .. } => Err(CallError::Invalid("this is no reason to hang up")),
            Act::Cancel => Err(CallError::NotNow(
                "only the caller can cancel; decline instead",
            )),
            _ => Err(CallError::NotNow("answer first")),
        }
    }

    fn caller_acts(&mut self, now: Moment, act: Act) -> Step {
        match act {
            Act::Cancel
            | Act::HangUp {
                reason: EndReason::HungUp,
            } => Ok(self.end(now, EndReason::Cancelled)),
            Act::HangUp {
                reason: reason @ (EndReason::EncryptionRefused | EndReason::MediaFailed),
            } => Ok(self.end(now, reason)),
            Act::HangUp { .. } => Err(CallError::Invalid("this is no reason to hang up")),
            Act::SetMedia { media } => {
                self.caller_media = media;
                Ok(Vec::new())
            }
            _ => Err(CallError::NotNow("nobody has answered yet")),
        }
    }

    fn rings(&mut self, device: DeviceId, introduction: Introduction) -> Vec<Effect> {
        let State::Waiting(waiting) = &mut self.state else {
            return Vec::new();
        };
        waiting.rang = true;
        waiting.ringing.insert(device, introduction.clone());
        self.timers.clear(Timer::Unreachable);
        let Introduction {
            key_package,
            statement,
        } = introduction;
        let call = self.invite.call;
        let event = Event::DeviceRinging {
            call,
            device,
            key_package,
            statement,
        };
        vec![Effect::Tell(self.invite.caller_device, event)]
    }

    /// One device rings no more; the others go on.
    fn stop_ringing(&mut self, device: DeviceId) -> Vec<Effect> {
        if let State::Waiting(waiting) = &mut self.state {
            waiting.forget(device);
        }
        self.room
            .remove(device)
            .into_iter()
            .map(Effect::Media)
            .collect()
    }

    /// The first answer wins: the caller hears of it first, since all else waits for its commit.
    fn answer(
        &mut self,
        now: Moment,
        device: DeviceId,
        account: AccountId,
        media: MediaState,
    ) -> Step {
        let State::Waiting(waiting) = &mut self.state else {
            return Err(CallError::Ended);
        };
        let Some(introduction) = waiting.ringing.remove(&device) else {
            return Err(CallError::NotNow(
                "say that this device rings first: its key is needed",
            ));
        };
        let losers = std::mem::take(&mut waiting.invited);
        let caller_present = !self.timers.is_set(Timer::CallerGone);
        let caller = Side {
            device: self.invite.caller_device,
            account: self.invite.caller.id,
            media: self.caller_media,
            session: caller_present,
            connected: true,
            lost: Timer::CallerLost,
        };
        let callee = Side {
            device,
            account,
            media,
            session: true,
            connected: true,
            lost: Timer::CalleeLost,
        };
        let group = Group::new(self.invite.call, caller.device);
        let answered = Answered {
            caller,
            callee,
            introduction,
            group,
        };
        let mut effects = vec![Effect::Tell(
            caller.device,
            answered.announcement(self.invite.call),
        )];
        self.state = State::Answered(Box::new(answered));
        self.timers.clear_all();
        for side in [caller.device, device] {
            effects.extend(self.room.forward(side).map(Effect::Media));
        }
        effects.extend(self.tell_participants());
        for side in [caller.device, device] {
            effects.extend(self.tell_tracks_unless_none(side));
        }
        let call = self.invite.call;
        for loser in losers.into_iter().filter(|loser| *loser != device) {
            let reason = EndReason::AnsweredElsewhere;
            effects.push(Effect::Tell(loser, Event::CallEnded { call, reason }));
            effects.extend(self.room.remove(loser).map(Effect::Media));
        }
        effects.push(Effect::Record(Record::Answered {
            at: now.unix,
            device,
        }));
        effects.extend(self.weigh_connection(now, caller.device));
        effects.extend(self.weigh_connection(now, device));
        Ok(effects)
    }

    fn tell_tracks_unless_none(&self, device: DeviceId) -> Option<Effect> {
        let tracks = self.tracks_for(device);
        let event = Event::Tracks {
            call: self.invite.call,
            tracks: tracks.clone(),
        };
        (!tracks.is_empty()).then_some(Effect::Tell(device, event))
    }
}
