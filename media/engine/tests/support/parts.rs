//! Further engines of a world, each with its part of the room, and what they tell each other on the way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use homeline_media_engine::{Engine, EngineConfig, EngineId, RoomNews};

use super::world::{ROOM, identity};

/// From one worker to another.
const HOP: Duration = Duration::from_micros(80);

/// An engine beside the world's first.
pub struct Part {
    pub engine: Engine,
    pub address: SocketAddr,
    pub due: Instant,
}

impl Part {
    /// The engine of this number; the first, with the number 0, is not one of these.
    pub fn new(now: Instant, number: u16, seed: u64, config: &EngineConfig) -> Self {
        let address: SocketAddr = format!("10.0.0.{}:5000", number + 1).parse().unwrap();
        let config = EngineConfig {
            candidates: vec![address],
            ..config.clone()
        };
        let seed = [seed as u8 ^ 0x55; 32];
        let mut engine = Engine::new(config, identity(), seed, now);
        let others: Vec<EngineId> = (0..number).map(EngineId).collect();
        engine.extend_room(now, ROOM, &others);
        Self {
            engine,
            address,
            due: now,
        }
    }
}

/// What one engine tells another.
pub enum Told {
    News(Box<RoomNews>),
    Message(Vec<u8>),
}

/// The ways between engines, as the rings between workers are: in order, and full when too much is on its way.
#[derive(Default)]
pub struct Ways {
    on_way: BTreeMap<(Instant, u64), (u16, EngineId, Told)>,
    count: u64,
    /// Most messages on their way; more are lost.
    pub messages_max: usize,
    messages: usize,
    /// While this is set nothing is taken from the ways.
    pub stalled: bool,
    pub lost: u64,
}

impl Ways {
    pub fn new() -> Self {
        Self {
            messages_max: usize::MAX,
            ..Self::default()
        }
    }

    pub fn send(&mut self, now: Instant, from: u16, to: EngineId, told: Told) {
        if matches!(told, Told::Message(_)) {
            if self.messages >= self.messages_max {
                self.lost += 1;
                return;
            }
            self.messages += 1;
        }
        self.count += 1;
        self.on_way
            .insert((now + HOP, self.count), (from, to, told));
    }

    pub fn next_at(&self) -> Option<Instant> {
        let first = self.on_way.keys().next().filter(|_| !self.stalled)?;
        Some(first.0)
    }

    pub fn take(&mut self, now: Instant) -> Option<(u16, EngineId, Told)> {
        let first = self.on_way.first_entry()?;
        if first.key().0 > now || self.stalled {
            return None;
        }
        let taken = first.remove();
        self.messages -= usize::from(matches!(taken.2, Told::Message(_)));
        Some(taken)
    }
}
