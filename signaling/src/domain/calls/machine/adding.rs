//! Adding a person to a running call: their devices ring like for a call of their own, for this leg alone.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::{Account, EndReason, Event, MediaState};

use super::answered::{Answered, Introduction, PARTICIPANTS_MAX, Side};
use super::call::{Call, State, Step};
use super::ringing::{Ring, Waiting, incoming};
use super::timers::Timer;
use crate::domain::calls::input::{Act, Adding, CallError, Effect, Moment, Record, Rings};
use crate::model::UnixMillis;

/// Somebody on the way into the call. One at a time: whoever comes is told which households are
/// there by the one who invited them, and must not find another.
#[derive(Debug)]
pub(super) struct Leg {
    /// The participant who adds them, and lets them into the group.
    pub(super) inviter: DeviceId,
    pub(super) adding: Adding,
    pub(super) waiting: Waiting,
    expires_at: UnixMillis,
}

impl Answered {
    /// Whether a device was asked to ring for the person who is being added.
    pub(super) fn rings(&self, device: DeviceId) -> bool {
        let leg = self.leg.as_ref();
        leg.is_some_and(|leg| leg.waiting.invited.contains(&device))
    }

    /// Whether a device is one of those that ring for the person who is being added.
    pub(super) fn rings_for(&self, device: DeviceId, account: AccountId) -> bool {
        self.leg.as_ref().is_some_and(|leg| {
            leg.adding.account == Some(account) && leg.waiting.invited.contains(&device)
        })
    }
}

impl Call {
    pub(super) fn add(&mut self, now: Moment, inviter: DeviceId, adding: Adding) -> Step {
        let State::Answered(answered) = &self.state else {
            return Err(CallError::Ended);
        };
        if let Some(leg) = &answered.leg {
            return if leg.inviter == inviter && leg.adding.to == adding.to {
                // Said twice.
                Ok(Vec::new())
            } else {
                Err(CallError::NotNow(
                    "somebody is being added already; wait for them",
                ))
            };
        }
        if answered.participants.len() >= PARTICIPANTS_MAX {
            return Err(CallError::Full);
        }
        // Who came meanwhile was not asked about: they may not be meant to meet.
        let foreseen = |side: &Side| adding.there.contains(&side.account);
        let all_foreseen = answered.participants.iter().all(foreseen);
        if !answered.group.has(inviter) || !answered.joining.is_empty() || !all_foreseen {
            return Err(CallError::NotNow(
                "not everybody is in the call yet; try again in a moment",
            ));
        }
        let there = |side: &Side| Some(side.account) == adding.account;
        if answered.participants.iter().any(there) {
            return Err(CallError::NotNow("they are in this call already"));
        }
        // A guest has no history of their own.
        let began = adding.account.filter(|_| !adding.callee.guest);
        let began = began.map(|account| Record::Adding {
            at: now.unix,
            account,
            from: self.party_of(inviter),
        });
        let ring = adding.ring.clone();
        // Strangers are not told whether anybody was reached: they wait the whole ring time.
        if adding.family {
            self.timers.set(
                Timer::AddedUnreachable,
                now.at + self.config.unreachable_after(),
            );
        }
        self.timers
            .set(Timer::AddedNoAnswer, now.at + self.config.ring_timeout());
        let leg = Leg {
            inviter,
            adding,
            waiting: Waiting::default(),
            expires_at: now.unix.plus(self.config.ring_timeout()),
        };
        if let State::Answered(answered) = &mut self.state {
            answered.leg = Some(leg);
        }
        let mut effects: Vec<_> = began.into_iter().map(Effect::Record).collect();
        for rings in ring {
            effects.extend(self.ring_added(rings));
        }
        Ok(effects)
    }

    /// Asks a device of the person who is being added to ring.
    pub(super) fn ring_added(&mut self, rings: Rings) -> Vec<Effect> {
        let device = rings.device;
        let (call, video) = (self.invite.call, self.invite.video);
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let taken = answered.side(device).is_some() || answered.moves.contains_key(&device);
        let Some(leg) = answered.leg.as_mut().filter(|_| !taken) else {
            return Vec::new();
        };
        let Some(account) = leg.adding.account.filter(|_| leg.waiting.invite(device)) else {
            return Vec::new();
        };
        let to = Account {
            id: account,
            handle: leg.adding.callee.handle.clone(),
            display_name: leg.adding.callee.display_name.clone(),
        };
        let ring = Ring {
            call,
            from: &leg.adding.from,
            to: &to,
            video,
            invitation: &leg.adding.invitation,
            expires_at: leg.expires_at,
            waits: leg.adding.engaged.contains(&device),
        };
        let told = incoming(&ring);
        self.switches.insert(device, rings.switches);
        vec![Effect::Tell(device, told)]
    }

    /// One of the devices that ring for the added person acts.
    pub(super) fn added_acts(&mut self, now: Moment, device: DeviceId, act: Act) -> Step {
        match act {
            Act::Ringing {
                key_package,
                statement,
            } => Ok(self.added_rings(
                device,
                Introduction {
                    key_package,
                    statement,
                },
            )),
            Act::RefuseInvitation
            | Act::HangUp {
                reason: EndReason::EncryptionRefused | EndReason::MediaFailed,
            } => Ok(self.added_stops(now, device)),
            Act::Answer { media } => self.added_answers(now, device, media),
            Act::Decline
            | Act::HangUp {
                reason: EndReason::HungUp,
            } => Ok(self.end_adding(now, EndReason::Declined)),
            Act::HangUp { .. } => Err(CallError::Invalid("this is no reason to hang up")),
            _ => Err(CallError::NotNow("answer first")),
        }
    }

    fn added_rings(&mut self, device: DeviceId, introduction: Introduction) -> Vec<Effect> {
        let call = self.invite.call;
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let Some(leg) = &mut answered.leg else {
            return Vec::new();
        };
        leg.waiting.rang = true;
        leg.waiting.ringing.insert(device, introduction);
        self.timers.clear(Timer::AddedUnreachable);
        let event = Event::AddingRinging { call, device };
        vec![Effect::Tell(leg.inviter, event)]
    }

    /// One device rings no more; the others go on. Where the last one is in another call, the family
    /// is told so, and nobody else.
    pub(super) fn added_stops(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        let removed = self.room.remove(device).map(Effect::Media);
        let mut effects: Vec<_> = removed.into_iter().collect();
        if let State::Answered(answered) = &mut self.state
            && let Some(leg) = &mut answered.leg
        {
            leg.waiting.forget(device);
            let (last, adding) = (leg.waiting.invited.is_empty(), &leg.adding);
            if last && adding.family && adding.engaged.contains(&device) {
                effects.extend(self.end_adding(now, EndReason::Busy));
            }
        }
        effects
    }

    fn added_answers(&mut self, now: Moment, device: DeviceId, media: MediaState) -> Step {
        let call = self.invite.call;
        let State::Answered(answered) = &mut self.state else {
            return Err(CallError::Ended);
        };
        let Some(mut leg) = answered.leg.take() else {
            return Err(CallError::NotFound);
        };
        let (Some(introduction), Some(account)) =
            (leg.waiting.ringing.remove(&device), leg.adding.account)
        else {
            answered.leg = Some(leg);
            return Err(CallError::NotNow(
                "say that this device rings first: its key is needed",
            ));
        };
        answered.participants.push(Side {
            device,
            account,
            party: leg.adding.callee.clone(),
            media,
            session: true,
            connected: true,
            host: leg.inviter,
        });
        answered.left.remove(&device);
        answered.joining.insert(device, introduction.clone());
        answered.grown = true;
        let others = answered.others(device);
        self.clear_adding_timers();
        let media = self.clamp(device, media);
        let Introduction {
            key_package,
            statement,
        } = introduction;
        let answer = Event::AddingAnswered {
            call,
            device,
            media,
            key_package,
            statement,
        };
        let mut effects = vec![Effect::Tell(leg.inviter, answer)];
        effects.extend(self.room.forward(device).map(Effect::Media));
        effects.extend(self.tell_participants());
        effects.extend(self.tell_tracks_unless_none(device));
        if !self.room.tracks_of(device).is_empty() {
            effects.extend(others.into_iter().map(|other| self.tracks_told(other)));
        }
        let losers = leg.waiting.invited.into_iter();
        for loser in losers.filter(|loser| *loser != device) {
            effects.extend(self.told_off(loser, EndReason::AnsweredElsewhere));
        }
        let at = now.unix;
        effects.push(Effect::Record(Record::Joined { at, account }));
        effects.extend(self.weigh_connection(now, device));
        effects.extend(self.pictures_again(device));
        Ok(effects)
    }

    /// The one who adds gives up, or turns away somebody whose key does not fit.
    pub(super) fn cancel_adding(&mut self, now: Moment, device: DeviceId) -> Step {
        let State::Answered(answered) = &self.state else {
            return Err(CallError::Ended);
        };
        if answered
            .leg
            .as_ref()
            .is_some_and(|leg| leg.inviter == device)
        {
            return Ok(self.end_adding(now, EndReason::Cancelled));
        }
        let turned_away = answered.guests_of(device);
        if turned_away.is_empty() {
            return Err(CallError::NotNow("nobody is being added by this device"));
        }
        let mut effects = Vec::new();
        for guest in turned_away {
            effects.extend(self.leave(now, guest, EndReason::EncryptionRefused));
        }
        Ok(effects)
    }

    /// The added person does not come; the others go on.
    pub(super) fn end_adding(&mut self, now: Moment, reason: EndReason) -> Vec<Effect> {
        let call = self.invite.call;
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let Some(leg) = answered.leg.take() else {
            return Vec::new();
        };
        let still_there = answered.side(leg.inviter).is_some();
        self.clear_adding_timers();
        let over = leg.adding.account.map(|account| Record::Left {
            at: now.unix,
            account,
            reason,
        });
        let mut effects: Vec<_> = over.into_iter().map(Effect::Record).collect();
        if still_there {
            effects.push(Effect::Tell(
                leg.inviter,
                Event::AddingEnded { call, reason },
            ));
        }
        for device in leg.waiting.invited {
            effects.extend(self.told_off(device, reason));
        }
        effects
    }

    /// Nothing has begun to ring in time: out, or busy in another call.
    pub(super) fn added_unreachable(&mut self, now: Moment) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let engaged = answered
            .leg
            .as_ref()
            .is_some_and(|leg| !leg.adding.engaged.is_empty());
        let reason = if engaged {
            EndReason::Busy
        } else {
            EndReason::Unreachable
        };
        self.end_adding(now, reason)
    }

    /// The one who was adding somebody is gone.
    pub(super) fn inviter_left(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let left = answered
            .leg
            .as_ref()
            .is_some_and(|leg| leg.inviter == device);
        if left {
            self.end_adding(now, EndReason::Cancelled)
        } else {
            Vec::new()
        }
    }

    /// Those whom only the one that left could have let into the group.
    pub(super) fn turn_away_guests_of(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        for guest in answered.guests_of(device) {
            effects.extend(self.leave(now, guest, EndReason::HungUp));
        }
        effects
    }

    /// A device that has no part any more is told so, and its transport goes.
    pub(super) fn told_off(&mut self, device: DeviceId, reason: EndReason) -> Vec<Effect> {
        let call = self.invite.call;
        let mut effects = vec![Effect::Tell(device, Event::CallEnded { call, reason })];
        effects.extend(self.room.remove(device).map(Effect::Media));
        effects
    }

    fn clear_adding_timers(&mut self) {
        self.timers.clear(Timer::AddedUnreachable);
        self.timers.clear(Timer::AddedNoAnswer);
    }
}

impl Answered {
    /// Those who answered and wait for this participant to let them into the group.
    pub(super) fn guests_of(&self, host: DeviceId) -> Vec<DeviceId> {
        let waits =
            |side: &&Side| side.host == host && side.device != host && !self.group.has(side.device);
        let guests = self.participants.iter().filter(waits);
        guests.map(|side| side.device).collect()
    }
}
