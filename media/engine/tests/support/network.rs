//! A lossy, reordering network with a seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How the network treats datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub delay: Duration,
    /// Up to this much more, at random: reorders.
    pub jitter: Duration,
    /// Chance of loss, in thousandths.
    pub loss_per_mille: u64,
}

impl Weather {
    pub const FAIR: Self = Self {
        delay: Duration::from_millis(5),
        jitter: Duration::ZERO,
        loss_per_mille: 0,
    };
}

/// Losses that come together (Gilbert-Elliott): between bursts all passes, within one nothing does.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// Chances that a burst begins and that it ends with a packet, in millionths.
    begins: u64,
    ends: u64,
    now: bool,
}

impl Bursts {
    /// So many thousandths are lost in all, in bursts of so many packets on average.
    pub const fn new(loss_per_mille: u64, packets: u64) -> Self {
        Self {
            begins: 1_000_000 / packets * loss_per_mille / (1_000 - loss_per_mille),
            ends: 1_000_000 / packets,
            now: false,
        }
    }
}

/// One hop: a rate with a queue that drops what does not fit, besides a weather.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub bits_per_second: u64,
    pub queue: Duration,
    pub weather: Weather,
    pub bursts: Option<Bursts>,
    /// Chances that media arrives twice and that it falls behind others by ten milliseconds, in thousandths.
    pub duplicates_per_mille: u64,
    pub reorders_per_mille: u64,
    /// Media that its weather lost, its queue dropped, and that it passed on.
    pub lost: u64,
    pub dropped: u64,
    pub passed: u64,
    /// Nothing comes out before this; then all does at once.
    pub stalled_until: Option<Instant>,
    busy_until: Option<Instant>,
    /// Its own chance, so that what happens on other hops does not change what happens here.
    chance: Chance,
}

impl Link {
    pub fn new(bits_per_second: u64, weather: Weather) -> Self {
        Self {
            bits_per_second,
            queue: Duration::from_millis(300),
            weather,
            bursts: None,
            duplicates_per_mille: 0,
            reorders_per_mille: 0,
            lost: 0,
            dropped: 0,
            passed: 0,
            stalled_until: None,
            busy_until: None,
            chance: Chance(1),
        }
    }

    pub fn seeded(self, seed: u64) -> Self {
        Self {
            chance: Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            ..self
        }
    }

    /// When a datagram and its copy come out; nothing of what is lost. A rate of 0 is an outage.
    fn pass(&mut self, now: Instant, bytes: usize, is_media: bool) -> [Option<Instant>; 2] {
        let start = self.busy_until.map_or(now, |at| at.max(now));
        if self.bits_per_second == 0 || start - now > self.queue {
            self.dropped += u64::from(is_media);
            return [None; 2];
        }
        let takes = bytes as u64 * 8_000_000 / self.bits_per_second;
        let end = start + Duration::from_micros(takes);
        self.busy_until = Some(end);
        // Only media suffers: handshakes have their own timers, which other tests cover.
        if !is_media {
            return [Some(end + self.weather.delay), None];
        }
        if self.loses() {
            self.lost += 1;
            return [None; 2];
        }
        self.passed += 1;
        let at = end + self.weather.delay + self.chance.up_to(self.weather.jitter);
        let at = self.stalled_until.map_or(at, |until| at.max(until));
        let late = Duration::from_millis(10);
        let behind = self.chance.hits(self.reorders_per_mille);
        let copy = self.chance.hits(self.duplicates_per_mille);
        let first = if behind { at + late } else { at };
        [Some(first), copy.then_some(first + late)]
    }

    fn loses(&mut self) -> bool {
        if let Some(bursts) = &mut self.bursts {
            let turns = if bursts.now {
                bursts.ends
            } else {
                bursts.begins
            };
            bursts.now ^= self.chance.draw() % 1_000_000 < turns;
            if bursts.now {
                return true;
            }
        }
        self.chance.hits(self.weather.loss_per_mille)
    }
}

/// Pseudo-random numbers from a seed.
#[derive(Clone, Copy, Debug)]
struct Chance(u64);

impl Chance {
    const fn draw(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0 >> 33
    }

    const fn hits(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.draw() % 1_000 < per_mille
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        match most.as_micros() as u64 {
            0 => Duration::ZERO,
            most => Duration::from_micros(self.draw() % most),
        }
    }
}

/// Datagrams on their way, by time of arrival.
pub struct Network {
    pub weather: Weather,
    /// The last hop to an address, and the first from one. They take the place of the weather.
    pub links: HashMap<SocketAddr, Link>,
    pub uplinks: HashMap<SocketAddr, Link>,
    /// Chance that media arrives twice, in thousandths.
    pub duplicates_per_mille: u64,
    in_flight: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    chance: Chance,
    count: u64,
    pub lost: u64,
    /// Longest datagram that a link on the way carries.
    pub datagram_max: usize,
    /// Whether ICE checks pass.
    pub checks_pass: bool,
    /// Datagrams that were longer, and lost.
    pub too_long: u64,
    /// Length of the longest RTP packet from each address.
    pub longest: BTreeMap<SocketAddr, usize>,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self {
            weather: Weather::FAIR,
            links: HashMap::new(),
            uplinks: HashMap::new(),
            duplicates_per_mille: 0,
            in_flight: BTreeMap::new(),
            chance: Chance(seed | 1),
            count: 0,
            lost: 0,
            datagram_max: usize::MAX,
            checks_pass: true,
            too_long: 0,
            longest: BTreeMap::new(),
        }
    }

    pub fn random(&mut self) -> u64 {
        self.chance.draw()
    }

    pub fn send(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let is_media = bytes
            .first()
            .is_some_and(|first| (128..192).contains(first));
        let loss = self.random() % 1_000;
        if matches!(bytes[..], [128..=191, 0..=191 | 224..=255, ..]) {
            let longest = self.longest.entry(from).or_default();
            *longest = bytes.len().max(*longest);
        }
        if !self.checks_pass && bytes.first().is_some_and(|first| *first < 4) {
            return;
        }
        let link = self.links.get_mut(&to);
        let link = link.or_else(|| self.uplinks.get_mut(&from));
        let times = match link {
            Some(link) => link.pass(now, bytes.len(), is_media),
            None => self.pass(now, is_media, loss),
        };
        if times[0].is_none() {
            self.lost += 1;
            return;
        }
        if bytes.len() > self.datagram_max {
            self.too_long += 1;
            return;
        }
        for at in times.into_iter().flatten() {
            self.count += 1;
            let copy = (from, to, bytes.clone());
            self.in_flight.insert((at, self.count), copy);
        }
    }

    /// When a datagram and its copy arrive in the weather that all share.
    fn pass(&mut self, now: Instant, is_media: bool, loss: u64) -> [Option<Instant>; 2] {
        let weather = self.weather;
        let at = now + weather.delay + self.chance.up_to(weather.jitter);
        if is_media && loss < weather.loss_per_mille {
            return [None; 2];
        }
        let copy = is_media && self.chance.hits(self.duplicates_per_mille);
        [
            Some(at),
            copy.then_some(now + weather.delay + weather.jitter),
        ]
    }

    pub fn next_at(&self) -> Option<Instant> {
        self.in_flight.keys().next().map(|(at, _)| *at)
    }

    pub fn take_arrived(&mut self, now: Instant) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let first = self
            .in_flight
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// Everything on its way is lost.
    pub fn cut(&mut self) {
        self.in_flight.clear();
    }

    /// Sorts by arrival for tests that look.
    pub fn latest(&self) -> Option<Reverse<Instant>> {
        self.in_flight
            .keys()
            .next_back()
            .map(|(at, _)| Reverse(*at))
    }
}
