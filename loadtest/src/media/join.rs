//! Participants come at their times, whether those before them are in or not.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use homeline_protocol::media_http::SectionTrack;
use str0m::media::{Direction, MediaKind, Mid};
use tokio::sync::oneshot;

use super::control::{self, Control};
use super::counting::Counter;
use super::driver::Driver;
use super::plan::{Participant, track_id};
use super::seat::{Line, Seat};
use crate::peer::{Features, Peer};
use crate::sockets::peer_socket_at;

/// How long a participant may take to be connected.
pub const CONNECT_MAX: Duration = Duration::from_secs(30);

/// Ticks of Opus's clock and of video's in a second.
const AUDIO_CLOCK: f64 = 48_000.0;
const VIDEO_CLOCK: f64 = 90_000.0;

/// What a participant needs to come in.
pub struct Entrance {
    /// The node.
    pub control: Control,
    /// The threads that play.
    pub drivers: Vec<Driver>,
    /// The address of this machine from which the node is reached.
    pub own_address: IpAddr,
    /// What peers use beside plain media.
    pub features: Features,
    /// One receiver in so many decrypts.
    pub decrypt_one_in: usize,
    /// What each room's members send: kinds by member and track.
    pub kinds: Vec<Vec<MediaKind>>,
}

/// How a participant came in.
pub struct Joined {
    /// From the intended time to the end of ICE and DTLS.
    pub took: Duration,
    /// The node took a picture in one size only.
    pub without_simulcast: bool,
}

impl Entrance {
    /// Brings one in; `number` counts all of them. The kind of the error where that fails.
    pub async fn join(
        self: Arc<Self>,
        number: usize,
        participant: Participant,
        intended: Instant,
    ) -> Result<Joined, String> {
        let entering = self.enter(number, &participant);
        let (connected, without_simulcast) = match entering.await {
            Ok(entered) => entered,
            Err(error) => return Err(control::kind(&error)),
        };
        let connected = tokio::time::timeout(CONNECT_MAX, connected);
        match connected.await {
            Ok(Ok(at)) => Ok(Joined {
                took: at.saturating_duration_since(intended),
                without_simulcast,
            }),
            _ => Err("peer: not connected".to_owned()),
        }
    }

    async fn enter(
        &self,
        number: usize,
        participant: &Participant,
    ) -> Result<(oneshot::Receiver<Instant>, bool)> {
        let (socket, address) = peer_socket_at(self.own_address)?;
        let mut peer = Peer::new(Instant::now(), address, self.features)?;
        let member = &participant.member;
        let sends = member.sends.iter().map(|flow| {
            let rids = flow.encodings.iter().map(|encoding| encoding.rid).collect();
            (flow.kind, Direction::SendOnly, rids)
        });
        let takes = member
            .takes
            .iter()
            .map(|(other, track)| (self.kinds[*other][*track], Direction::RecvOnly, Vec::new()));
        let (offer, mids) = peer.offer(sends.chain(takes).collect())?;
        let (sending, receiving) = mids.split_at(member.sends.len());
        let section = |mid: &Mid, member, track| SectionTrack {
            mid: mid.to_string(),
            track: track_id(member, track),
        };
        let own = sending.iter().enumerate();
        let publish = own.map(|(track, mid)| section(mid, participant.at, track));
        let others = receiving.iter().zip(&member.takes);
        let subscribe = others.map(|(mid, (other, track))| section(mid, *other, *track));
        let whose = (participant.room, participant.peer);
        let (publish, subscribe) = (publish.collect(), subscribe.collect());
        let answer = self.control.offer(whose, offer, publish, subscribe).await?;
        peer.accept(&answer)?;
        let simulcast = answer.contains("a=simulcast:");
        let lines = lines(participant, sending, simulcast, number);
        let decrypts = self.features.reports()
            || !member.takes.is_empty() && number.is_multiple_of(self.decrypt_one_in.max(1));
        let (joined, connected) = oneshot::channel();
        let seat = Seat {
            socket,
            counter: Counter::new(peer.repair_payload_types()),
            peer,
            decrypts,
            lines,
            joined: Some(joined),
        };
        let driver = number % self.drivers.len();
        self.drivers.get(driver).context("a thread")?.seat(seat);
        let several = member.sends.iter().any(|flow| !flow.encodings.is_empty());
        Ok((connected, several && !simulcast))
    }
}

/// What a participant sends; of a picture in several sizes only the largest where the node takes no more.
fn lines(participant: &Participant, mids: &[Mid], simulcast: bool, number: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for (flow, mid) in participant.member.sends.iter().zip(mids) {
        let clock = match flow.kind {
            MediaKind::Audio => AUDIO_CLOCK,
            MediaKind::Video => VIDEO_CLOCK,
        };
        // The golden ratio spreads any number of them evenly.
        let phase = (number as f64 * 0.618_033_988_749_895).fract();
        let line = Line {
            mid: *mid,
            encoding: None,
            payload: flow.payload,
            bursts: flow.bursts.clone(),
            interval: flow.interval,
            ticks: (flow.interval.as_secs_f64() * clock).round() as u32,
            phase,
            sent: 0,
            sequence: 0,
            key_at: None,
        };
        let skipped = if simulcast {
            0
        } else {
            flow.encodings.len().saturating_sub(1)
        };
        let encodings = flow.encodings.iter().skip(skipped);
        lines.extend(encodings.map(|encoding| Line {
            encoding: Some(*encoding),
            payload: encoding.payload,
            bursts: vec![encoding.packets],
            ..line.clone()
        }));
        if flow.encodings.is_empty() {
            lines.push(line);
        }
    }
    lines
}
