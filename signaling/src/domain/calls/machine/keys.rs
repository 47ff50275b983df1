//! Commits and what the keys' relay wants of the call.

use homeline_protocol::id::DeviceId;
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{EndReason, Event, WelcomeFor};

use super::call::{Call, State, Step};
use super::timers::Timer;
use crate::domain::calls::input::{CallError, Effect, Moment};
use crate::domain::keys::{KeyEffect, SentCommit};

impl Call {
    pub(super) fn commit(&mut self, now: Moment, device: DeviceId, sent: SentCommit) -> Step {
        self.check_live_commit(device, &sent)?;
        let State::Answered(answered) = &mut self.state else {
            return Err(CallError::Ended);
        };
        let joiner = sent.welcome.as_ref().map(|welcome| welcome.device);
        let moving = joiner.and_then(|joiner| {
            let taken = answered
                .moves
                .get(&joiner)
                .filter(|one| one.is_accepted())?;
            Some((joiner, taken.from))
        });
        if let Some(joiner) = joiner
            && moving.is_none()
            && answered.side(joiner).is_none()
        {
            return Err(CallError::Invalid(
                "the welcome is for a device that has not answered",
            ));
        }
        if moving.is_some_and(|(_, from)| !sent.removed.contains(&from)) {
            return Err(CallError::Invalid(
                "a commit that moves a call removes the device that it moves from",
            ));
        }
        let wishes = answered.group.commit(device, sent)?;
        if let Some(joiner) = joiner {
            answered.joining.remove(&joiner);
            answered.returning.remove(&joiner);
        }
        let mut effects = Vec::new();
        if let Some((to, from)) = moving {
            effects.extend(self.moved(now, from, to));
        }
        effects.extend(self.key_effects(now, wishes));
        effects.extend(self.ask_removals(now));
        Ok(effects)
    }

    /// Carries the relay's wishes into the call.
    pub(super) fn key_effects(&mut self, now: Moment, wishes: Vec<KeyEffect>) -> Vec<Effect> {
        let mut effects = Vec::with_capacity(wishes.len());
        for wish in wishes {
            match wish {
                KeyEffect::Tell(device, event) => effects.push(Effect::Tell(device, event)),
                KeyEffect::Welcome(welcome) => effects.push(self.welcome(welcome)),
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
                KeyEffect::Removed(device) => effects.extend(self.removed(now, device)),
            }
        }
        effects
    }

    fn welcome(&self, welcome: WelcomeFor) -> Effect {
        let participants = match &self.state {
            State::Answered(answered) => self.shown(answered),
            State::Waiting(_) | State::Ended(_) => Vec::new(),
        };
        let event = Event::GroupWelcome {
            call: self.invite.call,
            welcome: welcome.welcome,
            participants,
        };
        Effect::Tell(welcome.device, event)
    }

    /// A member took a device out of the group. One that comes back stays in the call; one that
    /// takes part still may not: its household removed it, and the server hears of it here first.
    fn removed(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        if answered.side(device).is_none() || answered.returning.contains(&device) {
            return Vec::new();
        }
        let reason = if answered.grown {
            EndReason::DeviceRevoked
        } else {
            // Between two, a removal leaves one alone, and a group of one ends.
            EndReason::HungUp
        };
        let room = self.room.remove(device).map(Effect::Media);
        let mut effects: Vec<_> = room.into_iter().collect();
        effects.extend(self.leave(now, device, reason));
        effects
    }
}
