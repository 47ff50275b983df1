//! Any bytes as a clear compound RTCP packet.
#![no_main]

use homeline_media_engine::wire::rtcp::{Packet, packets};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for packet in packets(bytes).flatten() {
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
});
