//! People who come and go, for hours of the virtual clock: everything that they bring goes with them.

mod support;

use std::time::Duration;

use homeline_media_engine::{EngineConfig, Population};
use homeline_protocol::media_control::{MediaCommand, MediaReply};
use str0m::media::Direction;
use str0m::media::MediaKind::{Audio, Video};
use str0m::media::Mid;
use support::client::Beside;
use support::network::Weather;
use support::world::{ROOM, World, peer, track};

const SECOND: Duration = Duration::from_secs(1);

/// They stay, and are heard and seen by everybody.
const RESIDENTS: [u8; 2] = [1, 2];

/// Samples of memory are averaged in so many blocks.
const BLOCKS: usize = 16;

/// What can be told from the steps in which memory is given out, over the whole run: four pages, which is
/// some forty bytes for each join of the shortened one.
const RESOLUTION_BYTES: f64 = 16_384.0;

/// They come and go.
const VISITORS: std::ops::Range<u8> = 3..7;

#[test]
fn a_shortened_soak_ends_with_what_it_began_with() {
    soak(128);
}

#[test]
#[ignore = "hours of the virtual clock"]
fn a_long_soak_ends_with_what_it_began_with() {
    soak(6_000);
}

fn soak(rounds: usize) {
    let mut soak = Soak::new();
    // Rings, buffers and the allocator's own lists grow to their size.
    let warm_up = rounds / 4;
    (0..warm_up).for_each(|_| soak.round());
    let expected = lasting(soak.settled());
    // Written now, so that the pages of the list itself do not come while it is filled.
    let mut memory = vec![f64::NAN; rounds];
    memory.clear();
    for round in warm_up..rounds {
        soak.round();
        assert_eq!(lasting(soak.settled()), expected, "after round {round}");
        memory.extend(resident_bytes().map(|bytes| bytes as f64));
    }
    println!("{} joins, {} offers", soak.joins, soak.offers);
    assert!(soak.joins >= rounds * VISITORS.len());
    if memory.len() >= 32 {
        let growth = Growth::of(&memory);
        println!("{growth:?}");
        assert!(growth.is_none(), "memory grows: {growth:?}");
    }
}

/// A population that must be the same again. Only the rings of those who stay may have grown meanwhile, as
/// a rare burst of theirs asks for it, up to their bound: 128 packets of sound and 512 of picture.
fn lasting(population: Population) -> Population {
    assert!(population.ring_slots <= RESIDENTS.len() * (128 + 512));
    Population {
        ring_slots: 0,
        ..population
    }
}

struct Soak {
    world: World,
    joins: usize,
    offers: usize,
}

/// What a visitor sends and receives.
struct Visit {
    number: u8,
    sends: Vec<Mid>,
    takes: Vec<Mid>,
}

impl Visit {
    fn published(&self) -> Vec<(Mid, u8)> {
        let mids = self.sends.iter().copied();
        mids.zip([10 * self.number, 10 * self.number + 1]).collect()
    }

    fn received(&self) -> Vec<(Mid, u8)> {
        self.takes.iter().copied().zip([10, 11, 20, 21]).collect()
    }
}

impl Soak {
    fn new() -> Self {
        let config = EngineConfig {
            train_max: 64,
            audio_forwarded_max: 3,
            ..EngineConfig::default()
        };
        let mut world = World::with_config(90, config);
        for number in RESIDENTS {
            let own = [(Audio, 10 * number), (Video, 10 * number + 1)];
            let other = 3 - number;
            let others = [(Audio, 10 * other), (Video, 10 * other + 1)];
            let (sends, _) = world.join(number, &own, &others);
            world.wait_connected();
            world.forward(number, true);
            world.start_sending(number, sends[0], Audio);
            let beside = Beside {
                level: Some(30),
                key: None,
            };
            world.say_beside(number, sends[0], beside);
            world.start_sending(number, sends[1], Video);
        }
        Self {
            world,
            joins: 0,
            offers: 0,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.world.network.random() % below
    }

    /// Everybody comes, does something, and goes.
    fn round(&mut self) {
        self.world.network.weather = Weather {
            delay: Duration::from_millis(5),
            jitter: Duration::from_millis(3),
            loss_per_mille: self.random(30),
        };
        let mut visits: Vec<Visit> = VISITORS.map(|number| self.join(number)).collect();
        for _ in 0..3 {
            for visit in &mut visits {
                self.do_something(visit);
            }
            let wait = 50 + self.random(300);
            self.world.run(Duration::from_millis(wait));
        }
        for visit in visits {
            self.leave(visit.number);
        }
    }

    fn join(&mut self, number: u8) -> Visit {
        self.joins += 1;
        let own = [(Audio, 10 * number), (Video, 10 * number + 1)];
        let others = [(Audio, 10), (Video, 11), (Audio, 20), (Video, 21)];
        let (sends, takes) = self.world.join(number, &own, &others);
        // Some go before they are through.
        if self.random(8) > 0 {
            self.world.wait("the visitor is connected", |world| {
                world.clients[&number].connected
            });
            self.world.forward(number, true);
            for (mid, kind) in sends.iter().zip([Audio, Video]) {
                self.world.start_sending(number, *mid, kind);
            }
            let beside = Beside {
                level: Some([20, 50, 127][self.random(3) as usize]),
                key: None,
            };
            self.world.say_beside(number, sends[0], beside);
        }
        Visit {
            number,
            sends,
            takes,
        }
    }

    fn do_something(&mut self, visit: &mut Visit) {
        let number = visit.number;
        let on = self.random(2) == 0;
        match self.random(8) {
            0 => {
                let offer = self.world.client(number).offer_ice_restart();
                self.negotiate(visit, offer);
            }
            1 => {
                let client = self.world.client(number);
                let (offer, _) = client.offer(&[(Video, Direction::RecvOnly)]);
                self.negotiate(visit, offer);
            }
            2 if visit.takes.len() == 4 => {
                let gone = visit.takes.remove(3);
                let offer = self.world.client(number).offer_stop(gone);
                self.negotiate(visit, offer);
            }
            3 => self.world.forward(number, on),
            4 => {
                let track = track(10 * number + 1);
                let room = ROOM;
                let switch = MediaCommand::SetTrackForwarding { room, track, on };
                assert_eq!(self.world.command(switch), Ok(MediaReply::Done));
            }
            5 => {
                let request = MediaCommand::RequestKeyFrames { room: ROOM };
                assert_eq!(self.world.command(request), Ok(MediaReply::Done));
            }
            6 => {
                // A page that is reloaded.
                self.world.forget_client(number);
                *visit = self.join(number);
            }
            // The network goes, for some of them for longer than the engine waits.
            _ if on => self.world.cut_off.push(number),
            _ => self.world.cut_off.retain(|cut| *cut != number),
        }
    }

    fn negotiate(&mut self, visit: &Visit, offer: String) {
        self.offers += 1;
        let (published, received) = (visit.published(), visit.received());
        self.world
            .negotiate(visit.number, offer, &published, &received);
    }

    fn leave(&mut self, number: u8) {
        match self.random(4) {
            0 => self.world.client(number).rtc.disconnect(),
            1 => {
                self.world.cut_off.push(number);
                self.world.run(6 * SECOND);
            }
            _ => {}
        }
        let remove = MediaCommand::RemovePeer {
            room: ROOM,
            peer: peer(number),
        };
        assert_eq!(self.world.command(remove), Ok(MediaReply::Done));
        self.world.forget_client(number);
    }

    /// What is alive once only the residents are there and nothing is on its way.
    fn settled(&mut self) -> Population {
        self.world.network.weather = Weather::FAIR;
        // Longer than a lost packet is hoped for.
        self.world.run(3 * SECOND);
        for client in self.world.clients.values_mut() {
            client.frames.clear();
        }
        self.world.events.clear();
        self.world.engine.population()
    }
}

/// Resident memory of this process, where the system tells.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}

/// A line through memory over time.
#[derive(Debug)]
struct Growth {
    bytes_a_block: f64,
    error: f64,
}

impl Growth {
    /// Least squares over the means of blocks: single samples depend on those before them.
    fn of(samples: &[f64]) -> Self {
        let blocks = samples.chunks_exact(samples.len() / BLOCKS);
        let means: Vec<f64> = blocks
            .map(|block| block.iter().sum::<f64>() / block.len() as f64)
            .collect();
        let count = means.len() as f64;
        let middle = (count - 1.0) / 2.0;
        let mean = means.iter().sum::<f64>() / count;
        let at = |index: usize| index as f64 - middle;
        let spread: f64 = (0..means.len()).map(|index| at(index).powi(2)).sum();
        let points = || means.iter().enumerate();
        let slope = points()
            .map(|(index, y)| at(index) * (y - mean))
            .sum::<f64>()
            / spread;
        let residuals = points().map(|(index, y)| (y - mean - slope * at(index)).powi(2));
        let error = (residuals.sum::<f64>() / (count - 2.0) / spread).sqrt();
        Self {
            bytes_a_block: slope,
            error,
        }
    }

    /// Whether it can't be told from zero: 99 % of such lines lie within 2.977 errors (Student's t with 14
    /// degrees of freedom). Memory comes in pages, so that a step of a few is no slope.
    fn is_none(&self) -> bool {
        let steps = RESOLUTION_BYTES / BLOCKS as f64;
        self.bytes_a_block <= (2.977 * self.error).max(steps)
    }
}

#[test]
fn a_leak_of_eighty_bytes_a_round_is_seen_as_growth_and_noise_is_not() {
    let noise = |at: usize| ((at * 7_919) % 1_000) as f64;
    let flat: Vec<f64> = (0..320).map(|at| 50e6 + noise(at)).collect();
    let leak: Vec<f64> = (0..320)
        .map(|at| 50e6 + noise(at) + 80.0 * at as f64)
        .collect();
    assert!(Growth::of(&flat).is_none());
    assert!(!Growth::of(&leak).is_none());
}
