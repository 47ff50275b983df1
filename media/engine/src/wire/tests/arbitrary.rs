//! No bytes may make a parser panic, and what a writer writes a parser reads back.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::unhex;
use crate::srtp::{DtlsRole, Profile, from_exporter};
use crate::wire::audio_level::AudioLevel;
use crate::wire::demux::classify;
use crate::wire::descriptor::{Descriptor, starts_key_frame};
use crate::wire::extension::ExtensionMap;
use crate::wire::forward::{Rewrite, write_forwarded, write_rtx};
use crate::wire::ids::{ExtensionId, PayloadType, Ssrc};
use crate::wire::rtcp::{FeedbackHeader, Packet, Writer, packets};
use crate::wire::rtp::{RtpPacket, RtpPacketMut};
use crate::wire::rtx;
use crate::wire::stun::{IntegrityKey, StunMessage};

fn full_map() -> ExtensionMap {
    let mut map = ExtensionMap::new(true);
    for n in 1..=31 {
        let id = ExtensionId::new(n).unwrap();
        map.set(id, ExtensionId::new(32 - n).unwrap());
    }
    map
}

fn rewrite<'a>(map: &'a ExtensionMap, insert: &'a [(ExtensionId, &'a [u8])]) -> Rewrite<'a> {
    Rewrite {
        payload_type: PayloadType::from_low_bits(1),
        sequence: 2,
        timestamp: 3,
        ssrc: Ssrc(4),
        marker: None,
        extensions: map,
        insert,
        transport_sequence: ExtensionId::new(3).map(|id| (id, 5)),
        frame_number: ExtensionId::new(4).map(|id| (id, 6)),
        padding: 9,
    }
}

/// Reads everything that a packet of this kind offers.
fn exhaust_rtp(bytes: &[u8]) {
    let Ok(packet) = RtpPacket::parse(bytes) else {
        return;
    };
    let _ = (
        packet.marker(),
        packet.sequence(),
        packet.timestamp(),
        packet.ssrc(),
    );
    let _ = (packet.payload(), packet.csrcs().count());
    for (id, value) in packet.extensions() {
        assert!(packet.extension(id).is_some());
        let _ = AudioLevel::parse(value);
        drop(Descriptor::parse(value, None));
    }
    let map = full_map();
    let own = [(ExtensionId::new(1).unwrap(), &b"mid"[..])];
    for room in [0, 20, 60, 4_000] {
        let mut out = vec![0; room];
        if let Ok(len) = write_forwarded(&packet, &rewrite(&map, &own), &mut out) {
            let written = RtpPacket::parse(&out[..len]).unwrap();
            assert_eq!(written.payload(), packet.payload());
        }
        write_rtx(&packet, 7, &rewrite(&map, &own), &mut out).ok();
    }
    let mut copy = bytes.to_vec();
    RtpPacketMut::parse(&mut copy)
        .unwrap()
        .remap_extensions(&map);
    rtx::restore(&mut copy, Ssrc(1), PayloadType::from_low_bits(2)).ok();
}

fn exhaust_rtcp(bytes: &[u8]) {
    for packet in packets(bytes) {
        let Ok(packet) = packet else { continue };
        match packet {
            Packet::SenderReport(report) => drop(report.blocks().count()),
            Packet::ReceiverReport(report) => drop(report.blocks().count()),
            Packet::SourceDescription(names) => drop(names.names().count()),
            Packet::Goodbye(goodbye) => drop(goodbye.sources().count()),
            Packet::Nack(nack) => drop(nack.lost().count()),
            Packet::FullIntraRequest(request) => drop(request.requests().count()),
            Packet::Remb(remb) => drop(remb.sources().count()),
            Packet::TransportFeedback(feedback) => {
                assert_eq!(feedback.packets().count(), usize::from(feedback.statuses()));
            }
            Packet::PictureLoss(_) | Packet::Other { .. } => {}
        }
    }
}

fn exhaust_stun(bytes: &[u8]) {
    let Ok(message) = StunMessage::parse(bytes) else {
        return;
    };
    let _ = (
        message.class(),
        message.method(),
        message.username(),
        message.ufrags(),
    );
    let _ = (
        message.priority(),
        message.use_candidate(),
        message.error_code(),
    );
    let _ = (
        message.ice_controlled(),
        message.ice_controlling(),
        message.xor_mapped_address(),
    );
    let _ = (
        message.verify_fingerprint(),
        message.unknown_required().count(),
    );
    let _ = message.verify_integrity(&IntegrityKey::new(b"key"));
}

/// A valid start with arbitrary bytes behind it, so that parsers are entered and not only refused.
fn after(prefix: &'static [u8], len: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..len).prop_map(move |tail| [prefix, &tail].concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = classify(&bytes);
        exhaust_rtp(&bytes);
        exhaust_rtcp(&bytes);
        exhaust_stun(&bytes);
        let _ = starts_key_frame(&bytes);
        drop(Descriptor::parse(&bytes, None));
    }

    #[test]
    fn arbitrary_extensions_never_panic(
        one in after(&[0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 5], 100),
        two in after(&[0xb0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0, 0, 5], 100),
    ) {
        exhaust_rtp(&one);
        exhaust_rtp(&two);
    }

    #[test]
    fn arbitrary_feedback_never_panics(
        kind in 0_u8..32, packet_type in 200_u8..208, body in vec(any::<u8>(), 0..60),
    ) {
        let mut bytes = vec![0x80 | kind, packet_type, 0, (body.len() / 4) as u8];
        bytes.extend(body);
        exhaust_rtcp(&bytes);
    }

    #[test]
    fn arbitrary_transport_feedback_never_panics(
        statuses in 0_u16..3_000, body in vec(any::<u8>(), 0..60),
    ) {
        let mut bytes = vec![0x8f, 205, 0, 4 + (body.len() / 4) as u8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0];
        bytes.extend(statuses.to_be_bytes());
        bytes.extend([0, 0, 0, 1]);
        bytes.extend(body);
        exhaust_rtcp(&bytes);
    }

    #[test]
    fn arbitrary_attributes_never_panic(
        kinds in vec((prop_oneof![Just(6_u16), Just(8), Just(9), Just(0x20), Just(0x8028)],
            vec(any::<u8>(), 0..24)), 0..6),
    ) {
        let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend([7; 12]);
        for (kind, value) in &kinds {
            bytes.extend(kind.to_be_bytes());
            bytes.extend((value.len() as u16).to_be_bytes());
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        let len = (bytes.len() - 20) as u16;
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
        exhaust_stun(&bytes);
    }

    #[test]
    fn arbitrary_descriptors_never_panic(
        bytes in after(&[0x80, 0, 1, 0x80], 120), flags in any::<u8>(), next in vec(any::<u8>(), 3..20),
    ) {
        let mut bytes = bytes;
        bytes[3] |= flags & 0x7f;
        if let Ok(Descriptor { structure: Some(structure), .. }) = Descriptor::parse(&bytes, None) {
            drop(Descriptor::parse(&next, Some(&structure)));
            for target in 0..40 {
                let _ = (structure.layers_of(target), structure.protecting_chain(target));
            }
        }
    }

    #[test]
    fn sealed_bytes_of_any_kind_never_panic(bytes in vec(any::<u8>(), 0..100)) {
        for profile in Profile::PREFERRED {
            let material = vec![1; profile.keying_material_len()];
            let (mut inbound, mut outbound) =
                from_exporter(profile, &material, DtlsRole::Server).unwrap();
            let mut copy = bytes.clone();
            prop_assert!(inbound.unprotect_rtp(&mut copy).is_err());
            let mut copy = bytes.clone();
            prop_assert!(inbound.unprotect_rtcp(&mut copy).is_err());
            let mut copy = bytes.clone();
            outbound.protect_rtp(&mut copy, bytes.len() / 2).ok();
            outbound.protect_rtcp(&mut copy, bytes.len() / 2).ok();
        }
    }

    #[test]
    fn lost_packets_survive_the_round_trip(
        start in any::<u16>(), gaps in vec(1_u16..300, 0..60),
    ) {
        let mut lost = vec![start];
        for gap in gaps {
            lost.push(lost.last().unwrap().wrapping_add(gap));
        }
        let mut out = [0; 1_200];
        let mut writer = Writer::new(&mut out);
        prop_assert_eq!(writer.nack(Ssrc(1), Ssrc(2), &lost), Ok(lost.len()));
        let len = writer.len();
        let Some(Ok(Packet::Nack(nack))) = packets(&out[..len]).next() else {
            panic!("no nack");
        };
        prop_assert_eq!(nack.lost().collect::<Vec<_>>(), lost);
    }

    #[test]
    fn arrivals_survive_the_round_trip(
        base in any::<u16>(),
        start in 0_u64..1 << 34,
        steps in vec(prop_oneof![
            3 => (0_i64..2_000).prop_map(Some),
            1 => (-4_000_i64..2_000_000).prop_map(Some),
            2 => Just(None),
        ], 1..400),
    ) {
        // Whole ticks, so that nothing is rounded; four seconds in, so that steps back stay positive.
        let mut clock = (start / 250 * 250) as i64 + 4_000_000;
        let arrivals: Vec<_> = steps.iter().map(|step| step.map(|step| {
            clock = (clock + step / 250 * 250).max(0);
            Duration::from_micros(clock as u64)
        })).collect();
        let mut out = [0; 4_000];
        let mut writer = Writer::new(&mut out);
        let header = FeedbackHeader { sender: Ssrc(1), media: Ssrc(2), count: 3, base_sequence: base };
        let covered = writer.transport_feedback(&header, &arrivals).unwrap();
        prop_assert_eq!(covered, arrivals.len());
        let len = writer.len();
        let Some(Ok(Packet::TransportFeedback(read))) = packets(&out[..len]).next() else {
            panic!("no feedback");
        };
        // The 24-bit reference wraps after 2^24 * 64 ms; read as signed it is negative from the half on.
        let wrap = (1_i64 << 24) * 64_000;
        for ((packet, arrival), n) in read.packets().zip(&arrivals).zip(0_u16..) {
            prop_assert_eq!(packet.sequence, base.wrapping_add(n));
            let expected = arrival.map(|at| at.as_micros() as i64 % wrap);
            prop_assert_eq!(packet.arrival_micros.map(|at| at.rem_euclid(wrap)), expected);
        }
    }

    #[test]
    fn sealed_packets_survive_the_round_trip(
        payload in vec(any::<u8>(), 0..1_200), sequence in any::<u16>(), ssrc in any::<u32>(),
    ) {
        for profile in Profile::PREFERRED {
            let material = vec![1; profile.keying_material_len()];
            let (_, mut outbound) = from_exporter(profile, &material, DtlsRole::Client).unwrap();
            let (mut inbound, _) = from_exporter(profile, &material, DtlsRole::Server).unwrap();
            let mut buffer = unhex("806000000000000000000000");
            buffer[2..4].copy_from_slice(&sequence.to_be_bytes());
            buffer[8..12].copy_from_slice(&ssrc.to_be_bytes());
            buffer.extend(&payload);
            let clear = buffer.clone();
            buffer.resize(clear.len() + profile.rtp_overhead(), 0);
            let len = outbound.protect_rtp(&mut buffer, clear.len()).unwrap();
            let len = inbound.unprotect_rtp(&mut buffer[..len]).unwrap();
            prop_assert_eq!(&buffer[..len], &clear[..]);
        }
    }
}
