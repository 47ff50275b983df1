//! One publisher of sound and seven pictures (5 Mbit/s in all), and receivers behind links.

mod estimate;
mod fairness;

use std::net::SocketAddr;
use std::time::Duration;

use str0m::media::MediaKind::{Audio, Video};
use str0m::media::Mid;

use crate::support::network::{Link, Weather};
use crate::support::world::{World, peer};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
const PUBLISHER: u8 = 1;
const SOUND: u8 = 20;
/// Each takes 730 kbit/s.
const PICTURES: u8 = 7;

/// The world with what each receiver's sections are called.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) receivers: Vec<(u8, Vec<Mid>)>,
}

impl Stage {
    pub(crate) fn new(seed: u64, receivers: &[u8]) -> Self {
        let mut world = World::new(seed);
        let mut tracks = vec![(Audio, SOUND)];
        tracks.extend((0..PICTURES).map(|number| (Video, SOUND + 1 + number)));
        let (sends, _) = world.join(PUBLISHER, &tracks, &[]);
        let joined = receivers.iter();
        let receivers: Vec<(u8, Vec<Mid>)> = joined
            .map(|number| (*number, world.join(*number, &[], &tracks).1))
            .collect();
        world.wait_connected();
        for number in std::iter::once(PUBLISHER).chain(receivers.iter().map(|(at, _)| *at)) {
            world.forward(number, true);
        }
        for ((kind, _), mid) in tracks.iter().zip(sends) {
            world.start_sending(PUBLISHER, mid, *kind);
        }
        Self { world, receivers }
    }

    pub(crate) fn set_link(&mut self, number: u8, link: Link) {
        let address: SocketAddr = self.world.clients[&number].address;
        self.world.network.links.insert(address, link);
    }

    /// What the statistics say of the path to a receiver.
    pub(crate) fn estimate(&mut self, number: u8) -> u64 {
        let mut all = self.world.statistics().into_iter();
        let of = all.find(|statistics| statistics.peer == peer(number));
        of.and_then(|statistics| statistics.estimate_bits_per_second)
            .unwrap_or(0)
    }

    /// Frames of sound that a receiver has.
    pub(crate) fn sound(&self, number: u8) -> usize {
        let (_, mids) = self
            .receivers
            .iter()
            .find(|(at, _)| *at == number)
            .expect("it joined");
        self.world.clients[&number].received(mids[0]).len()
    }

    /// Frames of all pictures that a receiver has.
    pub(crate) fn pictures(&self, number: u8) -> usize {
        let (_, mids) = self
            .receivers
            .iter()
            .find(|(at, _)| *at == number)
            .expect("it joined");
        let frames = mids[1..].iter();
        frames
            .map(|mid| self.world.clients[&number].received(*mid).len())
            .sum()
    }

    /// Runs for some time and returns the mean estimate.
    pub(crate) fn mean_estimate(&mut self, number: u8, time: Duration) -> f64 {
        let steps = (time.as_millis() / 100) as u32;
        let mut sum = 0.0;
        for _ in 0..steps {
            self.world.run(Duration::from_millis(100));
            sum += self.estimate(number) as f64;
        }
        sum / f64::from(steps)
    }
}

pub(crate) const fn weather(delay_ms: u64, jitter_ms: u64, loss_per_mille: u64) -> Weather {
    Weather {
        delay: Duration::from_millis(delay_ms),
        jitter: Duration::from_millis(jitter_ms),
        loss_per_mille,
    }
}
