//! Any bytes as a clear RTP packet: read, forwarded, retransmitted, restored.
#![no_main]

use homeline_media_engine::wire::demux::classify;
use homeline_media_engine::wire::extension::ExtensionMap;
use homeline_media_engine::wire::forward::{Rewrite, write_forwarded, write_rtx};
use homeline_media_engine::wire::ids::{ExtensionId, PayloadType, Ssrc};
use homeline_media_engine::wire::rtp::{RtpPacket, RtpPacketMut};
use homeline_media_engine::wire::{audio_level::AudioLevel, rtx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = classify(bytes);
    let Ok(packet) = RtpPacket::parse(bytes) else {
        return;
    };
    for (_, value) in packet.extensions() {
        let _ = AudioLevel::parse(value);
    }
    let mut map = ExtensionMap::new(packet.marker());
    for n in 1..=31 {
        map.set(
            ExtensionId::new(n).unwrap(),
            ExtensionId::new(32 - n).unwrap(),
        );
    }
    let rewrite = Rewrite {
        payload_type: packet.payload_type(),
        sequence: 1,
        timestamp: 2,
        ssrc: Ssrc(3),
        marker: None,
        extensions: &map,
        insert: &[],
        transport_sequence: ExtensionId::new(5).map(|id| (id, 6)),
        frame_number: ExtensionId::new(7).map(|id| (id, 8)),
        padding: packet.sequence() as u8,
    };
    let mut out = vec![0; 2 * bytes.len() + 600];
    let len = write_forwarded(&packet, &rewrite, &mut out).expect("room for everything");
    let written = RtpPacket::parse(&out[..len]).expect("what is written can be read");
    assert_eq!(written.payload(), packet.payload());
    let len = write_rtx(&packet, 9, &rewrite, &mut out).expect("room for everything");
    let media = PayloadType::from_low_bits(10);
    let restored = rtx::restore(&mut out[..len], Ssrc(11), media).expect("an rtx packet");
    assert_eq!(
        RtpPacket::parse(restored).expect("rtp").payload(),
        packet.payload()
    );
    let mut copy = bytes.to_vec();
    RtpPacketMut::parse(&mut copy)
        .expect("parsed before")
        .remap_extensions(&map);
});
