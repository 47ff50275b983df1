//! A call's state, and which room of the machine takes an input.

use std::collections::BTreeSet;

use homeline_protocol::id::{AccountId, CallId, DeviceId, RoomId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{CallPhase, EndReason, Event, MediaState, Party, Track};

use super::answered::Answered;
use super::live::Hearers;
use super::media::Room;
use super::pictures::Told;
use super::ringing::Waiting;
use super::switches::Table;
use super::timers::{Timer, TimerTable};
use crate::domain::calls::CallsConfig;
use crate::domain::calls::input::{Act, CallError, Effect, Input, Invite, Kind, Moment, Record};
use crate::model::UnixMillis;

/// What a step leads to: effects in the order in which they are to be carried out.
pub(super) type Step = Result<Vec<Effect>, CallError>;

/// One call. Every input is answered by the effects that are to be carried out
/// in the order given; after each, [`Call::deadline`] says when to `step` with `Input::Tick`.
#[derive(Debug)]
pub(in crate::domain::calls) struct Call {
    pub(super) config: CallsConfig,
    pub(super) invite: Invite,
    pub(super) expires_at: UnixMillis,
    pub(super) state: State,
    pub(super) timers: TimerTable,
    pub(super) room: Room,
    /// What the caller says it sends, whatever its switches stand at.
    pub(super) caller_media: MediaState,
    pub(super) switches: Table,
    pub(super) told: Told,
    pub(super) sort: Sort,
}

/// What a call is, and what only that has.
#[derive(Debug)]
pub(super) enum Sort {
    Call,
    DropIn,
    Live(Hearers),
}

/// Where a call stands.
#[derive(Debug)]
pub(super) enum State {
    /// Nobody has answered.
    Waiting(Waiting),
    /// Devices take part, two or more.
    Answered(Box<Answered>),
    /// It is over.
    Ended(EndReason),
}

impl Call {
    /// A new call. A busy callee of the own household ends it at once.
    #[must_use]
    pub(in crate::domain::calls) fn start(
        config: &CallsConfig,
        invite: Invite,
        busy: bool,
        now: Moment,
    ) -> (Self, Vec<Effect>) {
        let mut call = Self::new(config, invite, now);
        if busy {
            let effects = call.end(now, EndReason::Busy);
            return (call, effects);
        }
        if call.invite.family {
            call.timers
                .set(Timer::Unreachable, now.at + config.unreachable_after());
        }
        call.timers
            .set(Timer::NoAnswer, now.at + config.ring_timeout());
        let mut effects = vec![Effect::Media(MediaCommand::CreateRoom {
            room: call.room.id,
        })];
        for rings in call.invite.ring.clone() {
            effects.extend(call.invite_device(rings));
        }
        (call, effects)
    }

    pub(super) fn new(config: &CallsConfig, invite: Invite, now: Moment) -> Self {
        Self {
            config: config.clone(),
            expires_at: now.unix.plus(config.ring_timeout()),
            state: State::Waiting(Waiting::default()),
            timers: TimerTable::default(),
            room: Room::new(RoomId(invite.call.0)),
            caller_media: MediaState {
                microphone: true,
                camera: invite.video,
            },
            switches: Table::from([(invite.caller_device, invite.caller_switches)]),
            told: Told::default(),
            sort: Sort::Call,
            invite,
        }
    }

    /// Takes an input and says what is to be done.
    ///
    /// # Errors
    /// When an act is refused; then nothing has changed. Other inputs are never refused.
    pub(in crate::domain::calls) fn step(&mut self, now: Moment, input: Input) -> Step {
        if matches!(self.state, State::Ended(_)) {
            return if matches!(input, Input::Act(..)) {
                Err(CallError::Ended)
            } else {
                Ok(Vec::new())
            };
        }
        Ok(match input {
            Input::Act(device, account, act) => return self.act(now, device, account, act),
            Input::Reachable(rings) => self.invite_device(rings),
            Input::Switched(device, switches) => self.switched(device, switches),
            Input::Pushed => self.pushed(),
            Input::SessionLost(device) => self.session(now, device, false),
            Input::SessionBack(device) => self.session(now, device, true),
            Input::SessionNew(device) => self.session_new(now, device),
            Input::DropInOver(reason) => self.end(now, reason),
            Input::Revoked(device) => self.revoked(now, device),
            Input::Negotiated(device, accepted) => self.negotiated(now, device, accepted),
            Input::Peer(device, change) => self.peer_changed(now, device, change),
            Input::LayersWanted(device, track, wanted) => self.layers_wanted(device, track, wanted),
            Input::Speakers(devices) => self.speakers(&devices),
            Input::Measured(peers) => self.measured(&peers),
            Input::RoomFailed => self.room_failed(now),
            Input::MediaGone => self.end(now, EndReason::MediaFailed),
            Input::Superseded => match self.state {
                State::Waiting(_) => self.end_as(now, EndReason::Cancelled, false),
                State::Answered(_) | State::Ended(_) => Vec::new(),
            },
            Input::LeftFor(device) => self.left_for(now, device),
            Input::Excluded(account, devices) => self.excluded(now, account, &devices),
            Input::Tick => self.tick(now),
        })
    }

    /// What it is.
    #[must_use]
    pub(in crate::domain::calls) const fn kind(&self) -> Kind {
        match self.sort {
            Sort::Call => Kind::Call,
            Sort::DropIn => Kind::DropIn,
            Sort::Live(_) => Kind::Live,
        }
    }

    /// When the next timer goes off.
    #[must_use]
    pub(in crate::domain::calls) fn deadline(&self) -> Option<std::time::Instant> {
        self.timers.next()
    }

    /// Where it stands, unless it is over.
    #[must_use]
    pub(in crate::domain::calls) fn phase(&self) -> Option<CallPhase> {
        match &self.state {
            State::Waiting(waiting) if waiting.rang => Some(CallPhase::Ringing),
            State::Waiting(_) => Some(CallPhase::Inviting),
            State::Answered(_) => Some(CallPhase::Answered),
            State::Ended(_) => None,
        }
    }

    /// Why it ended, if it has.
    #[must_use]
    pub(in crate::domain::calls) fn ended(&self) -> Option<EndReason> {
        match self.state {
            State::Ended(reason) => Some(reason),
            State::Waiting(_) | State::Answered(_) => None,
        }
    }

    /// The tracks that a device can subscribe to now.
    #[must_use]
    pub(in crate::domain::calls) fn tracks_for(&self, device: DeviceId) -> Vec<Track> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let heard = match answered.replaces(device) {
            // It takes a part over: it hears those whom that part hears.
            Some(from) => answered.others(from),
            None if answered.side(device).is_some() => answered.others(device),
            None => Vec::new(),
        };
        let tracks = heard.into_iter();
        tracks
            .flat_map(|other| self.room.tracks_of(other))
            .collect()
    }

    fn act(&mut self, now: Moment, device: DeviceId, account: AccountId, act: Act) -> Step {
        self.check_drop_in(device, &act)?;
        if self.check_live(device, &act)? {
            return self.act_as_hearer(now, device, act);
        }
        if let Act::Offer(offer) = act {
            return self.offer(device, account, offer);
        }
        if let Act::Quality = act {
            return self.quality(device, account);
        }
        if let Act::SetViews(views) = act {
            return self.set_views(device, account, views);
        }
        match self.state {
            State::Waiting(_) => self.act_while_waiting(now, device, account, act),
            State::Answered(_) => self.act_when_answered(now, device, account, act),
            State::Ended(_) => Err(CallError::Ended),
        }
    }

    fn tick(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(timer) = self.timers.take_due(now.at) {
            effects.extend(match (timer, &mut self.state) {
                (Timer::Unreachable, State::Waiting(waiting)) if waiting.rang => Vec::new(),
                // To somebody outside everything that is not an answer is one and the same.
                (Timer::NoAnswer, State::Waiting(waiting))
                    if waiting.rang || waiting.pushed || !self.invite.family =>
                {
                    self.end(now, EndReason::NoAnswer)
                }
                (Timer::Unreachable | Timer::NoAnswer, State::Waiting(_)) => {
                    self.end(now, self.unreached())
                }
                (Timer::CallerGone, State::Waiting(_)) => self.end(now, EndReason::Cancelled),
                (Timer::Lost(device), State::Answered(_)) => {
                    self.leave(now, device, EndReason::DeviceLost)
                }
                (Timer::AddedUnreachable, State::Answered(_)) => self.added_unreachable(now),
                (Timer::AddedNoAnswer, State::Answered(_)) => {
                    self.end_adding(now, EndReason::NoAnswer)
                }
                (Timer::Moving(to), State::Answered(_)) => self.end_move(to, EndReason::NoAnswer),
                (Timer::Spoken, State::Answered(_)) => self.end(now, EndReason::HungUp),
                (Timer::Unheard, State::Answered(_)) => {
                    self.end_if_unheard(now, EndReason::NoAnswer)
                }
                (Timer::Removal, State::Answered(_)) => self.ask_all_for_removals(now),
                (Timer::Measure, State::Answered(_)) => self.measure(now),
                (Timer::KeySwitch, State::Answered(answered)) => {
                    let switched = answered.group.switch_time_over();
                    self.key_effects(now, switched)
                }
                _ => Vec::new(),
            });
        }
        effects
    }

    pub(super) fn session(&mut self, now: Moment, device: DeviceId, present: bool) -> Vec<Effect> {
        match &mut self.state {
            State::Waiting(_) if device == self.invite.caller_device => {
                if present {
                    self.timers.clear(Timer::CallerGone);
                } else if !self.timers.is_set(Timer::CallerGone) {
                    self.timers
                        .set(Timer::CallerGone, now.at + self.config.caller_grace());
                }
                Vec::new()
            }
            State::Answered(answered) => {
                let Some(side) = answered.side_mut(device) else {
                    return Vec::new();
                };
                let before = std::mem::replace(&mut side.session, present);
                let mut effects = self.weigh_connection(now, device);
                if present && !before {
                    effects.extend(self.pictures_again(device));
                }
                effects
            }
            State::Waiting(_) | State::Ended(_) => Vec::new(),
        }
    }

    fn revoked(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        match &mut self.state {
            State::Waiting(_) if device == self.invite.caller_device => {
                self.end(now, EndReason::DeviceRevoked)
            }
            State::Waiting(waiting) => {
                waiting.forget(device);
                let removed = self.room.remove(device).map(Effect::Media);
                removed.into_iter().collect()
            }
            State::Answered(answered) if answered.side(device).is_some() => {
                self.leave(now, device, EndReason::DeviceRevoked)
            }
            State::Answered(answered) if answered.moves.contains_key(&device) => {
                self.end_move(device, EndReason::DeviceRevoked)
            }
            State::Answered(_) => self.added_stops(now, device),
            State::Ended(_) => Vec::new(),
        }
    }

    /// Nobody rang: out, or busy in another call.
    fn unreached(&self) -> EndReason {
        if self.invite.engaged.is_empty() {
            EndReason::Unreachable
        } else {
            EndReason::Busy
        }
    }

    /// Ends the call for everyone who has a part in it, each with the same reason.
    pub(super) fn end(&mut self, now: Moment, reason: EndReason) -> Vec<Effect> {
        let missed = matches!(self.state, State::Waiting(_)) && is_missed(reason);
        self.end_as(now, reason, missed)
    }

    fn end_as(&mut self, now: Moment, reason: EndReason, missed: bool) -> Vec<Effect> {
        // Who rings for the call to come in, or is to take it over, has no part in its end.
        let mut effects = self.end_adding(now, EndReason::Cancelled);
        effects.retain(|effect| !matches!(effect, Effect::Tell(_, Event::AddingEnded { .. })));
        let (mut devices, callee_named) = match &self.state {
            State::Waiting(waiting) => (waiting.invited.clone(), waiting.rang),
            State::Answered(answered) => {
                let there = answered.participants.iter().map(|side| side.device);
                (there.chain(answered.moves.keys().copied()).collect(), true)
            }
            State::Ended(_) => return Vec::new(),
        };
        if matches!(self.state, State::Waiting(_)) {
            devices.insert(self.invite.caller_device);
        }
        if let Sort::Live(hearers) = &self.sort {
            devices.extend(hearers.told());
        }
        let call = self.invite.call;
        self.state = State::Ended(reason);
        self.timers.clear_all();
        effects.push(Effect::Record(Record::Ended {
            at: now.unix,
            reason,
            callee_named,
            missed,
        }));
        effects.extend(told_the_end(devices, call, reason));
        effects.push(Effect::Media(MediaCommand::CloseRoom {
            room: self.room.id,
        }));
        effects
    }

    pub(super) fn is_callee(&self, account: AccountId) -> bool {
        self.invite.people.contains(&account)
    }

    pub(super) fn caller_party(&self) -> Party {
        Party {
            handle: self.invite.caller.handle.clone(),
            display_name: self.invite.caller.display_name.clone(),
            guest: false,
        }
    }

    pub(super) fn party_of(&self, device: DeviceId) -> Party {
        let side = match &self.state {
            State::Answered(answered) => answered.side(device),
            State::Waiting(_) | State::Ended(_) => None,
        };
        side.map_or_else(|| self.caller_party(), |side| side.party.clone())
    }
}

fn told_the_end(
    devices: BTreeSet<DeviceId>,
    call: CallId,
    reason: EndReason,
) -> impl Iterator<Item = Effect> {
    let devices = devices.into_iter();
    devices.map(move |device| Effect::Tell(device, Event::CallEnded { call, reason }))
}

/// Whether somebody who did not answer missed a call that ended so: they did not decline it, nor
/// refuse it as a forgery.
pub(in crate::domain::calls) fn is_missed(reason: EndReason) -> bool {
    match reason {
        EndReason::Cancelled
        | EndReason::NoAnswer
        | EndReason::Busy
        | EndReason::Unreachable
        | EndReason::DeviceLost
        | EndReason::DeviceRevoked
        | EndReason::ServerRestarted
        | EndReason::MediaFailed => true,
        EndReason::HungUp
        | EndReason::Declined
        | EndReason::AnsweredElsewhere
        | EndReason::EncryptionRefused
        | EndReason::Moved => false,
    }
}
