//! What one packet costs on its way to fifty receivers: header, copy and seal.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use homeline_media_engine::srtp::{MasterKey, Outbound, Profile};
use homeline_media_engine::wire::extension::ExtensionMap;
use homeline_media_engine::wire::forward::{Rewrite, write_forwarded};
use homeline_media_engine::wire::ids::{ExtensionId, PayloadType, Ssrc};
use homeline_media_engine::wire::rtp::RtpPacket;

const RECEIVERS: u64 = 50;

/// A packet as a browser publishes it: mid, audio level or descriptor, transport-wide number.
fn publisher_packet(len: usize) -> Vec<u8> {
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 3];
    packet.extend([0x10, b'0', 0x22, 0xc0, 0, 1, 0x31, 0, 9, 0x40, 0x80, 0]);
    packet.resize(len, 0xa5);
    packet
}

fn id(number: u8) -> ExtensionId {
    ExtensionId::new(number).expect("not zero")
}

fn outbound(profile: Profile) -> Outbound {
    let salt = [7; 14];
    let key = [9; 32];
    let master = MasterKey::new(
        profile,
        &key[..profile.key_len()],
        &salt[..profile.salt_len()],
    );
    Outbound::new(&master.expect("lengths fit the profile"))
}

/// The receivers' extension ids: two are forwarded, mid and transport-wide number are written anew.
fn receiver_map() -> ExtensionMap {
    let mut map = ExtensionMap::new(false);
    map.set(id(2), id(5));
    map.set(id(4), id(6));
    map
}

fn rewrite<'a>(
    sequence: u16,
    map: &'a ExtensionMap,
    own: &'a [(ExtensionId, &'a [u8])],
) -> Rewrite<'a> {
    Rewrite {
        payload_type: PayloadType::from_low_bits(100),
        sequence,
        timestamp: 77,
        ssrc: Ssrc(0x1234_5678),
        marker: None,
        extensions: map,
        insert: own,
        transport_sequence: Some((id(3), sequence)),
        frame_number: None,
        padding: 0,
    }
}

/// One packet to fifty receivers, as the engine does it.
fn forward(criterion: &mut Criterion) {
    let map = receiver_map();
    let own = [(id(1), &b"3"[..])];
    for profile in Profile::PREFERRED {
        let mut group = criterion.benchmark_group(format!("forward_1_to_50/{profile:?}"));
        group.throughput(Throughput::Elements(RECEIVERS));
        for len in [120, 1_100] {
            let source = publisher_packet(len);
            let mut receivers: Vec<_> = (0..RECEIVERS).map(|_| outbound(profile)).collect();
            let mut slab = vec![0_u8; 1_500];
            let mut sequence = 0_u16;
            group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
                bencher.iter(|| {
                    sequence = sequence.wrapping_add(1);
                    let packet = RtpPacket::parse(black_box(&source)).expect("well formed");
                    for receiver in &mut receivers {
                        let rewrite = rewrite(sequence, &map, &own);
                        let len = write_forwarded(&packet, &rewrite, &mut slab).expect("room");
                        black_box(receiver.protect_rtp(&mut slab, len).expect("fresh number"));
                    }
                });
            });
        }
        group.finish();
    }
}

/// The two halves alone, to see which one a change has made slower.
fn halves(criterion: &mut Criterion) {
    let map = receiver_map();
    let own = [(id(1), &b"3"[..])];
    for len in [120, 1_100] {
        let source = publisher_packet(len);
        let mut slab = vec![0_u8; 1_500];
        criterion.bench_function(&format!("write_forwarded/{len}"), |bencher| {
            let packet = RtpPacket::parse(&source).expect("well formed");
            let rewrite = rewrite(1, &map, &own);
            bencher.iter(|| {
                write_forwarded(black_box(&packet), black_box(&rewrite), &mut slab).expect("room")
            });
        });
        let mut receiver = outbound(Profile::AeadAes128Gcm);
        let mut sequence = 0_u16;
        slab[..len].copy_from_slice(&source);
        criterion.bench_function(&format!("protect_rtp/AeadAes128Gcm/{len}"), |bencher| {
            bencher.iter(|| {
                sequence = sequence.wrapping_add(1);
                slab[2..4].copy_from_slice(&sequence.to_be_bytes());
                receiver.protect_rtp(&mut slab, len).expect("fresh number")
            });
        });
    }
}

criterion_group!(benches, forward, halves);
criterion_main!(benches);
