//! What repair costs: fifty receivers that each miss one packet in twenty, and ask for it. And that none of it
//! costs an allocation.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

mod common;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::support::world::World;
use common::{Arrival, assert_no_allocation, batch, drain, is_rtcp, is_rtp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use homeline_media_engine::EngineConfig;
use str0m::media::MediaKind::Video;
use str0m::media::Mid;

const RECEIVERS: u8 = 50;

/// Every receiver misses one of so many packets.
const ONE_IN: usize = 20;

/// Rounds after which everything that grows to its size has it.
const WARM_UP: usize = 100;

struct Stage {
    world: World,
    camera: Mid,
    /// Media packets delivered, for each receiver.
    delivered: HashMap<SocketAddr, usize>,
}

impl Stage {
    fn new() -> Self {
        let config = EngineConfig {
            peers_per_room_max: usize::from(RECEIVERS) + 1,
            train_max: 64,
            estimation: false,
            ..EngineConfig::default()
        };
        let mut world = World::with_config(2, config);
        let (sends, _) = world.join(1, &[(Video, 9)], &[]);
        for number in 2..2 + RECEIVERS {
            world.join(number, &[], &[(Video, 9)]);
        }
        world.wait_connected();
        (1..2 + RECEIVERS).for_each(|number| world.forward(number, true));
        let mut stage = Self {
            world,
            camera: sends[0],
            delivered: HashMap::new(),
        };
        for _ in 0..WARM_UP {
            let mut requests = stage.requests();
            batch(&mut stage.world, &mut requests);
        }
        stage
    }

    /// The publisher sends two frames of ten packets, of which every receiver gets all but one; returns what
    /// the receivers then say, their requests among it.
    fn requests(&mut self) -> Vec<Arrival> {
        for _ in 0..2 {
            let now = self.world.now;
            let publisher = self.world.client(1);
            let from = publisher.address;
            publisher.timeout(now);
            publisher.send(now, self.camera, &[0x5a; 11_000]);
            let (datagrams, _) = publisher.poll(now);
            let media = datagrams.into_iter().filter(|sent| is_rtp(&sent.bytes));
            let mut media: Vec<Arrival> = media.map(|sent| (from, sent.bytes)).collect();
            let server = common::support::world::SERVER.parse().expect("an address");
            for (from, bytes) in &mut media {
                self.world.engine.handle_datagram(now, server, *from, bytes);
            }
            let (clients, delivered) = (&mut self.world.clients, &mut self.delivered);
            let by_address: HashMap<SocketAddr, u8> = clients
                .iter()
                .map(|(number, client)| (client.address, *number))
                .collect();
            drain(&mut self.world.engine, |to, bytes| {
                let count = delivered.entry(to).or_default();
                *count += usize::from(is_rtp(bytes));
                let is_missed = is_rtp(bytes) && *count % ONE_IN == ONE_IN / 2;
                if let Some(client) = by_address
                    .get(&to)
                    .and_then(|number| clients.get_mut(number))
                    && !is_missed
                {
                    client.receive(now, server, to, bytes);
                }
            });
            self.world.now += Duration::from_millis(1);
        }
        // As long as a receiver waits for a packet that is only late.
        self.world.now += Duration::from_millis(40);
        let now = self.world.now;
        let mut said = Vec::new();
        for client in self.world.clients.values_mut() {
            client.timeout(now);
            let (datagrams, _) = client.poll(now);
            let control = datagrams.into_iter().filter(|sent| is_rtcp(&sent.bytes));
            said.extend(control.map(|sent| (client.address, sent.bytes)));
            client.frames.clear();
        }
        self.world.engine.handle_timeout(now);
        drain(&mut self.world.engine, |_, _| {});
        said
    }

    fn resent(&self) -> u64 {
        self.world.engine.counters().rtp_retransmitted
    }
}

fn nack(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    let before = stage.resent();
    let mut requests = stage.requests();
    assert_no_allocation("a retransmission", || {
        batch(&mut stage.world, &mut requests)
    });
    assert!(stage.resent() > before, "something was sent again");
    let mut group = criterion.benchmark_group("engine, fifty that miss one in twenty");
    group.throughput(Throughput::Elements(u64::from(RECEIVERS)));
    group.bench_function("retransmissions", |bencher| {
        bencher.iter_custom(|rounds| {
            let (mut elapsed, before) = (Duration::ZERO, stage.resent());
            for _ in 0..rounds {
                let mut requests = stage.requests();
                let started = Instant::now();
                batch(&mut stage.world, &mut requests);
                elapsed += started.elapsed();
            }
            // Per fifty retransmissions, whatever number of them a round has.
            let resent = (stage.resent() - before).max(1) as f64;
            elapsed.mul_f64(rounds as f64 * f64::from(RECEIVERS) / resent)
        });
    });
    group.finish();
}

criterion_group!(benches, nack);
criterion_main!(benches);
