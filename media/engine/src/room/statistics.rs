//! What a room tells of itself: counts and rates of every stream, and how good they arrive.
//!
//! Counting costs a packet a few additions. Rates are taken once a second, when the reports of the peer that
//! sends or receives the stream are written.

use std::time::{Duration, Instant};

use homeline_protocol::media_control::PeerStatistics;
use homeline_protocol::media_statistics::{
    LayerStatistics, PathKind, PublishedStatistics, ReceivedStatistics, TrackKind,
    TransportStatistics,
};

use super::commands::Room;
use super::encoding::Encoding;
use super::peer::Peer;
use super::slots::PeerSlot;
use super::span::Publisher;
use super::subscription::Subscription;
use super::track::{Source, Track};
use crate::layer::Layer;
use crate::quality::{self, Network, Picture};
use crate::transport::Connection;
use crate::transport::sdp::Kind;
use crate::wire::rtp::RtpPacket;

/// A rate older than this says nothing of now: the peer is gone, and its reports with it.
const RATE_AGE_MAX: Duration = Duration::from_secs(3);

/// What was counted of a stream at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    packets: u64,
    bytes: u64,
    frames: u64,
}

/// Rates between the last two samples.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    sampled: Option<(Instant, Count)>,
    measured: bool,
    bits_per_second: u64,
    frames_per_second: u32,
}

impl Rates {
    fn sample(&mut self, now: Instant, count: Count) {
        if let Some((at, before)) = self.sampled {
            let seconds = now.saturating_duration_since(at).as_secs_f64();
            // Counts begin anew with a new stream; two reports at once tell nothing.
            if seconds < 0.1 || count.bytes < before.bytes || count.frames < before.frames {
                return;
            }
            let per_second = |more: u64| more as f64 / seconds;
            self.bits_per_second = per_second((count.bytes - before.bytes) * 8) as u64;
            self.frames_per_second = per_second(count.frames - before.frames).round() as u32;
            self.measured = true;
        }
        self.sampled = Some((now, count));
    }

    /// The rates, if they are of now.
    fn at(&self, now: Instant) -> Option<(u64, u32)> {
        let (sampled_at, _) = self.sampled.filter(|_| self.measured)?;
        let age = now.saturating_duration_since(sampled_at);
        (age <= RATE_AGE_MAX).then_some((self.bits_per_second, self.frames_per_second))
    }
}

/// What arrived of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    count: Count,
    key_frames: u64,
    rates: Rates,
}

impl Traffic {
    /// Takes the rates of the time since the last sample.
    pub(super) fn sample(&mut self, now: Instant) {
        self.rates.sample(now, self.count);
    }
}

impl Source {
    /// Counts a packet that was new. `begins` says that a receiver may begin with it.
    pub(super) fn note_traffic(&mut self, of: u8, packet: &RtpPacket<'_>, begins: bool) {
        let told = self.is_described();
        let Some(encoding) = self.encodings.get_mut(usize::from(of)) else {
            return;
        };
        let traffic = &mut encoding.reception.traffic;
        traffic.count.packets += 1;
        traffic.count.bytes += packet.as_bytes().len() as u64;
        if self.kind == Kind::Video {
            traffic.count.frames += u64::from(packet.marker());
            traffic.key_frames += u64::from(begins && told);
        }
    }
}

/// What one receiver was sent of a track. The counters of sender reports are 32 bits wide and wrap; they are
/// added up here, once a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Served {
    /// Packets that it asked for again.
    pub(super) nacks: u64,
    /// Packets that it was sent again.
    pub(super) resends: u64,
    /// Key frames that it asked for.
    pub(super) key_frame_requests: u64,
    /// Pictures that it was sent, by their last packets.
    pub(super) frames: u64,
    count: Count,
    seen: (u32, u32),
    rates: Rates,
}

impl Served {
    fn count(&self, packets: u32, octets: u32) -> Count {
        let (packets_seen, octets_seen) = self.seen;
        Count {
            packets: self.count.packets + u64::from(packets.wrapping_sub(packets_seen)),
            bytes: self.count.bytes + u64::from(octets.wrapping_sub(octets_seen)),
            frames: self.frames,
        }
    }
}

impl Subscription {
    /// Takes the rates of the time since the last sample.
    pub(super) fn sample(&mut self, now: Instant) {
        let count = self.served.count(self.packets, self.octets);
        self.served.count = count;
        self.served.seen = (self.packets, self.octets);
        self.served.rates.sample(now, count);
    }
}

/// A track at the moment that its statistics are taken.
struct View<'a> {
    now: Instant,
    track: &'a Track,
    source: Option<&'a Source>,
    publisher: Option<Publisher>,
    /// The publisher takes part and the track is not held.
    flows: bool,
}

impl Room {
    /// Figures of every peer, with all its tracks.
    pub(crate) fn statistics(&self, now: Instant) -> Vec<PeerStatistics> {
        let mut places = Vec::new();
        let mut all: Vec<PeerStatistics> = Vec::new();
        for (at, peer) in self.peers.iter() {
            places.resize(at, None);
            places.push(Some(all.len()));
            all.push(peer.statistics(now));
        }
        let place = |slot: PeerSlot| places.get(slot.0).copied().flatten();
        for (_, track) in self.tracks.iter() {
            let view = self.view(now, track);
            if let Some(source) = view.source
                && let Some(at) = place(source.peer)
            {
                add_published(&mut all[at], &view, source);
            }
            for subscription in &track.subscriptions {
                if let Some(at) = place(subscription.peer)
                    && let Some(receiver) = self.peers.get(subscription.peer.0)
                {
                    add_received(&mut all[at], &view, subscription, receiver);
                }
            }
        }
        for statistics in &mut all {
            let sides = [statistics.quality_up, statistics.quality_down];
            statistics.quality = sides.into_iter().flatten().min();
        }
        all
    }

    fn view<'a>(&'a self, now: Instant, track: &'a Track) -> View<'a> {
        let source = track.source.as_ref();
        let publisher = source.and_then(|source| self.span.publisher(&self.peers, source.peer));
        View {
            now,
            track,
            source,
            publisher,
            flows: !track.held && publisher.is_some_and(|publisher| publisher.takes_part),
        }
    }
}

fn add_published(statistics: &mut PeerStatistics, view: &View<'_>, source: &Source) {
    let rate = source.kind.clock_rate();
    let receptions = || source.encodings.iter().map(|encoding| &encoding.reception);
    let lost = receptions().map(|reception| reception.fraction_lost).max();
    let network = Network {
        loss_256ths: lost.unwrap_or(0),
        jitter: receptions()
            .map(|reception| reception.jitter(rate))
            .max()
            .unwrap_or_default(),
        delay: view.publisher.map_or(Duration::ZERO, one_way_of),
    };
    let rates = |encoding: &Encoding| encoding.reception.traffic.rates.at(view.now);
    let sent = |encoding: &Encoding| rates(encoding).is_some_and(|(bits, _)| bits > 0);
    let arrives = view.flows && source.encodings.iter().any(sent);
    let quality = arrives.then(|| match source.kind {
        Kind::Audio => quality::of_audio(&network),
        Kind::Video => quality::of_video(&network, &Picture::default()),
    });
    statistics.loss_in_256ths = statistics.loss_in_256ths.max(network.loss_256ths);
    statistics.quality_up = worse(statistics.quality_up, quality);
    statistics.published.push(PublishedStatistics {
        track: view.track.id,
        kind: kind_of(source.kind),
        forwarding: !view.track.held,
        quality,
        layers: (0..)
            .zip(&source.encodings)
            .map(|(at, encoding)| layer(source, at, encoding, rates(encoding)))
            .collect(),
    });
}

fn layer(
    source: &Source,
    at: u8,
    encoding: &Encoding,
    rates: Option<(u64, u32)>,
) -> LayerStatistics {
    let reception = &encoding.reception;
    let traffic = &reception.traffic;
    let layers = &encoding.layers;
    let size = layers.resolution(layers.spatial_layers() - 1);
    let pixels = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    let (bits_per_second, frames_per_second) = rates.unwrap_or_default();
    LayerStatistics {
        spatial: at,
        temporal: None,
        rid: encoding.rid.clone(),
        packets: traffic.count.packets,
        bytes: traffic.count.bytes,
        bits_per_second,
        frames_per_second: (source.kind == Kind::Video).then_some(frames_per_second),
        lost: reception.lost(),
        loss_256ths: reception.fraction_lost,
        jitter_ms: whole_ms(reception.jitter(source.kind.clock_rate())),
        key_frames: traffic.key_frames,
        width: size.map(|size| pixels(size.width)),
        height: size.map(|size| pixels(size.height)),
    }
}

fn add_received(
    statistics: &mut PeerStatistics,
    view: &View<'_>,
    subscription: &Subscription,
    receiver: &Peer,
) {
    let (served, reported) = (&subscription.served, &subscription.view);
    let rates = served.rates.at(view.now);
    let (bits_per_second, frames_per_second) = rates.unwrap_or_default();
    let is_video = subscription.kind == Kind::Video;
    let paused = !view.flows || !receiver.takes_part() || subscription.is_waiting();
    let count = served.count(subscription.packets, subscription.octets);
    let flowing = view.source.and_then(|source| {
        let at = subscription.encoding().unwrap_or(0);
        source.encodings.get(usize::from(at))
    });
    let lost_before = flowing.map_or(0, |encoding| encoding.reception.fraction_lost);
    // A publisher that sends nothing at the moment is no fault of anyone's network.
    let possible = flowing
        .and_then(|encoding| encoding.reception.traffic.rates.at(view.now))
        .filter(|(bits, _)| *bits > 0);
    let layer = view
        .source
        .and_then(|source| flowing_layer(source, subscription));
    let wanted = view.source.and_then(|source| {
        let wanted = subscription.selection.wanted(source)?;
        Some(wanted.spatial.min(source.layer_count() - 1))
    });
    let missing = wanted
        .zip(layer)
        .map(|(wanted, layer)| wanted.saturating_sub(layer.spatial));
    let taken = view.flows && receiver.takes_part() && rates.is_some();
    let score = |loss_256ths, delay| {
        let (_, frames_possible) = possible.filter(|_| taken)?;
        let network = Network {
            loss_256ths,
            jitter: Duration::from_millis(reported.jitter_ms.into()),
            delay,
        };
        let picture = Picture {
            frames_per_second,
            frames_possible,
            layers_missing: missing.unwrap_or(0),
        };
        Some(match subscription.kind {
            Kind::Audio => quality::of_audio(&network),
            Kind::Video => quality::of_video(&network, &picture),
        })
    };
    let here = one_way(receiver);
    let whole_way = here + view.publisher.map_or(Duration::ZERO, one_way_of);
    // What was lost before it came to us is the publisher's side, not this receiver's.
    let own_loss = reported.fraction_lost.saturating_sub(lost_before);
    statistics.quality_down = worse(statistics.quality_down, score(own_loss, here));
    statistics.loss_out_256ths = statistics.loss_out_256ths.max(reported.fraction_lost);
    statistics.jitter_ms = statistics.jitter_ms.max(reported.jitter_ms);
    statistics.received.push(ReceivedStatistics {
        track: view.track.id,
        kind: kind_of(subscription.kind),
        spatial: layer
            .filter(|_| is_video && !paused)
            .map(|layer| layer.spatial),
        temporal: layer
            .filter(|_| is_video && !paused && subscription.target().is_some())
            .map(|layer| layer.temporal),
        packets: count.packets,
        bytes: count.bytes,
        bits_per_second,
        frames_per_second: is_video.then_some(frames_per_second),
        loss_256ths: reported.fraction_lost,
        jitter_ms: reported.jitter_ms,
        nacks: served.nacks,
        resends: served.resends,
        plis: served.key_frame_requests,
        paused,
        quality: score(reported.fraction_lost, whole_way),
    });
}

/// The encoding or spatial layer, and the temporal layer, that a receiver gets.
fn flowing_layer(source: &Source, subscription: &Subscription) -> Option<Layer> {
    let number = subscription.encoding()?;
    let encoding = source.encodings.get(usize::from(number))?;
    let within = subscription
        .target()
        .map(|target| encoding.layers.layer_of(target));
    let within = within.unwrap_or_default();
    Some(Layer {
        spatial: if source.is_simulcast() {
            number
        } else {
            within.spatial
        },
        temporal: within.temporal,
    })
}

/// The way that a connection's datagrams take at the moment.
pub(super) fn transport(connection: &Connection) -> Option<TransportStatistics> {
    let path = connection.agent.selected()?;
    Some(TransportStatistics {
        path: PathKind::Udp,
        ip_version: if path.remote.is_ipv4() { 4 } else { 6 },
        srtp_profile: connection.profile()?.name().to_owned(),
    })
}

fn one_way(peer: &Peer) -> Duration {
    peer.figures.round_trip.unwrap_or_default() / 2
}

fn one_way_of(publisher: Publisher) -> Duration {
    publisher.round_trip.unwrap_or_default() / 2
}

fn worse(one: Option<u8>, other: Option<u8>) -> Option<u8> {
    [one, other].into_iter().flatten().min()
}

const fn kind_of(kind: Kind) -> TrackKind {
    match kind {
        Kind::Audio => TrackKind::Audio,
        Kind::Video => TrackKind::Video,
    }
}

/// Milliseconds; saturates after weeks.
fn whole_ms(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        Instant::now()
    }

    fn count(bytes: u64, frames: u64) -> Count {
        Count {
            packets: 0,
            bytes,
            frames,
        }
    }

    #[test]
    fn rates_are_of_the_last_interval_and_end_with_the_reports() {
        let (mut rates, now) = (Rates::default(), start());
        let second = Duration::from_secs(1);
        rates.sample(now, count(1_000_000, 100));
        assert_eq!(rates.at(now), None, "one sample is no rate");
        rates.sample(now + second, count(1_125_000, 130));
        assert_eq!(rates.at(now + second), Some((1_000_000, 30)));
        rates.sample(now + second, count(1_125_000, 130));
        assert_eq!(rates.at(now + second), Some((1_000_000, 30)), "at once");
        rates.sample(now + 2 * second, count(1_000, 1));
        assert_eq!(rates.at(now + 2 * second), Some((1_000_000, 30)));
        assert_eq!(rates.at(now + 5 * second), None, "too old");
    }

    #[test]
    fn counters_of_sender_reports_are_added_up_over_their_wrap() {
        let mut served = Served {
            seen: (u32::MAX, u32::MAX - 9),
            ..Served::default()
        };
        assert_eq!(served.count(4, 10).packets, 5);
        served.count = served.count(4, 10);
        served.seen = (4, 10);
        let later = served.count(6, 30);
        assert_eq!((later.packets, later.bytes), (7, 40));
    }
}
