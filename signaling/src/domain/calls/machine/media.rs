//! A call's room in the media node: transports, tracks, and who may hear whom.

use std::collections::BTreeMap;

use homeline_protocol::id::{AccountId, DeviceId, PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, Publish, Subscribe};
use homeline_protocol::session::{EndReason, Event, Source, Track};

use super::answered::{Answered, PARTICIPANTS_MAX};
use super::call::{Call, State, Step};
use crate::domain::calls::input::{CallError, Effect, Moment, Offer, PeerChange};

/// The longest offer. Chromium's with one audio and one video section has 6 to 8 KiB.
const SDP_BYTES_MAX: usize = 64 * 1024;
/// A `mid` is a token that the client chooses; both engines use one digit.
const MID_CHARS_MAX: usize = 16;
/// One track of each source.
const PUBLISH_MAX: usize = 2;
/// Receiving sections of one offer: two tracks of each other participant, and some that were before.
const SUBSCRIBE_MAX: usize = 2 * PARTICIPANTS_MAX + 16;
/// How often a room that failed is made again before the call ends.
const RESTARTS_MAX: u8 = 3;

/// What is in the room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) id: RoomId,
    peers: BTreeMap<DeviceId, Peer>,
    /// Grows when a transport is thrown away, so that its successor's tracks are new ones.
    generation: u32,
    restarts: u8,
}

#[derive(Debug)]
struct Peer {
    generation: u32,
    negotiated: bool,
    link: Link,
    offered: Vec<Track>,
    tracks: Vec<Track>,
}

/// A device's transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Not there yet.
    New,
    /// ICE and DTLS are up.
    Up,
    /// Silent or closed.
    Down,
}

impl Room {
    pub(super) fn new(id: RoomId) -> Self {
        Self {
            id,
            peers: BTreeMap::new(),
            generation: 0,
            restarts: 0,
        }
    }

    pub(super) fn link(&self, device: DeviceId) -> Link {
        self.peers.get(&device).map_or(Link::New, |peer| peer.link)
    }

    pub(super) fn tracks_of(&self, device: DeviceId) -> Vec<Track> {
        self.peers
            .get(&device)
            .map(|peer| peer.tracks.clone())
            .unwrap_or_default()
    }

    /// Throws a device's transport away.
    pub(super) fn remove(&mut self, device: DeviceId) -> Option<MediaCommand> {
        self.peers.remove(&device)?;
        self.generation += 1;
        Some(MediaCommand::RemovePeer {
            room: self.id,
            peer: PeerId(device.0),
        })
    }

    /// Lets a device's media flow, if its transport is known to the node.
    pub(super) fn forward(&self, device: DeviceId) -> Option<MediaCommand> {
        let negotiated = self.peers.get(&device).is_some_and(|peer| peer.negotiated);
        let peer = PeerId(device.0);
        negotiated.then_some(MediaCommand::SetForwarding {
            room: self.id,
            peer,
            on: true,
        })
    }

    /// Whether a device has a transport.
    pub(super) fn has(&self, device: DeviceId) -> bool {
        self.peers.contains_key(&device)
    }

    /// The track that a device's transport has, or would have, for a source.
    pub(super) fn track_of(&self, device: DeviceId, source: Source) -> Option<TrackId> {
        self.track(device, source).map(|track| track.track)
    }

    fn track(&self, device: DeviceId, source: Source) -> Option<Track> {
        let generation = self.peers.get(&device)?.generation;
        Some(Track {
            track: track_id(self.id, device, source, generation),
            device,
            source,
        })
    }

    fn knows(&self, device: DeviceId, track: TrackId) -> bool {
        [Source::Microphone, Source::Camera]
            .into_iter()
            .any(|source| self.track_of(device, source) == Some(track))
    }
}

impl Call {
    /// Checks an offer and hands it to the media node.
    pub(super) fn offer(&mut self, device: DeviceId, account: AccountId, offer: Offer) -> Step {
        self.check_offer(device, account, &offer)?;
        let generation = self.room.generation;
        self.room.peers.entry(device).or_insert(Peer {
            generation,
            negotiated: false,
            link: Link::New,
            offered: Vec::new(),
            tracks: Vec::new(),
        });
        let track = |source| self.room.track(device, source);
        let tracks: Vec<_> = offer
            .publish
            .iter()
            .filter_map(|section| track(section.source))
            .collect();
        let publish = offer
            .publish
            .into_iter()
            .zip(&tracks)
            .map(|(section, track)| Publish {
                mid: section.mid,
                track: track.track,
            })
            .collect();
        let subscribe = offer
            .subscribe
            .into_iter()
            .map(|section| Subscribe {
                mid: section.mid,
                track: section.track,
            })
            .collect();
        if let Some(peer) = self.room.peers.get_mut(&device) {
            peer.offered = tracks;
        }
        let (room, peer) = (self.room.id, PeerId(device.0));
        let command = MediaCommand::Negotiate {
            room,
            peer,
            offer: offer.sdp,
            publish,
            subscribe,
        };
        Ok(vec![Effect::Ask(device, command)])
    }

    /// The node has taken the offer: its tracks are there, and flow if the device takes part.
    pub(super) fn negotiated(
        &mut self,
        now: Moment,
        device: DeviceId,
        accepted: bool,
    ) -> Vec<Effect> {
        let Some(peer) = self.room.peers.get_mut(&device).filter(|_| accepted) else {
            return Vec::new();
        };
        peer.negotiated = true;
        let changed = peer.tracks != peer.offered;
        peer.tracks.clone_from(&peer.offered);
        // Before anything flows: what a switch is off for never does.
        let mut effects = self.hold_tracks(device, false);
        let State::Answered(answered) = &self.state else {
            return effects;
        };
        if answered.side(device).is_none() {
            return effects;
        }
        let others = answered.others(device);
        // Said each time, which does no harm: a page reloaded in the middle of a negotiation could
        // otherwise stay held.
        effects.extend(self.room.forward(device).map(Effect::Media));
        if changed {
            effects.extend(others.into_iter().map(|other| self.tracks_told(other)));
        }
        self.begin_measuring(now);
        effects
    }

    pub(super) fn peer_changed(
        &mut self,
        now: Moment,
        device: DeviceId,
        change: PeerChange,
    ) -> Vec<Effect> {
        let Some(peer) = self.room.peers.get_mut(&device) else {
            return Vec::new();
        };
        peer.link = match change {
            PeerChange::Connected => Link::Up,
            PeerChange::Silent | PeerChange::Closed => Link::Down,
        };
        self.weigh_connection(now, device)
    }

    /// The room is gone: it is made again, and everybody who was in it offers again.
    pub(super) fn room_failed(&mut self, now: Moment) -> Vec<Effect> {
        self.room.restarts += 1;
        if self.room.restarts > RESTARTS_MAX {
            return self.end(now, EndReason::MediaFailed);
        }
        self.room.generation += 1;
        let call = self.invite.call;
        let room = self.room.id;
        let devices: Vec<_> = std::mem::take(&mut self.room.peers).into_keys().collect();
        let mut effects = vec![Effect::Media(MediaCommand::CreateRoom { room })];
        for device in devices {
            let tracks = Vec::new();
            effects.push(Effect::Tell(device, Event::Tracks { call, tracks }));
            effects.push(Effect::Tell(device, Event::MediaRestart { call }));
            effects.extend(self.weigh_connection(now, device));
        }
        effects
    }

    pub(super) fn quality(&self, device: DeviceId, account: AccountId) -> Step {
        self.may_offer(device, account)?;
        if !self.room.has(device) {
            return Err(CallError::NotNow("offer media first"));
        }
        Ok(vec![Effect::Ask(
            device,
            MediaCommand::Statistics { room: self.room.id },
        )])
    }

    fn check_offer(
        &self,
        device: DeviceId,
        account: AccountId,
        offer: &Offer,
    ) -> Result<(), CallError> {
        let others = self.may_offer(device, account)?;
        self.check_live_offer(device, offer)?;
        if offer.sdp.len() > SDP_BYTES_MAX {
            return Err(CallError::Invalid("the offer is longer than 64 KiB"));
        }
        if offer.publish.len() > PUBLISH_MAX || offer.subscribe.len() > SUBSCRIBE_MAX {
            return Err(CallError::Invalid("too many sections"));
        }
        if offer.publish.len() == 2 && offer.publish[0].source == offer.publish[1].source {
            return Err(CallError::Invalid("two sections publish the same source"));
        }
        let mids = offer.publish.iter().map(|section| &section.mid);
        let mut mids = mids.chain(offer.subscribe.iter().map(|section| &section.mid));
        if mids.any(|mid| mid.is_empty() || mid.chars().count() > MID_CHARS_MAX) {
            return Err(CallError::Invalid("a section's mid has 1 to 16 characters"));
        }
        let knows = |track| others.iter().any(|other| self.room.knows(*other, track));
        if !offer.subscribe.iter().all(|section| knows(section.track)) {
            return Err(CallError::Invalid("a track asked for is not in this call"));
        }
        Ok(())
    }

    /// Who may offer, and whose tracks they may ask for.
    pub(super) fn may_offer(
        &self,
        device: DeviceId,
        account: AccountId,
    ) -> Result<Vec<DeviceId>, CallError> {
        match &self.state {
            State::Waiting(waiting) => {
                if device == self.invite.caller_device || waiting.ringing.contains_key(&device) {
                    Ok(Vec::new())
                } else if self.is_callee(account) {
                    Err(CallError::NotNow("say that this device rings first"))
                } else {
                    Err(CallError::NotFound)
                }
            }
            State::Answered(answered) => answered.may_offer(device, account).ok_or_else(|| {
                if self.is_callee(account) {
                    CallError::AnsweredElsewhere
                } else {
                    CallError::NotFound
                }
            }),
            State::Ended(_) => Err(CallError::Ended),
        }
    }
}

impl Answered {
    /// Whose tracks a device may ask for: those of the others it takes part with, or will.
    fn may_offer(&self, device: DeviceId, account: AccountId) -> Option<Vec<DeviceId>> {
        if self.side(device).is_some() {
            return Some(self.others(device));
        }
        if let Some(from) = self.replaces(device) {
            return Some(self.others(from));
        }
        let leg = self.leg.as_ref()?;
        let rings =
            leg.adding.account == Some(account) && leg.waiting.ringing.contains_key(&device);
        rings.then(Vec::new)
    }
}

/// The same device and source keep their track for as long as their transport lasts.
fn track_id(room: RoomId, device: DeviceId, source: Source, generation: u32) -> TrackId {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    hash.update(b"homeline track v1");
    hash.update(&room.0);
    hash.update(&device.0);
    hash.update(&[match source {
        Source::Microphone => 0,
        Source::Camera => 1,
    }]);
    hash.update(&generation.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finish().as_ref()[..16]);
    TrackId(id)
}

/// So that tables can speak of a track.
#[cfg(test)]
pub(in crate::domain::calls) fn camera_of(
    room: RoomId,
    device: DeviceId,
    generation: u32,
) -> TrackId {
    track_id(room, device, Source::Camera, generation)
}
