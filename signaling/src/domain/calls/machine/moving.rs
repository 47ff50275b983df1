//! Moving a call to another device of the same home without redialling.
//!
//! The new device is asked, connects while it is held, and another member commits it in and the old
//! one out in one commit. Until that commit the old device goes on as if nothing happened.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::{EndReason, Event, MediaState, Party};

use super::answered::{Answered, Introduction, Side};
use super::call::{Call, State, Step};
use super::timers::Timer;
use crate::domain::calls::input::{Act, CallError, Effect, Moment, Moving};

/// Moves under way in one call; a further one is refused for the moment.
const MOVES_MAX: usize = 8;

/// A device that was asked to take a participant's part over.
#[derive(Debug)]
pub(super) struct Move {
    /// Whose part.
    pub(super) from: DeviceId,
    introduction: Option<Introduction>,
    /// Its switches, once it has accepted.
    media: Option<MediaState>,
}

impl Move {
    pub(super) fn is_accepted(&self) -> bool {
        self.media.is_some()
    }

    pub(super) fn may_offer(&self) -> bool {
        self.introduction.is_some()
    }
}

impl Call {
    /// A participant asks to go on at another device.
    pub(super) fn move_to(&mut self, now: Moment, from: DeviceId, moving: Moving) -> Step {
        let call = self.invite.call;
        let (to, expires_at) = (moving.to, now.unix.plus(self.config.move_timeout()));
        let party = self.party_besides(from);
        let State::Answered(answered) = &mut self.state else {
            return Err(CallError::Ended);
        };
        if answered.side(to).is_some() || answered.rings(to) {
            return Err(CallError::NotNow(
                "that device is in the call already, or rings for it",
            ));
        }
        if answered.moves.get(&to).is_some_and(|one| one.from == from) {
            // Said twice.
            return Ok(Vec::new());
        }
        if answered.moves.contains_key(&to) || answered.moves.len() >= MOVES_MAX {
            return Err(CallError::NotNow("a move is under way; wait for it"));
        }
        if !answered.group.has(from) || !answered.guests_of(from).is_empty() {
            return Err(CallError::NotNow(
                "not everybody is in the call yet; try again in a moment",
            ));
        }
        let mut effects = self.end_moves(Some(from), EndReason::Cancelled);
        let one = Move {
            from,
            introduction: None,
            media: None,
        };
        self.switches.insert(to, moving.switches);
        if let State::Answered(answered) = &mut self.state {
            answered.moves.insert(to, one);
            answered.left.remove(&to);
        }
        self.timers
            .set(Timer::Moving(to), now.at + self.config.move_timeout());
        let event = Event::MoveOffered {
            call,
            from,
            party,
            to: moving.person,
            video: self.invite.video,
            invitation: moving.invitation,
            expires_at_ms: expires_at.0,
        };
        effects.push(Effect::Tell(to, event));
        Ok(effects)
    }

    /// A device of a participant's person wants the call: only the device in it can sign for that.
    pub(super) fn want_here(&mut self, device: DeviceId, account: AccountId) -> Step {
        let State::Answered(answered) = &self.state else {
            return Err(CallError::Ended);
        };
        let theirs = |side: &&Side| side.account == account;
        let holder = answered.participants.iter().find(theirs);
        let holder = holder.ok_or(CallError::NotFound)?.device;
        let call = self.invite.call;
        let event = Event::MoveWanted { call, device };
        Ok(vec![Effect::Tell(holder, event)])
    }

    /// The device that was asked acts.
    pub(super) fn target_acts(&mut self, to: DeviceId, act: Act) -> Step {
        let State::Answered(answered) = &mut self.state else {
            return Err(CallError::Ended);
        };
        let Some(one) = answered.moves.get_mut(&to) else {
            return Err(CallError::NotFound);
        };
        match act {
            Act::Ringing {
                key_package,
                statement,
            } => {
                one.introduction = Some(Introduction {
                    key_package,
                    statement,
                });
                Ok(self.ask_movers())
            }
            Act::Answer { .. } if one.introduction.is_none() => Err(CallError::NotNow(
                "say that this device rings first: its key is needed",
            )),
            Act::Answer { media } => {
                one.media = Some(media);
                Ok(self.ask_movers())
            }
            Act::Decline | Act::RefuseInvitation | Act::HangUp { .. } => {
                Ok(self.end_move(to, EndReason::Declined))
            }
            Act::WantHere => Ok(Vec::new()),
            _ => Err(CallError::NotNow("answer first")),
        }
    }

    /// Asks a member at another end to commit every move that was accepted.
    pub(super) fn ask_movers(&self) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let call = self.invite.call;
        let ask = |(to, one): (&DeviceId, &Move)| {
            let introduction = one.introduction.clone().filter(|_| one.is_accepted())?;
            let committer = answered.committer(one.from)?;
            let event = Event::MoveAccepted {
                call,
                from: one.from,
                device: *to,
                key_package: introduction.key_package,
                statement: introduction.statement,
            };
            Some(Effect::Tell(committer, event))
        };
        answered.moves.iter().filter_map(ask).collect()
    }

    /// The commit is there: the new device takes the old one's place.
    pub(super) fn moved(&mut self, now: Moment, from: DeviceId, to: DeviceId) -> Vec<Effect> {
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let Some(one) = answered.moves.remove(&to) else {
            return Vec::new();
        };
        let Some(side) = answered.side_mut(from) else {
            return Vec::new();
        };
        side.device = to;
        side.media = one.media.unwrap_or(side.media);
        (side.session, side.connected) = (true, true);
        answered.left.insert(from);
        answered.left.remove(&to);
        answered.returning.remove(&from);
        answered.joining.remove(&from);
        let others = answered.others(to);
        self.timers.clear(Timer::Moving(to));
        self.timers.clear(Timer::Lost(from));
        let mut effects = self.told_off(from, EndReason::Moved);
        effects.extend(self.room.forward(to).map(Effect::Media));
        effects.extend(self.tell_participants());
        effects.extend(self.tell_tracks_unless_none(to));
        effects.extend(others.into_iter().map(|other| self.tracks_told(other)));
        effects.extend(self.end_moves(Some(from), EndReason::Cancelled));
        effects.extend(self.inviter_left(now, from));
        effects.extend(self.weigh_connection(now, to));
        effects.extend(self.pictures_again(to));
        effects
    }

    /// Ends the moves of one device, or all.
    pub(super) fn end_moves(&mut self, from: Option<DeviceId>, reason: EndReason) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let meant = |one: &Move| from.is_none_or(|from| one.from == from);
        let ends: Vec<_> = answered
            .moves
            .iter()
            .filter(|(_, one)| meant(one))
            .map(|(to, _)| *to)
            .collect();
        let mut effects = Vec::new();
        for to in ends {
            effects.extend(self.end_move(to, reason));
        }
        effects
    }

    /// The call stays where it is.
    pub(super) fn end_move(&mut self, to: DeviceId, reason: EndReason) -> Vec<Effect> {
        let call = self.invite.call;
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let Some(one) = answered.moves.remove(&to) else {
            return Vec::new();
        };
        let holder = answered.side(one.from).map(|side| side.device);
        self.timers.clear(Timer::Moving(to));
        let mut effects = self.told_off(to, reason);
        effects.extend(holder.map(|holder| {
            let device = to;
            Effect::Tell(
                holder,
                Event::MoveEnded {
                    call,
                    device,
                    reason,
                },
            )
        }));
        effects
    }

    /// The first of those whom a participant talks with.
    fn party_besides(&self, device: DeviceId) -> Party {
        match &self.state {
            State::Answered(answered) => answered
                .participants
                .iter()
                .find(|side| side.device != device)
                .map_or_else(|| self.invite.callee.clone(), |side| side.party.clone()),
            State::Waiting(_) | State::Ended(_) => self.invite.callee.clone(),
        }
    }
}

impl Answered {
    /// Whether a device that was asked to take a part over may connect, and whose place it takes.
    pub(super) fn replaces(&self, device: DeviceId) -> Option<DeviceId> {
        let one = self.moves.get(&device)?;
        one.may_offer().then_some(one.from)
    }
}
