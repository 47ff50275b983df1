//! A live announcement, which is a call that the announcing device began and in which everybody else only
//! hears: nobody but it publishes, lets others in, or ends it for all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{EndReason, Event, MediaState, Party, Source};

use super::answered::{Answered, Introduction, Side, admission};
use super::call::{Call, Sort, State, Step};
use super::timers::Timer;
use crate::domain::calls::CallsConfig;
use crate::domain::calls::input::{Act, CallError, Effect, Invite, Moment, Offer};
use crate::domain::keys::{Group, SentCommit};

/// How long one lasts at most, as a recorded one does; clients check a statement by the same minute.
const SPOKEN_MAX: Duration = Duration::from_mins(1);

/// A device that only hears sends nothing.
const NOTHING: MediaState = MediaState {
    microphone: false,
    camera: false,
};

/// A device that is told, and whose it is.
#[derive(Debug, Clone)]
pub(in crate::domain::calls) struct Hearer {
    pub device: DeviceId,
    pub account: AccountId,
    pub party: Party,
}

/// What a live announcement begins with. Its invite names the announcing device as the one who calls.
#[derive(Debug)]
pub(in crate::domain::calls) struct Announcement {
    pub invite: Invite,
    pub hearers: Vec<Hearer>,
    /// What they are told.
    pub told: Event,
}

/// Those that were told, and neither hear it yet nor said that they will not.
#[derive(Debug)]
pub(super) struct Hearers(BTreeMap<DeviceId, Hearer>);

impl Hearers {
    pub(super) fn told(&self) -> impl Iterator<Item = DeviceId> {
        self.0.keys().copied()
    }
}

impl Call {
    /// A live announcement. The announcing device is alone in it until others hear it.
    #[must_use]
    pub(in crate::domain::calls) fn announced(
        config: &CallsConfig,
        new: Announcement,
        now: Moment,
    ) -> (Self, Vec<Effect>) {
        let mut call = Self::new(config, new.invite, now);
        call.caller_media = MediaState {
            microphone: true,
            camera: false,
        };
        let device = call.invite.caller_device;
        let announcer = Side {
            device,
            account: call.invite.caller.id,
            party: call.caller_party(),
            media: call.caller_media,
            session: true,
            connected: true,
            host: device,
        };
        call.state = State::Answered(Box::new(Answered {
            participants: vec![announcer],
            joining: BTreeMap::new(),
            returning: BTreeSet::new(),
            left: BTreeSet::new(),
            group: Group::new(call.invite.call, device),
            grown: true,
            leg: None,
            moves: BTreeMap::new(),
        }));
        call.timers.set(Timer::Spoken, now.at + SPOKEN_MAX);
        call.timers
            .set(Timer::Unheard, now.at + config.unreachable_after());
        let room = call.room.id;
        let mut effects = vec![Effect::Media(MediaCommand::CreateRoom { room })];
        let told = new.hearers.iter();
        effects.extend(told.map(|one| Effect::Tell(one.device, new.told.clone())));
        let hearers = new.hearers.into_iter();
        call.sort = Sort::Live(Hearers(hearers.map(|one| (one.device, one)).collect()));
        (call, effects)
    }

    /// What can't be done to a live announcement: to those that hear it, or may, it says so; to others there
    /// is no such call. True: the act is that of a device that was told and does not hear it yet.
    pub(super) fn check_live(&self, device: DeviceId, act: &Act) -> Result<bool, CallError> {
        let (Sort::Live(hearers), State::Answered(answered)) = (&self.sort, &self.state) else {
            return match act {
                Act::Hear { .. } => Err(CallError::NotFound),
                _ => Ok(false),
            };
        };
        if answered.side(device).is_none() {
            return match act {
                Act::Hear { .. } | Act::HangUp { .. } if hearers.0.contains_key(&device) => {
                    Ok(true)
                }
                _ if hearers.0.contains_key(&device) => Err(CallError::NotNow(
                    "say first that this device hears the announcement",
                )),
                _ if answered.left.contains(&device) => Err(CallError::Ended),
                _ => Err(CallError::NotFound),
            };
        }
        let announces = device == self.invite.caller_device;
        match act {
            Act::Add(_) | Act::CancelAdding | Act::Move(_) | Act::WantHere => {
                Err(CallError::NotYours(
                    "nobody is added to a live announcement, and it stays where it is",
                ))
            }
            Act::Ringing { .. } => Err(CallError::NotNow(
                "a device that was reloaded announces anew, and hears no more of this one",
            )),
            Act::EndForEveryone | Act::SetMedia { .. } if !announces => Err(CallError::NotYours(
                "only the announcing device speaks and ends it",
            )),
            Act::Hear { .. } if announces => {
                Err(CallError::NotYours("whoever announces does not hear it"))
            }
            // Said twice.
            Act::Hear { .. } => Ok(true),
            _ => Ok(false),
        }
    }

    /// Nobody but the announcing device lets others into the group.
    pub(super) fn check_live_commit(
        &self,
        device: DeviceId,
        sent: &SentCommit,
    ) -> Result<(), CallError> {
        let lets_in = sent.welcome.is_some() && device != self.invite.caller_device;
        if lets_in && matches!(self.sort, Sort::Live(_)) {
            return Err(CallError::NotYours(
                "only the announcing device lets others hear it",
            ));
        }
        Ok(())
    }

    /// Nobody but the announcing device publishes: its microphone, and nothing else.
    pub(super) fn check_live_offer(
        &self,
        device: DeviceId,
        offer: &Offer,
    ) -> Result<(), CallError> {
        if !matches!(self.sort, Sort::Live(_)) {
            return Ok(());
        }
        let announcer = self.invite.caller_device;
        if device != announcer {
            if !offer.publish.is_empty() {
                return Err(CallError::NotYours(
                    "only the announcing device is heard in a live announcement",
                ));
            }
            let spoken = self.room.track_of(announcer, Source::Microphone);
            if !offer.subscribe.iter().all(|one| Some(one.track) == spoken) {
                return Err(CallError::Invalid("a track asked for is not in this call"));
            }
            return Ok(());
        }
        let spoken =
            |one: &homeline_protocol::session::PublishSection| one.source == Source::Microphone;
        if !offer.publish.iter().all(spoken) || !offer.subscribe.is_empty() {
            return Err(CallError::NotYours(
                "a live announcement is of sound, and goes one way",
            ));
        }
        Ok(())
    }

    /// A device that was told hears it, or says that it will not.
    pub(super) fn act_as_hearer(&mut self, now: Moment, device: DeviceId, act: Act) -> Step {
        let Sort::Live(hearers) = &mut self.sort else {
            return Err(CallError::NotFound);
        };
        // Said twice.
        let Some(hearer) = hearers.0.remove(&device) else {
            return Ok(Vec::new());
        };
        Ok(match act {
            Act::Hear {
                key_package,
                statement,
            } => {
                let introduction = Introduction {
                    key_package,
                    statement,
                };
                self.hears_it(now, hearer, introduction)
            }
            _ => {
                if let State::Answered(answered) = &mut self.state {
                    answered.left.insert(device);
                }
                let call = self.invite.call;
                let declined = Event::LiveDeclined { call, device };
                let mut effects = vec![Effect::Tell(self.invite.caller_device, declined)];
                effects.extend(self.end_if_unheard(now, EndReason::HungUp));
                effects
            }
        })
    }

    fn hears_it(&mut self, now: Moment, hearer: Hearer, introduction: Introduction) -> Vec<Effect> {
        let (call, announcer) = (self.invite.call, self.invite.caller_device);
        let State::Answered(answered) = &mut self.state else {
            return Vec::new();
        };
        let device = hearer.device;
        let side = Side {
            device,
            account: hearer.account,
            party: hearer.party,
            media: NOTHING,
            session: true,
            connected: true,
            host: announcer,
        };
        answered.joining.insert(device, introduction.clone());
        answered.participants.push(side.clone());
        let told = admission(call, &self.switches, &side, introduction);
        let mut effects = vec![Effect::Tell(announcer, told)];
        effects.extend(self.room.forward(device).map(Effect::Media));
        effects.extend(self.tell_participants());
        effects.extend(self.tell_tracks_unless_none(device));
        effects.extend(self.weigh_connection(now, device));
        effects
    }

    /// Ends it where nobody hears it and nobody can any more, be it that all who were told said no or that
    /// they had their time. Of other calls, and where it is heard, nothing.
    pub(super) fn end_if_unheard(&mut self, now: Moment, reason: EndReason) -> Vec<Effect> {
        let Sort::Live(hearers) = &self.sort else {
            return Vec::new();
        };
        let may_come = !hearers.0.is_empty() && self.timers.is_set(Timer::Unheard);
        if self.announces_alone() && !may_come {
            self.end(now, reason)
        } else {
            Vec::new()
        }
    }

    /// Whether it is one that nobody hears now. The group of one that somebody heard is gone with the last
    /// who did: it ends, whoever else was told.
    pub(super) fn announces_alone(&self) -> bool {
        match (&self.sort, &self.state) {
            (Sort::Live(_), State::Answered(answered)) => answered.participants.len() <= 1,
            _ => false,
        }
    }
}
