//! Pictures and lines of an answered call: how large each is shown, which encodings are wanted, who speaks,
//! and how good each connection is.
//!
//! Only participants hear any of it, and only while they have a session: what changed meanwhile is said
//! when they are back, so that nothing piles up for a phone that sleeps.

use std::collections::BTreeMap;
use std::time::Duration;

use homeline_protocol::id::{AccountId, DeviceId, PeerId, TrackId};
use homeline_protocol::media_control::{MediaCommand, PeerStatistics, View};
use homeline_protocol::session::{Event, GradedDevice, OwnConnection, Source, TrackView};

use super::answered::{Answered, PARTICIPANTS_MAX};
use super::call::{Call, State, Step};
use super::timers::Timer;
use crate::domain::calls::grades;
use crate::domain::calls::input::{CallError, Effect, Moment};

/// Pictures of one request: the cameras of all the others.
const VIEWS_MAX: usize = PARTICIPANTS_MAX;

/// How often the node is asked for the figures of an answered call. People watch a sign, not a meter, and
/// receivers report about once a second.
const MEASURE_EVERY: Duration = Duration::from_secs(3);

/// What the participants were told of pictures and lines.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Of each track that still is one: what is wanted of it.
    wanted: BTreeMap<TrackId, Wanted>,
    /// Who speaks, loudest first. None as long as nobody ever has.
    speakers: Option<Vec<DeviceId>>,
    /// What each participant heard of the connections.
    connections: BTreeMap<DeviceId, Connections>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    publisher: DeviceId,
    source: Source,
    layers: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Connections {
    own: Option<OwnConnection>,
    others: Vec<GradedDevice>,
}

impl Call {
    /// A device says how large it shows cameras of the others.
    pub(super) fn set_views(
        &self,
        device: DeviceId,
        account: AccountId,
        views: Vec<TrackView>,
    ) -> Step {
        let others = self.may_offer(device, account)?;
        if views.len() > VIEWS_MAX {
            return Err(CallError::Invalid("at most 32 pictures are shown at once"));
        }
        if !self.room.has(device) {
            return Err(CallError::NotNow("offer media first"));
        }
        let cameras: Vec<_> = others
            .iter()
            .filter_map(|other| self.room.track_of(*other, Source::Camera))
            .collect();
        if !views.iter().all(|view| cameras.contains(&view.track)) {
            return Err(CallError::Invalid(
                "a picture that is shown is no camera of this call",
            ));
        }
        let (room, peer) = (self.room.id, PeerId(device.0));
        let command = |shown: TrackView| {
            let TrackView {
                track,
                width,
                height,
            } = shown;
            let view = View { width, height };
            Effect::Media(MediaCommand::SetView {
                room,
                peer,
                track,
                view,
            })
        };
        Ok(views.into_iter().map(command).collect())
    }

    /// The node says which encodings of a track are taken. Of a track that was thrown away nothing is said:
    /// its successor's sender would stop what is wanted.
    pub(super) fn layers_wanted(
        &mut self,
        publisher: DeviceId,
        track: TrackId,
        layers: Vec<u8>,
    ) -> Vec<Effect> {
        let source = [Source::Microphone, Source::Camera]
            .into_iter()
            .find(|source| self.room.track_of(publisher, *source) == Some(track));
        let Some(source) = source else {
            return Vec::new();
        };
        let room = &self.room;
        self.told
            .wanted
            .retain(|track, one| room.track_of(one.publisher, one.source) == Some(*track));
        let wanted = Wanted {
            publisher,
            source,
            layers,
        };
        if self.told.wanted.get(&track) == Some(&wanted) {
            return Vec::new();
        }
        let told = self.hears(publisher).then(|| self.wanted_told(&wanted));
        self.told.wanted.insert(track, wanted);
        told.into_iter().collect()
    }

    /// The node says who speaks.
    pub(super) fn speakers(&mut self, devices: &[DeviceId]) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let devices = devices.iter().copied();
        let speakers: Vec<_> = devices
            .filter(|one| answered.side(*one).is_some())
            .collect();
        if self.told.speakers.as_deref().unwrap_or_default() == speakers {
            return Vec::new();
        }
        self.told.speakers = Some(speakers);
        let listeners = answered.listeners();
        listeners
            .filter_map(|one| self.speakers_told(one))
            .collect()
    }

    /// From now on the node is asked for figures, if it knows anybody and is not asked already.
    pub(super) fn begin_measuring(&mut self, now: Moment) {
        let State::Answered(answered) = &self.state else {
            return;
        };
        let known = |side: &super::answered::Side| self.room.forward(side.device).is_some();
        if answered.participants.iter().any(known) && !self.timers.is_set(Timer::Measure) {
            self.timers.set(Timer::Measure, now.at + MEASURE_EVERY);
        }
    }

    pub(super) fn measure(&mut self, now: Moment) -> Vec<Effect> {
        self.begin_measuring(now);
        if !self.timers.is_set(Timer::Measure) {
            return Vec::new();
        }
        let room = self.room.id;
        vec![Effect::Measure(MediaCommand::Statistics { room })]
    }

    /// Each participant is told its own figures, and one word of each other's.
    pub(super) fn measured(&mut self, peers: &[PeerStatistics]) -> Vec<Effect> {
        let State::Answered(answered) = &self.state else {
            return Vec::new();
        };
        let here = |peer: &&PeerStatistics| answered.side(DeviceId(peer.peer.0)).is_some();
        let known: BTreeMap<_, _> = peers
            .iter()
            .filter(here)
            .filter_map(|peer| Some((DeviceId(peer.peer.0), grades::own(peer)?)))
            .collect();
        let mut connections = std::mem::take(&mut self.told.connections);
        connections.retain(|device, _| answered.side(*device).is_some());
        let mut effects = Vec::new();
        for listener in answered.listeners() {
            let others = answered.others(listener).into_iter().filter_map(|device| {
                let grade = known.get(&device)?.grade;
                Some(GradedDevice { device, grade })
            });
            let now = Connections {
                own: known.get(&listener).copied(),
                others: others.collect(),
            };
            if connections
                .get(&listener)
                .is_some_and(|before| before.is_like(&now))
            {
                continue;
            }
            effects.push(self.connections_told(listener, &now));
            connections.insert(listener, now);
        }
        self.told.connections = connections;
        effects
    }

    /// A participant has a session again: it may have missed what changed.
    pub(super) fn pictures_again(&mut self, device: DeviceId) -> Vec<Effect> {
        if !self.hears(device) {
            return Vec::new();
        }
        self.told.connections.remove(&device);
        let own = |(track, one): &(&TrackId, &Wanted)| {
            one.publisher == device && self.room.track_of(device, one.source) == Some(**track)
        };
        let wanted = self.told.wanted.iter().filter(own);
        let wanted = wanted.map(|(_, one)| self.wanted_told(one));
        wanted.chain(self.speakers_told(device)).collect()
    }

    fn hears(&self, device: DeviceId) -> bool {
        match &self.state {
            State::Answered(answered) => answered.side(device).is_some_and(|side| side.session),
            State::Waiting(_) | State::Ended(_) => false,
        }
    }

    fn wanted_told(&self, wanted: &Wanted) -> Effect {
        let event = Event::LayersWanted {
            call: self.invite.call,
            source: wanted.source,
            wanted: wanted.layers.clone(),
        };
        Effect::Tell(wanted.publisher, event)
    }

    fn speakers_told(&self, device: DeviceId) -> Option<Effect> {
        let event = Event::Speakers {
            call: self.invite.call,
            devices: self.told.speakers.clone()?,
        };
        Some(Effect::Tell(device, event))
    }

    fn connections_told(&self, device: DeviceId, told: &Connections) -> Effect {
        let event = Event::CallConnections {
            call: self.invite.call,
            own: told.own,
            others: told.others.clone(),
        };
        Effect::Tell(device, event)
    }
}

impl Connections {
    fn is_like(&self, other: &Self) -> bool {
        let own = match (&self.own, &other.own) {
            (Some(before), Some(now)) => grades::alike(before, now),
            (before, now) => before == now,
        };
        own && self.others == other.others
    }
}

impl Answered {
    /// Participants who have a session.
    fn listeners(&self) -> impl Iterator<Item = DeviceId> {
        let there = self.participants.iter().filter(|side| side.session);
        there.map(|side| side.device)
    }
}
