//! One peer as its thread plays it: a socket, the peer behind it, what it sends and what it counts.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use str0m::media::{Mid, Rid};
use str0m::rtp::ExtensionValues;
use tokio::sync::oneshot;

use super::counting::Counter;
use super::descriptor::Descriptor;
use super::recorder::Measured;
use super::stamp;
use crate::peer::{Outgoing, Peer, Told};
use crate::shape::Encoding;
use crate::sockets::is_media;

/// Datagrams taken from one socket before others get their turn.
const READS_MAX: usize = 64;

/// Frames from one key frame to the next when nobody asks: ten seconds.
const KEY_FRAME_INTERVAL: u64 = 300;

/// One stream of packets.
#[derive(Clone)]
pub struct Line {
    /// The section that sends it.
    pub mid: Mid,
    /// Its name and size, where there are several.
    pub encoding: Option<Encoding>,
    /// Bytes of each packet's payload.
    pub payload: usize,
    /// Packets of each burst, used in turn.
    pub bursts: Vec<u32>,
    /// From one burst to the next.
    pub interval: Duration,
    /// Ticks of the codec's clock from one burst to the next.
    pub ticks: u32,
    /// Where in the interval it begins, 0 to 1.
    pub phase: f64,
    /// Bursts sent so far.
    pub sent: u64,
    /// Packets sent so far.
    pub sequence: u64,
    /// The frame of the last key frame.
    pub key_at: Option<u64>,
}

/// A peer.
pub struct Seat {
    /// Its socket.
    pub socket: UdpSocket,
    /// What speaks through it.
    pub peer: Peer,
    /// Whether it decrypts, and measures.
    pub decrypts: bool,
    /// What it sends.
    pub lines: Vec<Line>,
    /// What it counts.
    pub counter: Counter,
    /// Told when it is connected.
    pub joined: Option<oneshot::Sender<Instant>>,
}

impl Seat {
    /// Sends a burst that was meant for `intended`.
    pub fn send_burst(
        &mut self,
        line: usize,
        (intended, now): (Instant, Instant),
        (epoch, payload): (Instant, &mut [u8]),
        measured: &mut Measured,
    ) {
        let Self { peer, lines, .. } = self;
        let line = &mut lines[line];
        let count = line.bursts[line.sent as usize % line.bursts.len()];
        let frame = line.sent;
        line.sent += 1;
        let due = line
            .key_at
            .is_none_or(|at| frame - at >= KEY_FRAME_INTERVAL);
        if due {
            line.key_at = Some(frame);
        }
        let payload = &mut payload[..line.payload.max(stamp::STAMP_LEN)];
        stamp::write(payload, epoch, intended);
        for number in 0..count {
            line.sequence += 1;
            let mut extensions = ExtensionValues::default();
            if let Some(encoding) = line.encoding {
                extensions.user_values.set(Descriptor {
                    first: number == 0,
                    last: number + 1 == count,
                    frame: frame as u16,
                    key: due.then_some((encoding.width, encoding.height)),
                });
            }
            let packet = Outgoing {
                mid: line.mid,
                rid: line.encoding.map(|encoding| Rid::from(encoding.rid)),
                sequence: line.sequence,
                time: (frame as u32).wrapping_mul(line.ticks),
                marker: number + 1 == count,
                payload,
                extensions,
            };
            peer.send(now, packet);
        }
        measured.totals.sent += u64::from(count);
        peer.timeout(now);
        self.poll((now, epoch), measured);
    }

    /// Lets its time pass.
    pub fn tend(&mut self, times: (Instant, Instant), measured: &mut Measured) {
        self.peer.timeout(times.0);
        self.poll(times, measured);
    }

    /// Takes what has arrived.
    pub fn read(&mut self, epoch: Instant, buffer: &mut [u8], measured: &mut Measured) {
        for _ in 0..READS_MAX {
            let Ok((len, source)) = self.socket.recv_from(buffer) else {
                return;
            };
            let datagram = &buffer[..len];
            let media = is_media(datagram);
            if media {
                let before = self.counter.streams();
                self.counter.count(datagram, &mut measured.totals.counts);
                measured.totals.streams += (self.counter.streams() - before) as u64;
            }
            if !media || self.decrypts {
                let now = Instant::now();
                self.peer.receive(now, source, datagram);
                self.poll((now, epoch), measured);
            }
        }
    }

    fn poll(&mut self, (now, epoch): (Instant, Instant), measured: &mut Measured) {
        let Self {
            socket,
            peer,
            lines,
            ..
        } = self;
        peer.poll_all(|told| match told {
            Told::Datagram(to, bytes) => {
                if socket.send_to(bytes, to).is_err() {
                    measured.totals.unsent += 1;
                }
            }
            Told::Packet(packet) => {
                measured.totals.opened += 1;
                let Some(age) = stamp::age(&packet.payload, epoch, now) else {
                    return;
                };
                // Sound is the only thing that fits into so few bytes.
                let sound = packet.payload.len() <= crate::shape::AUDIO_PAYLOAD;
                let times = if sound {
                    &mut measured.audio
                } else {
                    &mut measured.video
                };
                times.record(age);
            }
            Told::KeyFrame(mid) => {
                let wanted = lines.iter_mut().filter(|line| line.mid == mid);
                wanted.for_each(|line| line.key_at = None);
            }
        });
    }
}
