//! Streams in three spatial and three temporal layers as Chromium 156 describes them (VP9 and AV1, recorded by
//! `app/e2e/record_descriptors.mjs`), played by a sender that is asked for key frames.
//!
//! What the frames need of each other is read here anew, so that the engine's reader is held against another.

use std::collections::BTreeMap;

use super::*;

pub(super) const VP9: &str = include_str!("../fixtures/vp9-l3t3-key-chromium-156.txt");
pub(super) const AV1: &str = include_str!("../fixtures/av1-l3t3-key-chromium-156.txt");

/// One packet of a recording, as one line has it.
pub(super) struct Recorded {
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) descriptor: Vec<u8>,
}

pub(super) fn recording(text: &str) -> Vec<Recorded> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        Recorded {
            timestamp: words[1].parse().unwrap(),
            marker: words[2] == "m",
            descriptor: unhex(words[3]),
        }
    };
    text.lines().map(line).collect()
}

/// Bits of a descriptor, read one after the other.
pub(super) struct Reader<'a>(&'a [u8], usize);

impl Reader<'_> {
    pub(super) fn bits(&mut self, count: usize) -> usize {
        (0..count).fold(0, |value, _| {
            let bit = self.0[self.1 / 8] >> (7 - self.1 % 8) & 1;
            self.1 += 1;
            value << 1 | usize::from(bit)
        })
    }
}

/// What a template says of a frame.
#[derive(Clone, Default)]
pub(super) struct Template {
    pub(super) spatial: u8,
    pub(super) temporal: u8,
    /// How many frames back those are that it refers to.
    pub(super) needs: Vec<usize>,
}

/// The structure's templates and the first one's id.
#[derive(Default)]
pub(super) struct Templates(Vec<Template>, usize);

impl Templates {
    /// Layers and differences of AV1 RTP specification A.8.2; what lies between and behind is passed over.
    pub(super) fn read(reader: &mut Reader<'_>) -> (Self, usize) {
        let first = reader.bits(6);
        let targets = reader.bits(5) + 1;
        let mut all = vec![Template::default()];
        loop {
            let mut next = all[all.len() - 1].clone();
            match reader.bits(2) {
                0 => {}
                1 => next.temporal += 1,
                2 => (next.spatial, next.temporal) = (next.spatial + 1, 0),
                _ => break,
            }
            all.push(next);
        }
        reader.bits(2 * targets * all.len());
        for template in &mut all {
            while reader.bits(1) == 1 {
                template.needs.push(reader.bits(4) + 1);
            }
        }
        (Self(all, first), targets)
    }

    /// A descriptor's template, with differences of its own where it has some. Chromium writes own differences only
    /// without a structure and own indications.
    pub(super) fn of(&mut self, descriptor: &[u8]) -> Template {
        let id = usize::from(descriptor[0] & 0x3f);
        let mut own = None;
        if descriptor.len() > 3 {
            let mut reader = Reader(&descriptor[3..], 0);
            let flags = reader.bits(5);
            if flags & 0x10 != 0 {
                *self = Self::read(&mut reader).0;
                assert_eq!(flags & 0x0f, 0, "nothing beside a structure");
            } else {
                assert_eq!(flags & 0x0c, 0, "neither active targets nor indications");
                if flags & 2 != 0 {
                    let mut needs = Vec::new();
                    loop {
                        match reader.bits(2) {
                            0 => break,
                            nibbles => needs.push(reader.bits(4 * nibbles) + 1),
                        }
                    }
                    own = Some(needs);
                }
            }
        }
        let mut template = self.0[(id + 64 - self.1) % 64].clone();
        template.needs = own.unwrap_or(template.needs);
        template
    }
}

/// A frame as its sender made it.
#[derive(Default)]
pub(super) struct Made {
    pub(super) picture: u32,
    pub(super) spatial: u8,
    pub(super) temporal: u8,
    pub(super) needs: Vec<u64>,
    pub(super) packets: Vec<u64>,
}

/// A packet on its way to the node.
#[derive(Clone)]
pub(super) struct OnItsWay {
    pub(super) index: u64,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) descriptor: Vec<u8>,
}

/// A sender that plays a recording, from one of its key frames on whenever it is asked for one or has no more.
pub(super) struct Player {
    pub(super) recording: Vec<Recorded>,
    pub(super) beginnings: Vec<usize>,
    pub(super) at: usize,
    pub(super) templates: Templates,
    pub(super) index: u64,
    /// The number of the frame last sent, and the recording's of it.
    pub(super) number: u64,
    pub(super) recorded_number: u16,
    pub(super) made: BTreeMap<u64, Made>,
}

impl Player {
    pub(super) fn new(text: &str) -> Self {
        let recording = recording(text);
        let is_key =
            |packet: &Recorded| crate::wire::descriptor::starts_key_frame(&packet.descriptor);
        let beginnings: Vec<usize> = (0..recording.len())
            .filter(|at| is_key(&recording[*at]))
            .collect();
        assert_eq!(beginnings.len(), 2);
        Self {
            beginnings,
            at: recording.len(),
            recording,
            templates: Templates::default(),
            index: 70_000,
            number: 65_000,
            recorded_number: 0,
            made: BTreeMap::new(),
        }
    }

    /// The next picture, which is made at this tick.
    pub(super) fn picture(&mut self, tick: u32, key: bool) -> Vec<OnItsWay> {
        // The last picture may have been cut off.
        let last = self.recording.last().unwrap().timestamp;
        let ended = self
            .recording
            .get(self.at)
            .is_none_or(|next| next.timestamp == last);
        let mut jumps = key || ended;
        if jumps {
            let next = self.beginnings.iter().find(|begin| **begin > self.at);
            self.at = *next.unwrap_or(&self.beginnings[0]);
        }
        let recorded = self.recording[self.at].timestamp;
        let mut packets = Vec::new();
        while self.recording[self.at].timestamp == recorded {
            let Recorded {
                marker,
                ref descriptor,
                ..
            } = self.recording[self.at];
            let (marker, mut descriptor) = (marker, descriptor.clone());
            let number = Descriptor::frame_number(&descriptor);
            if descriptor[0] & 0x80 != 0 {
                // A frame that the browser left out counts, so that differences stay what they are.
                let steps = number.wrapping_sub(self.recorded_number);
                self.number += if std::mem::take(&mut jumps) {
                    1
                } else {
                    u64::from(steps)
                };
                self.recorded_number = number;
                let template = self.templates.of(&descriptor);
                let frame = self.made.entry(self.number).or_default();
                frame.needs = template
                    .needs
                    .iter()
                    .map(|back| self.number - *back as u64)
                    .collect();
                (frame.picture, frame.spatial, frame.temporal) =
                    (tick, template.spatial, template.temporal);
            }
            self.made
                .get_mut(&self.number)
                .unwrap()
                .packets
                .push(self.index);
            descriptor[1..3].copy_from_slice(&(self.number as u16).to_be_bytes());
            packets.push(OnItsWay {
                index: self.index,
                timestamp: tick.wrapping_mul(2_970),
                marker,
                descriptor,
            });
            self.index += 1;
            self.at += 1;
        }
        packets
    }
}
