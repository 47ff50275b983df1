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

/// The last hop to one address: a rate with a queue that drops what does not fit, besides a weather.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub bits_per_second: u64,
    pub queue: Duration,
    pub weather: Weather,
    busy_until: Option<Instant>,
}

impl Link {
    pub fn new(bits_per_second: u64, weather: Weather) -> Self {
        Self {
            bits_per_second,
            queue: Duration::from_millis(300),
            weather,
            busy_until: None,
        }
    }

    /// When a datagram leaves the hop; `None` when it is dropped. A rate of 0 is an outage.
    fn pass(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let start = self.busy_until.map_or(now, |at| at.max(now));
        if self.bits_per_second == 0 || start - now > self.queue {
            return None;
        }
        let takes = bytes as u64 * 8_000_000 / self.bits_per_second;
        let end = start + Duration::from_micros(takes);
        self.busy_until = Some(end);
        Some(end)
    }
}

/// Datagrams on their way, by time of arrival.
pub struct Network {
    pub weather: Weather,
    pub links: HashMap<SocketAddr, Link>,
    /// Chance that media arrives twice, in thousandths.
    pub duplicates_per_mille: u64,
    in_flight: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    state: u64,
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
            duplicates_per_mille: 0,
            in_flight: BTreeMap::new(),
            state: seed | 1,
            count: 0,
            lost: 0,
            datagram_max: usize::MAX,
            checks_pass: true,
            too_long: 0,
            longest: BTreeMap::new(),
        }
    }

    pub fn random(&mut self) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.state >> 33
    }

    pub fn send(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let loss = self.random() % 1_000;
        let mut leaves = now;
        let mut weather = self.weather;
        if let Some(link) = self.links.get_mut(&to) {
            let Some(at) = link.pass(now, bytes.len()) else {
                self.lost += 1;
                return;
            };
            (leaves, weather) = (at, link.weather);
        }
        let jitter = weather.jitter.as_micros() as u64;
        let extra = if jitter == 0 {
            0
        } else {
            self.random() % jitter
        };
        // Only media suffers: handshakes have their own timers, which other tests cover.
        let is_media = bytes
            .first()
            .is_some_and(|first| (128..192).contains(first));
        if matches!(bytes[..], [128..=191, 0..=191 | 224..=255, ..]) {
            let longest = self.longest.entry(from).or_default();
            *longest = bytes.len().max(*longest);
        }
        if is_media && loss < weather.loss_per_mille {
            self.lost += 1;
            return;
        }
        if !self.checks_pass && bytes.first().is_some_and(|first| *first < 4) {
            return;
        }
        if bytes.len() > self.datagram_max {
            self.too_long += 1;
            return;
        }
        if is_media
            && self.duplicates_per_mille > 0
            && self.random() % 1_000 < self.duplicates_per_mille
        {
            self.count += 1;
            let at = now + self.weather.delay + self.weather.jitter;
            let copy = (from, to, bytes.clone());
            self.in_flight.insert((at, self.count), copy);
        }
        self.count += 1;
        let at = leaves + weather.delay + Duration::from_micros(extra);
        self.in_flight.insert((at, self.count), (from, to, bytes));
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
