//! What the engine costs for each packet that one publisher sends to fifty receivers: opened, stored,
//! renumbered and sealed, without sockets.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use homeline_media_engine::Output;
use str0m::media::MediaKind::Video;
use str0m::media::Mid;
use support::world::{SERVER, World};

const RECEIVERS: u8 = 50;

struct Stage {
    world: World,
    camera: Mid,
    packets: VecDeque<Vec<u8>>,
}

impl Stage {
    fn new() -> Self {
        let mut world = World::new(1);
        let (sends, _) = world.join(1, &[(Video, 9)], &[]);
        for number in 2..2 + RECEIVERS {
            world.join(number, &[], &[(Video, 9)]);
        }
        world.wait_connected();
        for number in 1..2 + RECEIVERS {
            world.forward(number, true);
        }
        Self {
            world,
            camera: sends[0],
            packets: VecDeque::new(),
        }
    }

    /// A sealed packet that the engine has not seen yet, of about 1,100 bytes.
    fn packet(&mut self) -> Vec<u8> {
        while self.packets.is_empty() {
            // Only the publisher's clock moves: the receivers' silence must not be noticed.
            self.world.now += Duration::from_millis(1);
            let now = self.world.now;
            let publisher = self.world.clients.get_mut(&1).expect("it joined");
            publisher.timeout(now);
            publisher.send(now, self.camera, &[0x5a; 11_000]);
            let (datagrams, _) = publisher.poll(now);
            let packets = datagrams.into_iter().map(|datagram| datagram.bytes);
            self.packets
                .extend(packets.filter(|bytes| bytes.len() > 1_000));
        }
        self.packets.pop_front().expect("there are some")
    }
}

fn forward(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    let (server, now) = (SERVER.parse().expect("an address"), stage.world.now);
    let publisher = stage.world.clients[&1].address;
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(u64::from(RECEIVERS)));
    group.bench_function("forward one to fifty", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut packets: Vec<Vec<u8>> = (0..rounds).map(|_| stage.packet()).collect();
            let engine = &mut stage.world.engine;
            let forwarded = engine.counters().rtp_forwarded;
            let started = Instant::now();
            for packet in &mut packets {
                engine.handle_datagram(now, server, publisher, packet);
                while let Output::Transmit(transmit) = engine.poll_output() {
                    black_box(transmit.payload);
                }
            }
            let elapsed = started.elapsed();
            let count = engine.counters().rtp_forwarded - forwarded;
            assert_eq!(count, rounds * u64::from(RECEIVERS), "nothing was dropped");
            elapsed
        });
    });
    group.finish();
}

criterion_group!(benches, forward);
criterion_main!(benches);
