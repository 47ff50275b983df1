//! Before anybody has answered.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::{Account, EndReason, Event, MediaState, Party};

use super::answered::{Answered, Introduction, Side, admission};
use super::call::{Call, State, Step};
use super::timers::Timer;
use crate::domain::calls::input::{Act, CallError, Effect, Moment, Record, Rings};
use crate::domain::keys::Group;
use crate::domain::reach::DEVICES_MAX;
use crate::model::UnixMillis;

/// Who was asked to ring, and who does.
#[derive(Debug, Default)]
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

/// What a device is told when it should ring.
pub(super) struct Ring<'a> {
    pub(super) call: CallId,
    pub(super) from: &'a Account,
    /// For whom it rings there.
    pub(super) to: &'a Account,
    pub(super) video: bool,
    pub(super) invitation: &'a Blob,
    pub(super) expires_at: UnixMillis,
    /// The device is in another call: this one waits there.
    pub(super) waits: bool,
}

pub(super) fn incoming(ring: &Ring<'_>) -> Event {
    let call = ring.call;
    let from = Party {
        handle: ring.from.handle.clone(),
        display_name: ring.from.display_name.clone(),
        guest: false,
    };
    let to = ring.to.clone();
    let (video, invitation) = (ring.video, ring.invitation.clone());
    let expires_at_ms = ring.expires_at.0;
    if ring.waits {
        Event::CallWaiting {
            call,
            from,
            to,
            video,
            invitation,
            expires_at_ms,
        }
    } else {
        Event::IncomingCall {
            call,
            from,
            to,
            video,
            invitation,
            expires_at_ms,
        }
    }
}

impl Waiting {
    /// Notes that a device is asked to ring; false when there are too many.
    pub(super) fn invite(&mut self, device: DeviceId) -> bool {
        if self.invited.len() >= DEVICES_MAX && !self.invited.contains(&device) {
            return false;
        }
        self.invited.insert(device);
        true
    }

    pub(super) fn forget(&mut self, device: DeviceId) {
        self.invited.remove(&device);
        self.ringing.remove(&device);
    }
}

impl Call {
    /// Asks a device of the callee to ring: at the start, or when it comes online meanwhile.
    pub(super) fn invite_device(&mut self, rings: Rings) -> Vec<Effect> {
        let State::Waiting(waiting) = &mut self.state else {
            return self.ring_added(rings);
        };
        let Some(to) = self.invite.to.clone() else {
            return Vec::new();
        };
        let device = rings.device;
        if !waiting.invite(device) {
            return Vec::new();
        }
        let ring = Ring {
            call: self.invite.call,
            from: &self.invite.caller,
            to: &to,
            video: self.invite.video,
            invitation: &self.invite.invitation,
            expires_at: self.expires_at,
            waits: self.invite.engaged.contains(&device),
        };
        let mut effects = vec![Effect::Tell(device, incoming(&ring))];
        self.switches.insert(device, rings.switches);
        effects.extend(self.tell_switches_unless_on(device, self.invite.caller_device));
        effects
    }

    /// A device is being woken: it gets as long as a call rings.
    pub(super) fn pushed(&mut self) -> Vec<Effect> {
        match &mut self.state {
            State::Waiting(waiting) => {
                waiting.pushed = true;
                self.timers.clear(Timer::Unreachable);
            }
            State::Answered(_) => self.timers.clear(Timer::AddedUnreachable),
            State::Ended(_) => {}
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
        if !waiting.invited.contains(&device) {
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
            Act::RefuseInvitation => Ok(self.stop_ringing(now, device)),
            Act::HangUp {
                reason: EndReason::EncryptionRefused | EndReason::MediaFailed,
            } => Ok(self.stop_ringing(now, device)),
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
        let caller = self.invite.caller_device;
        let mut effects = vec![Effect::Tell(caller, event)];
        effects.extend(self.tell_switches_unless_on(caller, device));
        effects
    }

    /// One device rings no more; the others go on. Where the last one is in another call, the family
    /// is told so. Somebody outside hears nothing and waits, as for anybody who does not answer.
    fn stop_ringing(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        let mut effects: Vec<_> = self
            .room
            .remove(device)
            .into_iter()
            .map(Effect::Media)
            .collect();
        if let State::Waiting(waiting) = &mut self.state {
            waiting.forget(device);
            let last = waiting.invited.is_empty();
            if last && self.invite.family && self.invite.engaged.contains(&device) {
                effects.extend(self.end(now, EndReason::Busy));
            }
        }
        effects
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
        Ok(self.both_are_there(now, (device, account, media), introduction))
    }

    /// The device that began it and this one talk from now on.
    pub(super) fn both_are_there(
        &mut self,
        now: Moment,
        (device, account, media): (DeviceId, AccountId, MediaState),
        introduction: Introduction,
    ) -> Vec<Effect> {
        let State::Waiting(waiting) = &mut self.state else {
            return Vec::new();
        };
        let losers = std::mem::take(&mut waiting.invited);
        let caller_present = !self.timers.is_set(Timer::CallerGone);
        let caller = Side {
            device: self.invite.caller_device,
            account: self.invite.caller.id,
            party: self.caller_party(),
            media: self.caller_media,
            session: caller_present,
            connected: true,
            host: self.invite.caller_device,
        };
        let callee = Side {
            device,
            account,
            party: self.invite.callee.clone(),
            media,
            session: true,
            connected: true,
            host: caller.device,
        };
        let caller_device = caller.device;
        let told = admission(
            self.invite.call,
            &self.switches,
            &callee,
            introduction.clone(),
        );
        let mut effects = vec![Effect::Tell(caller_device, told)];
        let answered = Answered {
            participants: vec![caller, callee],
            joining: BTreeMap::from([(device, introduction)]),
            returning: BTreeSet::new(),
            left: BTreeSet::new(),
            group: Group::new(self.invite.call, caller_device),
            grown: false,
            leg: None,
            moves: BTreeMap::new(),
        };
        self.state = State::Answered(Box::new(answered));
        self.timers.clear_all();
        for side in [caller_device, device] {
            effects.extend(self.room.forward(side).map(Effect::Media));
        }
        effects.extend(self.tell_participants());
        for side in [caller_device, device] {
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
        effects.extend(self.look_at_media(now, [caller_device, device]));
        effects
    }

    /// Two talk from now on: is their media there, and what was said of it while it rang?
    fn look_at_media(&mut self, now: Moment, sides: [DeviceId; 2]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for side in sides {
            effects.extend(self.weigh_connection(now, side));
            effects.extend(self.pictures_again(side));
        }
        self.begin_measuring(now);
        effects
    }
}
