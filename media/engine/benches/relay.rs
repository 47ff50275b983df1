//! What it costs that a room spans two engines: the publisher's hands each packet over, the other takes it and
//! forwards it to its receivers. And that no packet costs an allocation on either side.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

mod common;

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

use common::support::world::{SERVER, World};
use common::{assert_no_allocation, is_rtp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use homeline_media_engine::{Engine, EngineConfig, EngineId, Output};
use str0m::media::MediaKind::Video;
use str0m::media::Mid;

/// Packets after which everything that grows to its size has it.
const WARM_UP: usize = 4_096;

/// Packets of a frame of 1.5 Mbit/s.
const BURST: usize = 6;

/// A publisher in the first engine, and receivers in the second.
struct Stage {
    world: World,
    camera: Mid,
    packets: VecDeque<Vec<u8>>,
    way: Way,
    receivers: u64,
}

/// Messages on their way, in memory that is used again.
#[derive(Default)]
struct Way {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Stage {
    fn new(receivers: u8) -> Self {
        let config = EngineConfig {
            estimation: false,
            peers_per_room_max: 256,
            train_max: 64,
            ..EngineConfig::default()
        };
        let mut world = World::with_config(1, config.clone());
        world.add_part(1, &config);
        let (sends, _) = world.join(1, &[(Video, 9)], &[]);
        for number in 2..2 + receivers {
            world.homes.insert(number, 1);
            world.join(number, &[], &[(Video, 9)]);
        }
        world.wait_connected();
        (1..2 + receivers).for_each(|number| world.forward(number, true));
        world.run(Duration::from_millis(10));
        let mut stage = Self {
            world,
            camera: sends[0],
            packets: VecDeque::new(),
            way: Way::default(),
            receivers: receivers.into(),
        };
        for _ in 0..WARM_UP / BURST {
            let mut packets = stage.burst();
            stage.hand_over(&mut packets);
            stage.take();
        }
        stage
    }

    /// Sealed packets that the engine has not seen yet, of about 1,100 bytes.
    fn burst(&mut self) -> Vec<Vec<u8>> {
        while self.packets.len() < BURST {
            self.world.now += Duration::from_micros(5);
            let now = self.world.now;
            let publisher = self.world.clients.get_mut(&1).expect("it joined");
            publisher.timeout(now);
            publisher.send(now, self.camera, &[0x5a; 11_000]);
            let (datagrams, _) = publisher.poll(now);
            let packets = datagrams.into_iter().map(|datagram| datagram.bytes);
            self.packets.extend(packets.filter(|bytes| is_rtp(bytes)));
        }
        self.packets.drain(..BURST).collect()
    }

    fn hand_over(&mut self, packets: &mut [Vec<u8>]) {
        let server = SERVER.parse().expect("an address");
        let publisher = self.world.clients[&1].address;
        for packet in packets {
            let (engine, now) = (&mut self.world.engine, self.world.now);
            engine.handle_datagram(now, server, publisher, packet);
        }
        drain(&mut self.world.engine, &mut self.way);
    }

    fn take(&mut self) {
        let (engine, now) = (&mut self.world.parts[0].engine, self.world.now);
        let mut start = 0;
        for end in self.way.ends.drain(..) {
            engine.handle_message(now, EngineId(0), &self.way.bytes[start..end]);
            start = end;
        }
        self.way.bytes.clear();
        drain(engine, &mut Way::default());
    }

    fn forwarded(&self) -> u64 {
        self.world.parts[0].engine.counters().rtp_forwarded
    }

    /// Reports and feedback are no packet's work.
    fn do_what_is_due(&mut self) {
        for at in 0..2 {
            let now = self.world.now;
            self.world.engine_at(at).handle_timeout(now);
            drain(self.world.engine_at(at), &mut Way::default());
        }
    }
}

fn drain(engine: &mut Engine, way: &mut Way) {
    loop {
        match engine.poll_output() {
            Output::Transmit(transmit) => drop(black_box(transmit.payload)),
            Output::Message(_, message) => {
                way.bytes.extend_from_slice(message);
                way.ends.push(way.bytes.len());
            }
            Output::Event(_) | Output::News(..) => {}
            Output::Timeout(_) => return,
        }
    }
}

fn relay(criterion: &mut Criterion) {
    for receivers in [1, 50] {
        let mut stage = Stage::new(receivers);
        let before = stage.forwarded();
        let mut packets = stage.burst();
        stage.do_what_is_due();
        assert_no_allocation("a packet that is handed over", || {
            stage.hand_over(&mut packets);
        });
        assert_no_allocation("a packet that is taken", || stage.take());
        let expected = BURST as u64 * stage.receivers;
        assert_eq!(stage.forwarded() - before, expected);
        let name = format!("a room of two engines, {receivers} receivers in the other");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(BURST as u64));
        for hands_over in [true, false] {
            let name = if hands_over { "hand over" } else { "take" };
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|rounds| {
                    let mut elapsed = Duration::ZERO;
                    for _ in 0..rounds {
                        let mut packets = stage.burst();
                        let started = Instant::now();
                        stage.hand_over(&mut packets);
                        let handed = started.elapsed();
                        stage.take();
                        let taken = started.elapsed() - handed;
                        elapsed += if hands_over { handed } else { taken };
                    }
                    elapsed
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, relay);
criterion_main!(benches);
