//! What the engine costs for each packet that one publisher sends to fifty or five hundred receivers: opened,
//! stored, renumbered and sealed, without sockets, one by one and six at a time. And that no packet costs an
//! allocation.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

mod common;

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

use common::support::world::{SERVER, World};
use common::{assert_no_allocation, drain, is_rtp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use homeline_media_engine::{EngineConfig, Output};
use str0m::media::MediaKind::Video;
use str0m::media::Mid;

/// Packets after which everything that grows to its size has it, the log of arrivals being the last.
const WARM_UP: usize = 4_096;

/// Packets of a frame of 1.5 Mbit/s.
const BURST: usize = 6;

struct Stage {
    world: World,
    camera: Mid,
    packets: VecDeque<Vec<u8>>,
    copies: u64,
}

impl Stage {
    /// `peers` receivers that take the picture `times` times each.
    fn new(peers: u8, times: usize) -> Self {
        let config = EngineConfig {
            peers_per_room_max: usize::from(peers) + 1,
            train_max: 64,
            estimation: false,
            ..EngineConfig::default()
        };
        let mut world = World::with_config(1, config);
        let (sends, _) = world.join(1, &[(Video, 9)], &[]);
        for number in 2..2 + peers {
            world.join(number, &[], &vec![(Video, 9); times]);
        }
        world.wait_connected();
        for number in 1..2 + peers {
            world.forward(number, true);
        }
        let mut stage = Self {
            world,
            camera: sends[0],
            packets: VecDeque::new(),
            copies: u64::from(peers) * times as u64,
        };
        for burst in [1, BURST] {
            for _ in 0..WARM_UP / BURST {
                let mut packets = stage.burst(burst);
                stage.forward(&mut packets);
            }
        }
        stage
    }

    fn burst(&mut self, len: usize) -> Vec<Vec<u8>> {
        (0..len).map(|_| self.packet()).collect()
    }

    /// A sealed packet that the engine has not seen yet, of about 1,100 bytes.
    fn packet(&mut self) -> Vec<u8> {
        while self.packets.is_empty() {
            // In small steps, and only the publisher's: the receivers' silence must not be noticed, and no
            // timer's work be counted as a packet's.
            self.world.now += Duration::from_micros(5);
            let now = self.world.now;
            let publisher = self.world.clients.get_mut(&1).expect("it joined");
            publisher.timeout(now);
            publisher.send(now, self.camera, &[0x5a; 11_000]);
            let (datagrams, _) = publisher.poll(now);
            let packets = datagrams.into_iter().map(|datagram| datagram.bytes);
            // All of a frame, or the engine would ask for the rest.
            self.packets.extend(packets.filter(|bytes| is_rtp(bytes)));
        }
        self.packets.pop_front().expect("there are some")
    }

    /// Reports and feedback are no packet's work.
    fn do_what_is_due(&mut self) {
        self.world.engine.handle_timeout(self.world.now);
        drain(&mut self.world.engine, |_, _| {});
    }

    /// One batch through the engine.
    fn forward(&mut self, packets: &mut [Vec<u8>]) {
        let server = SERVER.parse().expect("an address");
        let publisher = self.world.clients[&1].address;
        let (engine, now) = (&mut self.world.engine, self.world.now);
        for packet in packets {
            engine.handle_datagram(now, server, publisher, packet);
        }
        loop {
            match engine.poll_output() {
                Output::Transmit(transmit) => drop(black_box(transmit.payload)),
                Output::Event(_) | Output::News(..) | Output::Message(..) => {}
                Output::Timeout(_) => return,
            }
        }
    }

    fn forwarded(&self) -> u64 {
        self.world.engine.counters().rtp_forwarded
    }
}

fn forward(criterion: &mut Criterion) {
    // Clients are numbered by a byte, so that five hundred are two hundred and fifty that take it twice.
    for (peers, times) in [(50, 1), (250, 2)] {
        let mut stage = Stage::new(peers, times);
        let mut group = criterion.benchmark_group(format!("engine, one to {}", stage.copies));
        for burst in [1, BURST] {
            let before = stage.forwarded();
            let mut packets = stage.burst(burst);
            stage.do_what_is_due();
            assert_no_allocation("a packet", || stage.forward(&mut packets));
            assert_eq!(stage.forwarded() - before, stage.copies * burst as u64);
            group.throughput(Throughput::Elements(stage.copies * burst as u64));
            group.bench_function(format!("bursts of {burst}"), |bencher| {
                bencher.iter_custom(|rounds| {
                    let mut elapsed = Duration::ZERO;
                    let forwarded = stage.forwarded();
                    for _ in 0..rounds {
                        let mut packets = stage.burst(burst);
                        let started = Instant::now();
                        stage.forward(&mut packets);
                        elapsed += started.elapsed();
                    }
                    let count = stage.forwarded() - forwarded;
                    let expected = rounds * burst as u64 * stage.copies;
                    assert_eq!(count, expected, "nothing was dropped");
                    elapsed
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, forward);
criterion_main!(benches);
