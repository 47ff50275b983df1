//! What layers cost: fifty receivers of one picture in three spatial layers, who change what they see of it all the
//! time (smaller, larger, nothing, and again), and who do not. And that no packet on the way costs an allocation.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

mod common;

use std::time::{Duration, Instant};

use common::support::client::descriptor::Descriptor;
use common::support::world::{ROOM, World, peer, track};
use common::{Arrival, assert_no_allocation, batch, is_rtp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use homeline_media_engine::EngineConfig;
use homeline_protocol::media_control::{MediaCommand, View};
use str0m::media::MediaKind::Video;
use str0m::media::Mid;

const RECEIVERS: u8 = 50;

/// Spatial layers of a picture.
const LAYERS: usize = 3;

/// The structure of L3T1_KEY (AV1 RTP specification, appendix A), short enough for the publisher's one-byte elements:
/// flags, first template, targets; layers; what each target needs of each template; differences; neither chains nor sizes.
const STRUCTURE: &str = "10000_000000_00010_00_10_00_10_00_11_101010_100000_001010_001000_000010_000010_\
    0_100100_100000_100100_100000_100100_00_0";

/// Rounds after which everything that grows to its size has it.
const WARM_UP: usize = 2_000;

/// What a receiver sees, one after the other, each with the key frame that a change of size needs.
const VIEWS: [(u16, u16); 4] = [(320, 180), (1_280, 720), (0, 0), (640, 360)];

struct Stage {
    world: World,
    camera: Mid,
    frames: u16,
    pictures: u64,
    view: usize,
}

/// The descriptor of a frame of one packet. The first of a key frame's picture carries the structure.
fn described(layer: usize, key: bool, number: u16) -> Vec<u8> {
    let template = 2 * layer as u8 + u8::from(!key);
    let [high, low] = number.to_be_bytes();
    let mut bytes = vec![0xc0 | template, high, low];
    if key && layer == 0 {
        let bits: Vec<u8> = STRUCTURE.bytes().filter(|bit| *bit != b'_').collect();
        let byte = |bits: &[u8]| {
            let bit = |(at, bit): (usize, &u8)| (bit - b'0') << (7 - at);
            bits.iter().enumerate().map(bit).sum::<u8>()
        };
        bytes.extend(bits.chunks(8).map(byte));
    }
    bytes
}

impl Stage {
    fn new() -> Self {
        let config = EngineConfig {
            estimation: false,
            peers_per_room_max: usize::from(RECEIVERS) + 1,
            train_max: 64,
            ..EngineConfig::default()
        };
        let mut world = World::with_config(3, config);
        world.add_describing_client(1);
        let (sends, _) = world.join_added(1, &[(Video, 9)], &[]);
        for number in 2..2 + RECEIVERS {
            world.join(number, &[], &[(Video, 9)]);
        }
        world.wait_connected();
        (1..2 + RECEIVERS).for_each(|number| world.forward(number, true));
        let mut stage = Self {
            world,
            camera: sends[0],
            frames: 0,
            pictures: 0,
            view: 0,
        };
        let mut key = stage.picture(true);
        batch(&mut stage.world, &mut key);
        for round in 0..WARM_UP {
            let changes = round % 2 == 0;
            if changes {
                stage.change();
            }
            let mut picture = stage.picture(changes);
            batch(&mut stage.world, &mut picture);
        }
        stage
    }

    /// The sealed packets of the next picture, one for each layer.
    fn picture(&mut self, key: bool) -> Vec<Arrival> {
        // In small steps, and only the publisher's: no timer's work is a packet's.
        self.world.now += Duration::from_micros(5);
        let now = self.world.now;
        self.pictures += 1;
        let publisher = self.world.clients.get_mut(&1).expect("it joined");
        let mut packets = Vec::new();
        for layer in 0..LAYERS {
            let descriptor = described(layer, key, self.frames);
            self.frames = self.frames.wrapping_add(1);
            let layer = (Descriptor(descriptor), self.pictures);
            publisher.timeout(now);
            publisher.send_layer(now, self.camera, &[0x5a; 1_000], layer);
            // Put into packets when time is told.
            publisher.timeout(now);
            let (datagrams, _) = publisher.poll(now);
            let sent = datagrams.into_iter().map(|datagram| datagram.bytes);
            packets.extend(sent.filter(|bytes| is_rtp(bytes)));
        }
        let from = publisher.address;
        assert_eq!(packets.len(), LAYERS);
        packets.into_iter().map(|bytes| (from, bytes)).collect()
    }

    /// All receivers see it otherwise from now on.
    fn change(&mut self) {
        self.view += 1;
        let (width, height) = VIEWS[self.view % VIEWS.len()];
        for number in 2..2 + RECEIVERS {
            let command = MediaCommand::SetView {
                room: ROOM,
                peer: peer(number),
                track: track(9),
                view: View { width, height },
            };
            self.world.command(command).expect("the view is taken");
        }
    }

    fn forwarded(&self) -> u64 {
        self.world.engine.counters().rtp_forwarded
    }
}

fn switch(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    // Each change, and the key frame that it happens at.
    for view in 1..=VIEWS.len() {
        stage.change();
        let (before, mut key) = (stage.forwarded(), stage.picture(true));
        assert_no_allocation("a change of layers", || batch(&mut stage.world, &mut key));
        let copies = (stage.forwarded() - before) / u64::from(RECEIVERS);
        let expected = match VIEWS[(stage.view) % VIEWS.len()].0 {
            0 => 0,
            320 => 1,
            640 => 2,
            _ => LAYERS as u64,
        };
        assert_eq!(copies, expected, "layers of a key frame, change {view}");
        let mut delta = stage.picture(false);
        assert_no_allocation("a layer left out", || batch(&mut stage.world, &mut delta));
    }
    let mut group = criterion.benchmark_group("engine, fifty that change layers");
    group.throughput(Throughput::Elements(u64::from(RECEIVERS)));
    group.bench_function("changes, each with its key frame", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut elapsed = Duration::ZERO;
            for _ in 0..rounds {
                let mut key = stage.picture(true);
                let started = Instant::now();
                stage.change();
                batch(&mut stage.world, &mut key);
                elapsed += started.elapsed();
                let mut delta = stage.picture(false);
                batch(&mut stage.world, &mut delta);
            }
            elapsed
        });
    });
    for (name, width) in [("all of it", 1_280), ("the smallest of three", 320)] {
        while VIEWS[stage.view % VIEWS.len()].0 != width {
            stage.change();
        }
        let mut key = stage.picture(true);
        batch(&mut stage.world, &mut key);
        // A receiver's packet or what is left out for it: what arrives costs for everybody.
        group.throughput(Throughput::Elements(u64::from(RECEIVERS) * LAYERS as u64));
        group.bench_function(format!("pictures, of which each gets {name}"), |bencher| {
            bencher.iter_custom(|rounds| {
                let mut elapsed = Duration::ZERO;
                for _ in 0..rounds {
                    let mut delta = stage.picture(false);
                    let started = Instant::now();
                    batch(&mut stage.world, &mut delta);
                    elapsed += started.elapsed();
                }
                elapsed
            });
        });
    }
    group.finish();
}

criterion_group!(benches, switch);
criterion_main!(benches);
