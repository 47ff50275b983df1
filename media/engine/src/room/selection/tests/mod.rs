//! Packets of layered streams, with all that a network does to them, through the choice and the numbering of one
//! receiver.

mod recorded;
mod recording;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use homeline_protocol::id::TrackId;

use super::*;
use crate::room::slots::PeerSlot;
use crate::room::subscription::{Numbers, Subscription, Terms};
use crate::room::track::Queued;
use crate::transport::sdp::{ExtensionIds, Offer};
use crate::wire::ids::Ssrc;

/// A capture of Chromium's L3T3 stream; its templates are numbered from 1.
const L3T3_KEY_FRAME: &str = "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a8000600004\
    0001d954926e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d";

/// Bits of a descriptor, most significant first.
struct Bits(String);

impl Bits {
    fn bytes(mut self) -> Vec<u8> {
        while !self.0.len().is_multiple_of(8) {
            self.0.push('0');
        }
        let bytes = self.0.as_bytes().chunks(8);
        bytes
            .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap())
            .collect()
    }
}

/// Two temporal layers, as AV1 RTP specification A.8.2 writes them: templates 0 (key), 1 (T0) and 2 (T1).
fn l1t2(template: u8, number: u16, starts: bool, ends: bool) -> Vec<u8> {
    let mut bits = format!(
        "{}{}{template:06b}{number:016b}",
        u8::from(starts),
        u8::from(ends)
    );
    if template == 0 && starts {
        bits += "10000"; // A structure, and nothing else.
        bits += "000000"; // Numbered from 0.
        bits += "00001"; // Two decode targets.
        bits += "00"; // The next template is of the same layers,
        bits += "01"; // the next of the next temporal layer,
        bits += "11"; // and that is all.
        bits += "1010"; // Key: a switch for both.
        bits += "1010"; // T0: the same.
        bits += "0001"; // T1: not in the first, discardable in the second.
        bits += "0"; // Key: refers to nothing.
        bits += "100010"; // T0: two frames back.
        bits += "100000"; // T1: one frame back.
        bits += "0"; // No chains: the value 0 of three.
        bits += "0"; // No resolutions.
    }
    Bits(bits).bytes()
}

/// A network's and a person's whims, from a seed.
struct Whim(u64);

impl Whim {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

pub(in crate::room) fn start() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an arbitrary start of the test's clock"
    )]
    Instant::now()
}

fn offer(simulcast: bool) -> Offer {
    let text = include_str!("../../../transport/sdp/fixtures/chromium-156.sdp");
    let mut offer = Offer::parse(text, 8).unwrap();
    if simulcast {
        offer.sections[1].rids = vec!["q".to_owned(), "h".to_owned(), "f".to_owned()];
    }
    offer
}

pub(in crate::room) fn track(simulcast: bool) -> Track {
    let offer = offer(simulcast);
    let mut track = Track::new(TrackId([1; 16]));
    track.begin(Source::new(PeerSlot(0), &offer.sections[1]).unwrap());
    track.subscribe(Subscription::new(Terms {
        peer: PeerSlot(1),
        mid: "1".to_owned(),
        kind: Kind::Video,
        codecs: offer.sections[1].codecs.clone(),
        ids: ExtensionIds::default(),
        ssrc: Ssrc(1),
        rtx_ssrc: None,
        stream: "a".to_owned(),
        first_sequence: 100,
        first_timestamp: 5_000,
    }));
    track
}

/// Takes a packet of an encoding as `receive` does and numbers it for the receiver.
fn pass(
    track: &mut Track,
    now: Instant,
    encoding: u8,
    (index, timestamp): (u64, u32),
    descriptor: &[u8],
) -> Option<Numbers> {
    let source = track.source.as_mut().unwrap();
    let begins = crate::wire::descriptor::starts_key_frame(descriptor);
    let of = &mut source.encodings[usize::from(encoding)];
    of.ssrc = Some(Ssrc(u32::from(encoding) + 1));
    let fed = of.layers.active();
    let place = of.layers.read(descriptor);
    let fed = of.layers.active() != fed;
    of.layers.count(place.as_ref(), 1_000);
    if source.note_flow(now, encoding) || fed || begins && place.is_some() {
        track.choose();
    }
    let source = track.source.as_mut().unwrap();
    if begins {
        let of = &mut source.encodings[usize::from(encoding)];
        of.key_frames.arrived();
    }
    let queued = Queued {
        encoding,
        index,
        len: 1_000,
        begins,
        place,
        taken: None,
    };
    let source = track.source.as_ref().unwrap();
    track.subscriptions[0].number(now, &queued, timestamp, source)
}

const fn view(width: u16, height: u16) -> View {
    View { width, height }
}

/// Whatever a receiver is sent, it is one stream without holes of our making, with numbers that mean one thing.
#[expect(
    clippy::too_many_lines,
    reason = "one story: what is sent, what is lost on the way, and what must hold at the end"
)]
#[test]
fn a_thousand_changes_leave_one_stream_under_loss_and_reordering() {
    for seed in 1..=20 {
        let mut whim = Whim(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let begun = start();
        let mut track = track(true);
        let mut next_index = [70_000_u64, 90_000, 110_000];
        let mut frame_numbers = [0_u16, 7_000, 65_500];
        let timestamps = [1_u32, 0xffff_0000, 77_777];
        let mut sent: HashMap<u16, (u8, u64)> = HashMap::new();
        let mut frames: HashMap<u16, (u8, u16)> = HashMap::new();
        let (mut newest, mut newest_time): (Option<u16>, Option<u32>) = (None, None);
        let mut lost = HashSet::new();
        let mut early = HashSet::new();
        let mut late: Vec<(u8, u64, u32, Vec<u8>)> = Vec::new();
        let (mut changes, mut flowing) = (0, None);
        for tick in 0..1_500_u32 {
            let now = begun + Duration::from_millis(33) * tick;
            if whim.next(3) == 0 {
                let most = [view(0, 0), view(300, 180), view(600, 300), view(1_280, 720)];
                let selection = &mut track.subscriptions[0].selection;
                selection.set_view(most[whim.next(8).min(3) as usize]);
                selection.set_allowed(match whim.next(4) {
                    0 => Allowed::UpTo(Layer {
                        spatial: whim.next(3) as u8,
                        temporal: whim.next(2) as u8,
                    }),
                    _ => Allowed::Anything,
                });
                track.choose();
            }
            for encoding in 0..3_u8 {
                let at = usize::from(encoding);
                let asks = track.subscriptions[0].is_waiting() && whim.next(4) == 0;
                let keys = &mut track.source.as_mut().unwrap().encodings[at].key_frames;
                let key = keys.take_due(now) || tick == 0 || asks;
                let template = if key { 0 } else { 1 + (tick % 2) as u8 };
                frame_numbers[at] = frame_numbers[at].wrapping_add(1);
                for part in 0..2 {
                    let index = next_index[at];
                    next_index[at] += 1;
                    let timestamp = timestamps[at].wrapping_add(tick * 2_970);
                    let bytes = l1t2(template, frame_numbers[at], part == 0, part == 1);
                    match whim.next(50) {
                        0 => drop(lost.insert((encoding, index))),
                        1 => late.push((encoding, index, timestamp, bytes)),
                        _ => late.insert(0, (encoding, index, timestamp, bytes)),
                    }
                }
            }
            let keep = late.len().min(whim.next(3) as usize);
            let arriving: Vec<_> = late.split_off(keep).into_iter().rev().collect();
            let mut awaited: HashSet<(u8, u64)> = arriving
                .iter()
                .map(|(encoding, index, ..)| (*encoding, *index))
                .collect();
            for (encoding, index, timestamp, bytes) in arriving {
                awaited.remove(&(encoding, index));
                let numbers = pass(&mut track, now, encoding, (index, timestamp), &bytes);
                let subscription = &track.subscriptions[0];
                let Some(numbers) = numbers else {
                    if subscription.encoding() != Some(encoding) {
                        early.insert((encoding, index));
                    }
                    continue;
                };
                let before = sent.insert(numbers.sequence, (encoding, index));
                assert!(before.is_none(), "seed {seed}: a number used twice");
                let is_newest =
                    newest.is_none_or(|newest| numbers.sequence.wrapping_sub(newest) < 0x8000);
                if is_newest {
                    let from = newest.map_or(numbers.sequence, |newest| newest.wrapping_add(1));
                    let mut hole = from;
                    while hole != numbers.sequence {
                        let missed = subscription
                            .missed(hole)
                            .expect("a hole is a packet that is missing");
                        let key = (missed.encoding, missed.index);
                        let under_way = late_or_lost(&lost, &late, key) || awaited.contains(&key);
                        // What came before the key frame's own first packet is in the ring, to be asked for.
                        let early = early.contains(&key);
                        assert!(
                            under_way || early,
                            "seed {seed}: a hole of our making at {hole}"
                        );
                        hole = hole.wrapping_add(1);
                    }
                    newest = Some(numbers.sequence);
                    let goes_on = newest_time
                        .is_none_or(|time| numbers.timestamp.wrapping_sub(time) < 0x8000_0000);
                    assert!(goes_on, "seed {seed}: time goes back");
                    newest_time = Some(numbers.timestamp);
                }
                let missed = subscription.missed(numbers.sequence).unwrap();
                assert_eq!(
                    (missed.encoding, missed.index),
                    (encoding, index),
                    "seed {seed}: repair"
                );
                let theirs = Descriptor::frame_number(&bytes);
                let ours = numbers.frame_number.unwrap_or(theirs);
                assert_eq!(ours, theirs.wrapping_add(missed.frame_offset));
                if !numbers.fills {
                    let known = frames.insert(ours, (encoding, theirs));
                    assert!(
                        known.is_none_or(|known| known == (encoding, theirs)),
                        "seed {seed}: two frames, one number"
                    );
                }
                if flowing != subscription.encoding() {
                    flowing = subscription.encoding();
                    changes += 1;
                }
            }
        }
        assert!(changes > 20, "seed {seed}: {changes} changes");
    }
}

struct Descriptor;

impl Descriptor {
    fn frame_number(bytes: &[u8]) -> u16 {
        u16::from_be_bytes([bytes[1], bytes[2]])
    }
}

fn late_or_lost(
    lost: &HashSet<(u8, u64)>,
    late: &[(u8, u64, u32, Vec<u8>)],
    key: (u8, u64),
) -> bool {
    lost.contains(&key)
        || late
            .iter()
            .any(|(encoding, index, ..)| (*encoding, *index) == key)
}

#[test]
fn a_view_chooses_the_smallest_picture_that_covers_it_and_nothing_when_nobody_looks() {
    let mut track = track(true);
    let now = start();
    for encoding in 0..3 {
        pass(
            &mut track,
            now,
            encoding,
            (70_000, 0),
            &l1t2(0, 1, true, true),
        );
    }
    let chosen = |track: &mut Track, view: View| {
        track.subscriptions[0].selection.set_view(view);
        track.choose();
        track.subscriptions[0]
            .selection
            .chosen()
            .map(|chosen| chosen.encoding)
    };
    assert_eq!(chosen(&mut track, view(1_920, 1_080)), Some(2));
    assert_eq!(chosen(&mut track, view(640, 360)), Some(1));
    assert_eq!(
        chosen(&mut track, view(700, 390)),
        Some(1),
        "a tenth too small is enough"
    );
    assert_eq!(chosen(&mut track, view(160, 90)), Some(0));
    assert_eq!(chosen(&mut track, view(0, 90)), None);
    assert!(track.subscriptions[0].is_waiting());
    let paused = pass(&mut track, now, 0, (70_001, 9_000), &l1t2(0, 2, true, true));
    assert_eq!(paused, None, "not even a key frame");
    assert_eq!(
        track.subscriptions[0]
            .selection
            .takes(track.source.as_ref().unwrap()),
        0
    );
}

#[test]
fn the_higher_temporal_layer_is_left_out_without_a_hole_and_comes_back_where_it_may() {
    let mut track = track(false);
    let begun = start();
    let mut got = Vec::new();
    for frame in 0..40_u16 {
        let template = if frame == 0 { 0 } else { 1 + (frame % 2) as u8 };
        if frame == 10 || frame == 20 {
            let temporal = u8::from(frame == 20);
            let most = Layer {
                spatial: 0,
                temporal,
            };
            track.subscriptions[0]
                .selection
                .set_allowed(Allowed::UpTo(most));
            track.choose();
        }
        let now = begun + Duration::from_millis(33) * u32::from(frame);
        let at = (70_000 + u64::from(frame), u32::from(frame) * 3_000);
        let numbers = pass(&mut track, now, 0, at, &l1t2(template, frame, true, true));
        got.extend(numbers.map(|numbers| (frame, numbers.sequence)));
    }
    let expected = (0..40).filter(|frame| !(10..20).contains(frame) || frame % 2 == 1);
    let frames: Vec<u16> = got.iter().map(|(frame, _)| *frame).collect();
    // Odd frames are of template 2, the higher layer: the even ones stay.
    let higher = |frame: &u16| frame % 2 == 1;
    let thinned: Vec<u16> = frames
        .iter()
        .copied()
        .filter(|frame| (10..20).contains(frame))
        .collect();
    assert!(thinned.iter().all(|frame| !higher(frame)), "{thinned:?}");
    assert!(frames.len() >= expected.count());
    let sequences: Vec<u16> = got.iter().map(|(_, sequence)| *sequence).collect();
    assert!(
        sequences.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{sequences:?}"
    );
    let missed = track.subscriptions[0].missed(got[12].1).unwrap();
    assert_eq!(missed.index, 70_000 + u64::from(got[12].0));
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn of_three_spatial_layers_a_receiver_gets_those_it_may_and_a_picture_ends_with_the_highest() {
    let mut track = track(false);
    let now = start();
    let key = unhex(L3T3_KEY_FRAME);
    assert!(pass(&mut track, now, 0, (70_000, 0), &key).is_some());
    let most = Layer {
        spatial: 1,
        temporal: 2,
    };
    track.subscriptions[0]
        .selection
        .set_allowed(Allowed::UpTo(most));
    track.choose();
    // The templates of each layer, as the structure has them; the first is the key frame's.
    let source = track.source.as_ref().unwrap();
    assert_eq!(source.layer_count(), 3);
    assert_eq!(source.resolution(2).width, 480);
    let mut index = 70_000;
    let mut got = Vec::new();
    for moment in 1..30_u16 {
        for spatial in 0..3_u8 {
            index += 1;
            let number = 0x0172 + moment * 3 + u16::from(spatial);
            // 1: (0, 0); 6: (1, 0); 11: (2, 0), as the capture numbers them.
            let template = [2_u8, 6, 11][usize::from(spatial)];
            let [high, low] = number.to_be_bytes();
            let bytes = [0xc0 | template, high, low];
            let at = (index, u32::from(moment) * 3_000);
            let place = track.source.as_ref().unwrap().encodings[0]
                .layers
                .place_of(&bytes);
            let layer = place.unwrap().spatial;
            let numbers = pass(&mut track, now, 0, at, &bytes);
            got.extend(numbers.map(|numbers| (layer, numbers.sequence, numbers.ends_picture)));
        }
    }
    assert!(got.iter().all(|(layer, ..)| *layer <= 1), "{got:?}");
    assert!(got.iter().any(|(layer, ..)| *layer == 1));
    assert!(got.iter().all(|(layer, _, ends)| *ends == (*layer == 1)));
    assert!(got.windows(2).all(|pair| pair[1].1 == pair[0].1 + 1));
}

#[test]
fn an_encoding_that_stops_is_left_for_one_that_flows() {
    let mut track = track(true);
    let begun = start();
    let mut got = HashMap::new();
    for tick in 0..120_u32 {
        let now = begun + Duration::from_millis(33) * tick;
        for encoding in 0..3_u8 {
            if encoding == 2 && (40..80).contains(&tick) {
                continue;
            }
            let keys =
                &mut track.source.as_mut().unwrap().encodings[usize::from(encoding)].key_frames;
            let key = keys.take_due(now) || tick == 0 || (encoding == 2 && tick == 80);
            let bytes = l1t2(u8::from(!key), tick as u16, true, true);
            let at = (70_000 + u64::from(tick), tick * 3_000);
            if pass(&mut track, now, encoding, at, &bytes).is_some() {
                got.insert(tick, encoding);
            }
        }
    }
    assert_eq!(got.get(&39), Some(&2));
    assert_eq!(
        got.get(&60),
        Some(&1),
        "within half a second and a key frame"
    );
    assert_eq!(got.get(&119), Some(&2), "and back");
    let gone = (40..60).filter(|tick| !got.contains_key(tick)).count();
    assert!(gone * 33 < 1_000, "frozen for {} ms", gone * 33);
}

#[test]
fn rates_are_of_a_layer_with_all_that_it_needs() {
    let mut track = track(false);
    let begun = start();
    for frame in 0..60_u16 {
        let now = begun + Duration::from_millis(20) * u32::from(frame);
        let template = if frame == 0 { 0 } else { 1 + (frame % 2) as u8 };
        let at = (70_000 + u64::from(frame), u32::from(frame) * 1_800);
        pass(&mut track, now, 0, at, &l1t2(template, frame, true, true));
        if frame == 9 || frame == 59 {
            track.source.as_mut().unwrap().encodings[0]
                .layers
                .sample(now);
        }
    }
    let now = begun + Duration::from_millis(1_200);
    let rates: Vec<LayerRate> = track.layer_rates(now).collect();
    // 50 packets of 1,000 bytes in a second, half of them of each layer.
    let rate = |temporal| LayerRate {
        layer: Layer {
            spatial: 0,
            temporal,
        },
        bits_per_second: 200_000 * (u64::from(temporal) + 1),
    };
    assert_eq!(rates, [rate(0), rate(1)]);
    assert_eq!(
        track.layer_rates(now + Duration::from_secs(5)).count(),
        0,
        "too old"
    );
}

#[test]
fn a_higher_spatial_layer_is_entered_at_a_key_frame_only() {
    let mut track = track(false);
    let now = start();
    let key = unhex(L3T3_KEY_FRAME);
    let allow = |track: &mut Track, spatial| {
        let most = Layer {
            spatial,
            temporal: 2,
        };
        let own = &mut track.subscriptions[0];
        own.selection.set_allowed(Allowed::UpTo(most));
        track.choose();
    };
    allow(&mut track, 0);
    assert!(pass(&mut track, now, 0, (70_000, 0), &key).is_some());
    allow(&mut track, 2);
    let keys = &mut track.source.as_mut().unwrap().encodings[0].key_frames;
    assert!(keys.take_due(now), "it is asked for");
    let layers = |track: &mut Track, first: u64, moment: u16| -> Vec<u8> {
        let mut got = Vec::new();
        for (spatial, template) in [(0_u16, 2_u8), (1, 6), (2, 11)] {
            let past = moment * 3 + spatial;
            let [high, low] = (0x0172 + past).to_be_bytes();
            let at = (first + u64::from(past), u32::from(moment) * 3_000);
            let numbers = pass(track, now, 0, at, &[0xc0 | template, high, low]);
            got.extend(numbers.map(|_| spatial as u8));
        }
        got
    };
    for moment in 1..10 {
        assert_eq!(layers(&mut track, 70_000, moment), [0]);
    }
    assert!(pass(&mut track, now, 0, (70_100, 31_000), &key).is_some());
    assert_eq!(layers(&mut track, 70_100, 11), [0, 1, 2]);
}

#[test]
fn a_picture_a_second_keeps_its_encoding_and_asks_for_nothing() {
    let mut track = track(true);
    let begun = start();
    for second in 0..20_u16 {
        let now = begun + Duration::from_secs(1) * u32::from(second);
        for encoding in 0..3_u8 {
            let bytes = l1t2(u8::from(second > 1), second, true, true);
            let at = (70_000 + u64::from(second), u32::from(second) * 90_000);
            pass(&mut track, now, encoding, at, &bytes);
        }
        for encoding in &mut track.source.as_mut().unwrap().encodings {
            assert!(second < 2 || !encoding.key_frames.take_due(now), "{second}");
        }
        let chosen = track.subscriptions[0].selection.chosen();
        assert!(second < 2 || chosen.is_some_and(|chosen| chosen.encoding == 2));
    }
}
