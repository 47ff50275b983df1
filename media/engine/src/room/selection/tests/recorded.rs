//! Recorded streams in layers through loss, reordering and a receiver that changes its mind all the time: nothing is
//! sent that can't be shown, and every picture ends once, at its end.

use std::collections::BTreeMap;

use super::recording::{AV1, Made, OnItsWay, Player, Recorded, VP9, recording};
use super::*;

/// What one receiver was sent, and what it can decode of it.
#[derive(Default)]
struct Watcher {
    /// By the publisher's index, with the receiver's number and whether the marker is set.
    got: HashMap<u64, (u16, bool)>,
    numbers: HashSet<u16>,
    newest: Option<u16>,
    holes: Vec<u16>,
}

impl Watcher {
    fn take(&mut self, index: u64, sequence: u16, marker: bool, fills: bool) {
        assert!(self.numbers.insert(sequence), "a number used twice");
        if !fills {
            self.got.insert(index, (sequence, marker));
        }
        match self.newest {
            Some(newest) if sequence.wrapping_sub(newest) >= 0x8000 => {}
            before => {
                let mut hole = before.map_or(sequence, |before| before.wrapping_add(1));
                while hole != sequence {
                    self.holes.push(hole);
                    hole = hole.wrapping_add(1);
                }
                self.newest = Some(sequence);
            }
        }
    }

    /// Asks again for what is missing and at the node, as a receiver does.
    fn repair(&mut self, track: &Track, at_the_node: &HashMap<u64, OnItsWay>) {
        let numbers = &mut self.numbers;
        let got = &mut self.got;
        self.holes.retain(|hole| {
            if numbers.contains(hole) {
                return false;
            }
            let missed = track.subscriptions[0].missed(*hole);
            let found = missed.and_then(|missed| Some((missed, at_the_node.get(&missed.index)?)));
            let Some((missed, packet)) = found else {
                return true;
            };
            let layers = track.source.as_ref().unwrap().layers_of(0).unwrap();
            let place = layers.place_of(&packet.descriptor).unwrap();
            if missed.target.is_none_or(|target| target.needs(&place)) {
                let marker = packet.marker || layers.ends_picture(missed.target, &place);
                got.insert(missed.index, (*hole, marker));
            }
            false
        });
    }

    fn has(&self, frame: &Made) -> bool {
        frame
            .packets
            .iter()
            .all(|index| self.got.contains_key(index))
    }
}

/// A story's whole course: who was sent what of all that was made.
struct Course {
    made: BTreeMap<u64, Made>,
    watcher: Watcher,
    lost: HashSet<u64>,
    /// Pictures during which the receiver was sent nothing for a while, or began.
    breaks: HashSet<u32>,
    /// The tick from which on nothing was lost or late, and then one from which on more was wanted.
    calm: [u32; 2],
    keys: usize,
}

const TICKS: u32 = 1_500;

/// Another view, and sometimes another limit of the receiver's link.
fn wish(whim: &mut Whim, own: &mut Selection) {
    let views = [view(0, 0), view(300, 180), view(600, 300), view(1_280, 720)];
    own.set_view(views[whim.next(8).min(3) as usize]);
    own.set_allowed(match whim.next(3) {
        0 => Allowed::UpTo(Layer {
            spatial: whim.next(3) as u8,
            temporal: whim.next(3) as u8,
        }),
        _ => Allowed::Anything,
    });
}

/// As with the receiver's reports.
fn ask_again(track: &mut Track) {
    if let Some(source) = &mut track.source {
        track.subscriptions[0].ask_for_missed_key_frame(source);
    }
}

fn play(text: &str, seed: u64) -> Course {
    let mut whim = Whim(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
    let begun = start();
    let mut track = track(false);
    let mut player = Player::new(text);
    let mut watcher = Watcher::default();
    let (mut lost, mut breaks) = (HashSet::new(), HashSet::new());
    let mut at_the_node = HashMap::new();
    let mut late: Vec<OnItsWay> = Vec::new();
    let calm = [TICKS - 200, TICKS - 100];
    let mut keys = 0;
    for tick in 0..TICKS {
        let now = begun + Duration::from_millis(33) * tick;
        let storm = tick < calm[0];
        let own = &mut track.subscriptions[0].selection;
        if storm && whim.next(5) == 0 {
            wish(&mut whim, own);
            track.choose();
        } else if tick == calm[0] || tick == calm[1] {
            own.set_view(if tick == calm[0] {
                view(640, 360)
            } else {
                view(1_280, 720)
            });
            own.set_allowed(Allowed::Anything);
            track.choose();
        }
        if tick % 30 == 0 {
            ask_again(&mut track);
        }
        let waits = track.subscriptions[0].awaits_key_frame();
        let broken = storm && whim.next(60) == 0;
        let wanted = &mut track.source.as_mut().unwrap().encodings[0].key_frames;
        if waits || broken {
            wanted.want();
        }
        let key = wanted.take_due(now);
        keys += usize::from(key);
        let mut arriving = std::mem::take(&mut late);
        for packet in player.picture(tick, key) {
            match whim.next(60) {
                0 if storm => drop(lost.insert(packet.index)),
                1 | 2 if storm => late.push(packet),
                3..9 if storm => {
                    arriving.insert(whim.next(arriving.len() as u64 + 1) as usize, packet)
                }
                _ => arriving.push(packet),
            }
        }
        for packet in arriving {
            let at = (packet.index, packet.timestamp);
            let numbers = pass(&mut track, now, 0, at, &packet.descriptor);
            if let Some(numbers) = numbers {
                let marker = packet.marker || numbers.ends_picture;
                watcher.take(packet.index, numbers.sequence, marker, numbers.fills);
            }
            if track.subscriptions[0].is_waiting() || waits {
                breaks.insert(tick);
            }
            at_the_node.insert(packet.index, packet);
        }
        watcher.repair(&track, &at_the_node);
    }
    Course {
        made: player.made,
        watcher,
        lost,
        breaks,
        calm,
        keys,
    }
}

impl Course {
    /// Frames that something lost on the way to the node took away.
    fn harmed(&self) -> HashSet<u64> {
        let mut harmed = HashSet::new();
        for (number, frame) in &self.made {
            if frame.packets.iter().any(|index| self.lost.contains(index))
                || frame.needs.iter().any(|needed| harmed.contains(needed))
            {
                harmed.insert(*number);
            }
        }
        harmed
    }

    fn decodable(&self) -> HashSet<u64> {
        let mut decodable = HashSet::new();
        for (number, frame) in &self.made {
            if self.watcher.has(frame)
                && frame.needs.iter().all(|needed| decodable.contains(needed))
            {
                decodable.insert(*number);
            }
        }
        decodable
    }

    fn check(&self, what: &str) {
        let (harmed, decodable) = (self.harmed(), self.decodable());
        // Around a break the receiver has the beginning of a picture or its end.
        let at_a_break = |picture: u32| {
            (picture.saturating_sub(1)..picture + 2).any(|near| self.breaks.contains(&near))
        };
        let mut pictures: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for (number, frame) in &self.made {
            let some = frame
                .packets
                .iter()
                .any(|index| self.watcher.got.contains_key(index));
            if !some {
                continue;
            }
            pictures.entry(frame.picture).or_default().push(*number);
            assert!(
                harmed.contains(number) || at_a_break(frame.picture) || decodable.contains(number),
                "{what}: frame {number} of picture {} was sent for nothing",
                frame.picture
            );
        }
        let lost_some: HashSet<u32> = harmed
            .iter()
            .map(|number| self.made[number].picture)
            .collect();
        for (picture, frames) in &pictures {
            if lost_some.contains(picture) || at_a_break(*picture) {
                continue;
            }
            let packets = frames.iter().flat_map(|number| &self.made[number].packets);
            let mut sent: Vec<(u16, bool)> = packets.map(|index| self.watcher.got[index]).collect();
            let first = sent[0].0;
            sent.sort_by_key(|(sequence, _)| sequence.wrapping_sub(first) as i16);
            let marked: Vec<bool> = sent.iter().map(|(_, marker)| *marker).collect();
            let (last, rest) = marked.split_last().unwrap();
            assert!(
                *last && !rest.contains(&true),
                "{what}: picture {picture} ends once, at its end: {marked:?}"
            );
        }
        for (from, until, spatial) in [(self.calm[0], self.calm[1], 1), (self.calm[1], TICKS, 2)] {
            // A key frame is throttled to one in 300 ms; what was lost before is made good by it.
            for picture in from + 40..until {
                // A sender that runs short of time leaves its highest layer out.
                let mut made = self.made.values();
                if !made.any(|frame| frame.picture == picture && frame.spatial == spatial) {
                    continue;
                }
                let frames = pictures.get(&picture).into_iter().flatten();
                let best = frames.map(|number| self.made[number].spatial).max();
                assert_eq!(best, Some(spatial), "{what}: picture {picture}");
            }
        }
    }
}

#[test]
fn of_three_layers_that_lean_on_each_other_at_key_frames_alone_nothing_is_sent_that_can_not_be_shown()
 {
    for (codec, text) in [("VP9", VP9), ("AV1", AV1)] {
        for seed in 1..=20 {
            let course = play(text, seed);
            course.check(&format!("{codec}, seed {seed}"));
            assert!(course.watcher.got.len() > 1_000, "{codec}, seed {seed}");
            assert!(
                course.keys > 10 && course.keys < 160,
                "{codec}, seed {seed}: {} key frames",
                course.keys
            );
        }
    }
}

/// The second spatial layer alone can't be shown to whoever had the third: it leans on its own frames.
#[test]
fn layers_that_the_sender_feeds_no_more_are_left_for_those_it_feeds() {
    let mut track = track(false);
    let begun = start();
    let recorded = recording(VP9);
    let key = &recorded[0];
    let lacks = |track: &mut Track, at| {
        let encoding = &mut track.source.as_mut().unwrap().encodings[0];
        let best = encoding.layers.target_for(BEST).unwrap();
        let spatial = encoding.layers.layer_of(best).spatial;
        (spatial, encoding.key_frames.take_due(at))
    };
    assert!(pass(&mut track, begun, 0, (70_000, 0), &key.descriptor).is_some());
    assert_eq!(lacks(&mut track, begun), (2, false));
    // Active targets follow: those of the first two spatial layers, of nine in all.
    let flags = Bits("01000".to_owned() + "000111111").bytes();
    let number = Descriptor::frame_number(&key.descriptor).wrapping_add(3);
    let descriptor = |number: u16, rest: &[u8]| {
        let [high, low] = number.to_be_bytes();
        [&[0xc6, high, low], rest].concat()
    };
    let later = begun + Duration::from_millis(33);
    pass(
        &mut track,
        later,
        0,
        (70_004, 2_970),
        &descriptor(number, &flags),
    );
    assert_eq!(lacks(&mut track, later), (1, true), "it begins anew there");
    // What comes late says nothing of now.
    let all = Bits("01000".to_owned() + "111111111").bytes();
    pass(
        &mut track,
        later,
        0,
        (70_001, 0),
        &descriptor(number - 2, &all),
    );
    assert_eq!(lacks(&mut track, later).0, 1);
    let fed = later + Duration::from_millis(400);
    pass(
        &mut track,
        fed,
        0,
        (70_010, 39_000),
        &descriptor(number + 3, &all),
    );
    assert_eq!(lacks(&mut track, fed).0, 2);
}

/// An AV1 packet with a recorded descriptor, as a sender writes it: an aggregation header before what the frame has
/// (AV1 RTP specification, section 4.4).
fn av1_packet(sequence: u16, recorded: &Recorded) -> Vec<u8> {
    let (first, last) = (
        recorded.descriptor[0] & 0x80 != 0,
        recorded.descriptor[0] & 0x40 != 0,
    );
    let begins = crate::wire::descriptor::starts_key_frame(&recorded.descriptor);
    let header = u8::from(!first) << 7 | u8::from(!last) << 6 | 1 << 4 | u8::from(begins) << 3;
    let mut bytes = vec![0x90, u8::from(recorded.marker) << 7 | 45];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(recorded.timestamp.to_be_bytes());
    bytes.extend([0, 0, 0, 1, 0x10, 0x00]);
    let words = (2 + recorded.descriptor.len()).div_ceil(4);
    bytes.extend((words as u16).to_be_bytes());
    bytes.extend([13, recorded.descriptor.len() as u8]);
    bytes.extend(&recorded.descriptor);
    bytes.resize(16 + 4 * words, 0);
    bytes.push(header);
    bytes.extend([0x5a; 40]);
    bytes
}

#[test]
fn forwarding_av1_rewrites_the_frame_number_and_leaves_the_aggregation_header_alone() {
    use crate::wire::extension::ExtensionMap;
    use crate::wire::forward::{Rewrite, write_forwarded};
    use crate::wire::ids::{ExtensionId, PayloadType};
    use crate::wire::rtp::RtpPacket;

    let (id, ours) = (ExtensionId::new(13).unwrap(), ExtensionId::new(7).unwrap());
    let mut extensions = ExtensionMap::new(true);
    extensions.set(id, ours);
    let mut seen = HashSet::new();
    for (sequence, recorded) in (0..).zip(recording(AV1)) {
        let bytes = av1_packet(sequence, &recorded);
        let packet = RtpPacket::parse(&bytes).unwrap();
        let rewrite = Rewrite {
            payload_type: PayloadType::new(99).unwrap(),
            sequence: sequence.wrapping_add(5),
            timestamp: 1,
            ssrc: Ssrc(9),
            marker: None,
            extensions: &extensions,
            insert: &[],
            transport_sequence: None,
            frame_number: Some((ours, 0xbeef)),
            padding: 0,
        };
        let mut buffer = [0; 1_500];
        let len = write_forwarded(&packet, &rewrite, &mut buffer).unwrap();
        let forwarded = RtpPacket::parse(&buffer[..len]).unwrap();
        assert_eq!(
            forwarded.payload(),
            packet.payload(),
            "aggregation header and all"
        );
        assert_eq!(forwarded.marker(), recorded.marker);
        let mut wanted = recorded.descriptor;
        wanted[1..3].copy_from_slice(&[0xbe, 0xef]);
        assert_eq!(forwarded.extension(ours), Some(wanted.as_slice()));
        seen.insert(forwarded.payload()[0]);
    }
    assert!(
        seen.len() >= 4,
        "whole frames, their beginnings, middles and ends: {seen:?}"
    );
}
