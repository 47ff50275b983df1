//! One publisher of sound and pictures, and receivers behind links.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::media::MediaKind::{Audio, Video};
use str0m::media::{Direction, Mid};

use super::camera::{Camera, FRAME, Lens, Part};
use super::screen::{Screen, View};
use crate::support::client::Client;
use crate::support::client::packets::{HEAD, Outgoing, Section};
use crate::support::network::{Link, Weather};
use crate::support::world::{World, peer};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
const PUBLISHER: u8 = 1;
const SOUND: u8 = 20;
const SOUND_EVERY: Duration = Duration::from_millis(20);

/// What a receiver hears.
#[derive(Default)]
struct Ear {
    heard: BTreeSet<u32>,
    last: Option<Instant>,
    longest: Duration,
}

struct Receiver {
    number: u8,
    mids: Vec<Mid>,
    sections: HashMap<u32, usize>,
    ear: Ear,
    screens: Vec<Screen>,
}

/// What a receiver got for some time.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) sounds: usize,
    pub(crate) silence: Duration,
    pub(crate) views: Vec<View>,
}

impl Got {
    /// The part of the time in which the worst of the pictures stood still.
    pub(crate) fn frozen(&self) -> f64 {
        let shares = self.views.iter().map(View::frozen_share);
        shares.fold(0.0, f64::max)
    }

    pub(crate) fn longest_freeze(&self) -> Duration {
        let views = self.views.iter();
        views.map(|view| view.longest).max().unwrap_or_default()
    }

    pub(crate) fn freezes(&self) -> usize {
        self.views.iter().map(|view| view.freezes).sum()
    }

    pub(crate) fn frames(&self) -> usize {
        self.views.iter().map(|view| view.frames).sum()
    }

    pub(crate) fn skipped(&self) -> usize {
        self.views.iter().map(|view| view.skipped).sum()
    }

    pub(crate) fn changes(&self) -> usize {
        self.views.iter().map(|view| view.changes).sum()
    }

    pub(crate) fn delay(&self) -> u128 {
        let views = self.views.iter();
        views.map(View::delay).max().unwrap_or_default()
    }
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) cameras: Vec<Camera>,
    microphone: Mid,
    sounds: u32,
    sound_due: Instant,
    frame_due: Instant,
    receivers: Vec<Receiver>,
}

impl Stage {
    pub(crate) fn new(seed: u64, lens: Lens, pictures: u8, receivers: &[u8]) -> Self {
        let mut world = World::new(seed);
        let sound = (Audio, SOUND);
        let cameras = (1..=pictures).map(|number| (Video, SOUND + number));
        let tracks: Vec<_> = std::iter::once(sound).chain(cameras).collect();
        let sections = |direction| -> Vec<Section> {
            let rids = |kind| match direction {
                Direction::SendOnly if kind == Video => lens.rids,
                _ => &[],
            };
            let tracks = tracks.iter();
            tracks
                .map(|(kind, _)| (*kind, direction, rids(*kind)))
                .collect()
        };
        let mut join = |number: u8, direction| {
            let address: SocketAddr = format!("10.0.1.{number}:4000").parse().expect("an address");
            let client = Client::of_packets(world.now, address);
            world.clients.insert(number, client);
            let (offer, mids) = world.client(number).offer_sections(&sections(direction));
            let named = mids.iter().copied().zip(tracks.iter().map(|(_, id)| *id));
            let named: Vec<_> = named.collect();
            match direction {
                Direction::SendOnly => world.negotiate(number, offer, &named, &[]),
                _ => world.negotiate(number, offer, &[], &named),
            };
            mids
        };
        let sends = join(PUBLISHER, Direction::SendOnly);
        let joined: Vec<_> = receivers
            .iter()
            .map(|number| (*number, join(*number, Direction::RecvOnly)))
            .collect();
        world.wait_connected();
        world.forward(PUBLISHER, true);
        for number in receivers {
            world.forward(*number, true);
        }
        let now = world.now;
        let receiver = |(number, mids): (u8, Vec<Mid>)| Receiver {
            number,
            screens: mids[1..].iter().map(|_| Screen::new(now)).collect(),
            mids,
            sections: HashMap::new(),
            ear: Ear::default(),
        };
        let camera = |mid: &Mid| Camera::new(*mid, lens);
        Self {
            cameras: sends[1..].iter().map(camera).collect(),
            microphone: sends[0],
            sounds: 0,
            sound_due: now,
            frame_due: now,
            receivers: joined.into_iter().map(receiver).collect(),
            world,
        }
    }

    /// Packets of sound that were sent.
    pub(crate) const fn sounds(&self) -> u32 {
        self.sounds
    }

    /// The link to a receiver, and one back without a limit that delays and loses in the same way.
    pub(crate) fn set_link(&mut self, number: u8, link: Link) {
        let address = self.world.clients[&number].address;
        let delay = link.weather.delay;
        let mut back = link;
        if link.bits_per_second > 0 {
            back.bits_per_second = 10_000_000;
        }
        self.world.network.links.insert(address, link);
        self.world.network.uplinks.insert(address, back);
        let mut receivers = self.receivers.iter_mut();
        let of = receivers.find(|receiver| receiver.number == number);
        let screens = &mut of.expect("it joined").screens;
        let round_trip = 2 * delay + Duration::from_millis(20);
        screens
            .iter_mut()
            .for_each(|screen| screen.set_round_trip(round_trip));
    }

    pub(crate) fn link(&mut self, number: u8) -> &mut Link {
        let address = self.world.clients[&number].address;
        let link = self.world.network.links.get_mut(&address);
        link.expect("it has a link")
    }

    /// The link back from a receiver.
    pub(crate) fn uplink(&mut self, number: u8) -> &mut Link {
        let address = self.world.clients[&number].address;
        let link = self.world.network.uplinks.get_mut(&address);
        link.expect("it has a link")
    }

    /// What the statistics say of the path to a receiver.
    pub(crate) fn estimate(&mut self, number: u8) -> u64 {
        let mut all = self.world.statistics().into_iter();
        let of = all.find(|statistics| statistics.peer == peer(number));
        of.and_then(|statistics| statistics.estimate_bits_per_second)
            .unwrap_or(0)
    }

    /// Runs for some time and returns the mean estimate.
    pub(crate) fn mean_estimate(&mut self, number: u8, time: Duration) -> f64 {
        let steps = (time.as_millis() / 100) as u32;
        let mut sum = 0.0;
        for _ in 0..steps {
            self.run(Duration::from_millis(100));
            sum += self.estimate(number) as f64;
        }
        sum / f64::from(steps)
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.world.now + time;
        loop {
            let due = self.sound_due.min(self.frame_due);
            self.world.run_until(due.min(until), |_| false);
            self.look();
            if due > until {
                return;
            }
            self.send(due);
        }
    }

    fn send(&mut self, due: Instant) {
        let now = self.world.now;
        let publisher = self.world.clients.get_mut(&PUBLISHER).expect("it joined");
        for (mid, rid) in publisher.asked.drain(..) {
            let mut cameras = self.cameras.iter_mut();
            if let Some(camera) = cameras.find(|camera| camera.mid == mid) {
                camera.ask(rid);
            }
        }
        if self.sound_due == due {
            self.sound_due += SOUND_EVERY;
            self.sounds += 1;
            let mut payload = [0x5a; 80];
            payload[..4].copy_from_slice(&self.sounds.to_be_bytes());
            let packet = Outgoing {
                mid: self.microphone,
                rid: None,
                sequence: u64::from(self.sounds),
                time: self.sounds.wrapping_mul(960),
                marker: false,
                descriptor: None,
                payload: &payload,
            };
            publisher.send_packet(now, packet);
        }
        if self.frame_due == due {
            self.frame_due += FRAME;
            for camera in &mut self.cameras {
                camera.shoot(now, publisher);
            }
        }
    }

    /// Hands what arrived to screens and ears, and asks for key frames where they wait.
    fn look(&mut self) {
        let now = self.world.now;
        for receiver in &mut self.receivers {
            let client = self.world.clients.get_mut(&receiver.number);
            let client = client.expect("it joined");
            for packet in std::mem::take(&mut client.packets) {
                let sections = &mut receiver.sections;
                let known = sections.get(&packet.ssrc).copied().or_else(|| {
                    let mid = client.section_of(packet.ssrc)?;
                    let at = receiver.mids.iter().position(|own| *own == mid)?;
                    sections.insert(packet.ssrc, at);
                    Some(at)
                });
                match known {
                    Some(0) => receiver.ear.hear(packet.at, packet.head),
                    Some(at) => receiver.screens[at - 1].take(packet.at, Part::read(packet.head)),
                    None => {}
                }
            }
            for (screen, mid) in receiver.screens.iter_mut().zip(&receiver.mids[1..]) {
                if screen.asks(now) {
                    client.ask_in_packets(*mid);
                }
            }
        }
    }

    /// The part of the sound since then that a receiver heard, of what its link itself did not lose.
    pub(crate) fn sound_of(&mut self, number: u8, before: &Link, sent: u32) -> f64 {
        let heard = self.got(number).sounds as f64;
        let link = *self.link(number);
        let (passed, lost) = (link.passed - before.passed, link.lost - before.lost);
        let passed = passed as f64 / (passed + lost) as f64;
        heard / (f64::from(self.sounds - sent) * passed)
    }

    /// What a receiver got since the last call.
    pub(crate) fn got(&mut self, number: u8) -> Got {
        let now = self.world.now;
        let mut receivers = self.receivers.iter_mut();
        let receiver = receivers.find(|receiver| receiver.number == number);
        let receiver = receiver.expect("it joined");
        let ear = std::mem::take(&mut receiver.ear);
        receiver.ear.last = ear.last;
        let silent = ear.last.map_or(Duration::ZERO, |last| now - last);
        Got {
            sounds: ear.heard.len(),
            silence: ear.longest.max(silent),
            views: receiver.screens.iter_mut().map(|s| s.look(now)).collect(),
        }
    }
}

impl Ear {
    fn hear(&mut self, at: Instant, head: [u8; HEAD]) {
        let [a, b, c, d, ..] = head;
        self.heard.insert(u32::from_be_bytes([a, b, c, d]));
        let since = self.last.map_or(Duration::ZERO, |last| at - last);
        self.longest = self.longest.max(since);
        self.last = Some(at);
    }
}

pub(crate) const fn weather(delay_ms: u64, jitter_ms: u64, loss_per_mille: u64) -> Weather {
    Weather {
        delay: Duration::from_millis(delay_ms),
        jitter: Duration::from_millis(jitter_ms),
        loss_per_mille,
    }
}
