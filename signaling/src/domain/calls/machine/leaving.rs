//! Leaving a call: by hanging up, by being lost, by being removed; and what the others do then.

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{EndReason, Event};

use super::answered::Side;
use super::call::{Call, Sort, State, Step};
use super::media::Link;
use super::timers::Timer;
use crate::domain::calls::input::{CallError, Effect, Moment, Record};

/// How long the member that was asked to commit a removal may take, in seconds; then all are asked.
/// A commit needs one round trip; members themselves stop sending after two seconds.
const REMOVAL_SECS: u64 = 3;

impl Call {
    /// A participant goes. Between two that ends the call; among more, and once there were more,
    /// the others go on until one is left, or only guests.
    pub(super) fn leave(
        &mut self,
        now: Moment,
        device: DeviceId,
        reason: EndReason,
    ) -> Vec<Effect> {
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let Some(at) = answered
            .participants
            .iter()
            .position(|side| side.device == device)
        else {
            return Vec::new();
        };
        let keyless = || answered.committer(device).is_none();
        let stays = |side: &Side| side.device != device && !side.party.guest;
        let only_guests = || !answered.participants.iter().any(stays);
        let ends = match self.sort {
            Sort::Live(_) => device == self.invite.caller_device,
            Sort::Call | Sort::DropIn => {
                !answered.grown || answered.participants.len() <= 2 || only_guests() || keyless()
            }
        };
        if ends {
            return self.end(now, reason);
        }
        let side = answered.participants.remove(at);
        answered.left.insert(device);
        answered.joining.remove(&device);
        answered.returning.remove(&device);
        self.timers.clear(Timer::Lost(device));
        let call = self.invite.call;
        let mut effects = vec![
            Effect::Record(Record::Left {
                at: now.unix,
                account: side.account,
                reason,
            }),
            Effect::Tell(device, Event::CallEnded { call, reason }),
        ];
        effects.extend(self.room.remove(device).map(Effect::Media));
        if self.announces_alone() {
            effects.extend(self.end(now, EndReason::HungUp));
            return effects;
        }
        effects.extend(self.tell_participants());
        effects.extend(self.tell_all_tracks());
        effects.extend(self.end_moves(Some(device), reason));
        effects.extend(self.ask_movers());
        effects.extend(self.inviter_left(now, device));
        effects.extend(self.turn_away_guests_of(now, device));
        effects.extend(self.ask_removals(now));
        effects
    }

    /// A device has answered another call: it leaves this one, or does not take it over.
    pub(super) fn left_for(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        match &self.state {
            State::Answered(answered) if answered.moves.contains_key(&device) => {
                self.end_move(device, EndReason::Declined)
            }
            State::Answered(_) => self.leave(now, device, EndReason::HungUp),
            State::Waiting(_) | State::Ended(_) => Vec::new(),
        }
    }

    pub(super) fn end_for_everyone(&mut self, now: Moment, device: DeviceId) -> Step {
        let creator = self.invite.caller.id;
        let State::Answered(answered) = &self.state else {
            return Err(CallError::Ended);
        };
        if answered
            .side(device)
            .is_none_or(|side| side.account != creator)
        {
            return Err(CallError::NotYours(
                "only the person who began the call can end it for everyone",
            ));
        }
        Ok(self.end(now, EndReason::HungUp))
    }

    /// Asks a member to take those out of the group who take part no more: they know its key.
    pub(super) fn ask_removals(&mut self, now: Moment) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let gone = answered.gone();
        let first = gone.first().and_then(|gone| answered.committer(*gone));
        self.await_removals(now, &gone, first.as_slice())
    }

    /// It took too long: all members are asked, and the first commit wins.
    pub(super) fn ask_all_for_removals(&mut self, now: Moment) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let members = answered.participants.iter().map(|side| side.device);
        let members: Vec<_> = members.filter(|one| answered.group.has(*one)).collect();
        let gone = answered.gone();
        self.await_removals(now, &gone, &members)
    }

    fn await_removals(
        &mut self,
        now: Moment,
        gone: &[DeviceId],
        asked: &[DeviceId],
    ) -> Vec<Effect> {
        if gone.is_empty() {
            self.timers.clear(Timer::Removal);
            return Vec::new();
        }
        let wait = std::time::Duration::from_secs(REMOVAL_SECS);
        self.timers.set(Timer::Removal, now.at + wait);
        let call = self.invite.call;
        let ask = |member: &DeviceId| {
            let member = *member;
            gone.iter().map(move |device| {
                let device = *device;
                Effect::Tell(member, Event::MemberLeft { call, device })
            })
        };
        asked.iter().flat_map(ask).collect()
    }

    fn tell_all_tracks(&self) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let devices = answered.participants.iter().map(|side| side.device);
        devices.map(|device| self.tracks_told(device)).collect()
    }

    /// Tells the others when a participant goes or returns, and waits for one that is lost:
    /// without a session it can't be told anything, without media it can't be heard.
    pub(super) fn weigh_connection(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        let link = self.room.link(device);
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let Some(side) = answered.side_mut(device) else {
            return Vec::new();
        };
        let lost = !side.session && link != Link::Up;
        let timer = Timer::Lost(device);
        if !lost {
            self.timers.clear(timer);
        } else if !self.timers.is_set(timer) {
            self.timers
                .set(timer, now.at + self.config.device_lost_after());
        }
        let connected = side.session && link != Link::Down;
        if connected == side.connected {
            return Vec::new();
        }
        side.connected = connected;
        let call = self.invite.call;
        let event = Event::ParticipantConnection {
            call,
            device,
            connected,
        };
        let others = answered.others(device).into_iter();
        others
            .map(|other| Effect::Tell(other, event.clone()))
            .collect()
    }
}

impl super::answered::Answered {
    /// Members of the group that take part no more.
    fn gone(&self) -> Vec<DeviceId> {
        let gone = |member: &DeviceId| self.side(*member).is_none();
        self.group.members().filter(gone).collect()
    }
}
