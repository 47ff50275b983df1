//! A sender of pictures: frames of one encoding or of three, each cut into packets that say what they are.

use std::time::{Duration, Instant};

use str0m::media::{Mid, Rid};

use crate::support::client::Client;
use crate::support::client::descriptor::Descriptor;
use crate::support::client::packets::{HEAD, Outgoing};

/// Thirty frames a second.
pub(crate) const FRAME: Duration = Duration::from_micros(33_333);
/// Payload of one packet, at most.
const PACKET: usize = 1_100;
/// A key frame is so many times as large as others.
const KEY: usize = 5;

/// What a camera sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lens {
    pub(crate) rids: &'static [&'static str],
    /// Bits a second of each encoding, the smallest first.
    pub(crate) rates: &'static [u64],
}

pub(crate) const SIMULCAST: Lens = Lens {
    rids: &["q", "h", "f"],
    rates: &[150_000, 500_000, 1_500_000],
};

pub(crate) const SINGLE: Lens = Lens {
    rids: &[],
    rates: &[600_000],
};

/// What the beginning of each packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) encoding: u8,
    pub(crate) key: bool,
    pub(crate) index: u8,
    pub(crate) count: u8,
    pub(crate) frame: u32,
}

impl Part {
    fn write(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&[self.encoding, u8::from(self.key), self.index, self.count]);
        head[4..8].copy_from_slice(&self.frame.to_be_bytes());
        head
    }

    pub(crate) fn read(head: [u8; HEAD]) -> Self {
        let [encoding, key, index, count, a, b, c, d, ..] = head;
        Self {
            encoding,
            key: key != 0,
            index,
            count,
            frame: u32::from_be_bytes([a, b, c, d]),
        }
    }
}

pub(crate) struct Camera {
    pub(crate) mid: Mid,
    lens: Lens,
    frames: u32,
    sequences: [u64; 3],
    /// Encodings whose next frame is a key frame.
    keys: [bool; 3],
    pub(crate) keys_sent: u32,
}

impl Camera {
    pub(crate) const fn new(mid: Mid, lens: Lens) -> Self {
        Self {
            mid,
            lens,
            frames: 0,
            sequences: [1; 3],
            keys: [true; 3],
            keys_sent: 0,
        }
    }

    /// Frames that were captured.
    pub(crate) const fn frames(&self) -> u32 {
        self.frames
    }

    pub(crate) fn ask(&mut self, rid: Option<Rid>) {
        let named = |name: &&str| Rid::from(*name);
        let mut rids = self.lens.rids.iter().map(named);
        let of = rid.and_then(|rid| rids.position(|name| name == rid));
        self.keys[of.unwrap_or(0)] = true;
    }

    /// Captures a frame and sends it in all encodings.
    pub(crate) fn shoot(&mut self, now: Instant, client: &mut Client) {
        self.frames += 1;
        for (encoding, rate) in self.lens.rates.iter().enumerate() {
            let key = std::mem::take(&mut self.keys[encoding]);
            self.keys_sent += u32::from(key);
            let mut len = *rate as usize / 8 / 30;
            if key {
                len *= KEY;
            }
            let count = len.div_ceil(PACKET);
            for index in 0..count {
                let part = Part {
                    encoding: encoding as u8,
                    key,
                    index: index as u8,
                    count: count as u8,
                    frame: self.frames,
                };
                let mut payload = vec![0x5a; len / count];
                payload[..HEAD].copy_from_slice(&part.write());
                let (first, last) = (index == 0, index + 1 == count);
                let rid = self.lens.rids.get(encoding);
                client.send_packet(
                    now,
                    Outgoing {
                        mid: self.mid,
                        rid: rid.map(|rid| Rid::from(*rid)),
                        sequence: self.sequences[encoding],
                        time: self.frames.wrapping_mul(3_000),
                        marker: last,
                        descriptor: Some(Descriptor::part(key, self.frames as u16, first, last)),
                        payload: &payload,
                    },
                );
                self.sequences[encoding] += 1;
            }
        }
    }
}
