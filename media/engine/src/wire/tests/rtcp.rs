//! RTCP packets: read, written, damaged.

use std::time::Duration;

use super::unhex;
use crate::wire::ids::Ssrc;
use crate::wire::rtcp::{
    FeedbackHeader, Packet, ReportBlock, RtcpError, RtcpNoRoom, STATUSES_MAX, SenderInfo,
    TransportFeedback, Writer, packets,
};

fn written(build: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = vec![0xee; 1_500];
    let mut writer = Writer::new(&mut out);
    build(&mut writer);
    let len = writer.len();
    out.truncate(len);
    out
}

fn only(bytes: &[u8]) -> Packet<'_> {
    let mut all = packets(bytes);
    let packet = all.next().unwrap().unwrap();
    assert!(all.next().is_none());
    packet
}

const BLOCK: ReportBlock = ReportBlock {
    ssrc: Ssrc(0xbc5e_9a40),
    fraction_lost: 12,
    cumulative_lost: -3,
    highest_sequence: 0x0001_46e1,
    jitter: 273,
    last_sender_report: 0x0009_f362,
    delay_since_last_sender_report: 0x0002_1e1f,
};

// RFC 3550 section 6.4.1.
#[test]
fn a_compound_of_reports_survives_the_round_trip() {
    let info = SenderInfo {
        ntp_time: 0x0102_0304_0506_0708,
        rtp_timestamp: 9,
        packets: 10,
        octets: 11,
    };
    let bytes = written(|w| {
        w.sender_report(Ssrc(1), &info, &[BLOCK, ReportBlock::default()])
            .unwrap();
        w.source_description(Ssrc(1), b"name@home").unwrap();
        w.goodbye(&[Ssrc(5), Ssrc(6)]).unwrap();
    });
    let mut all = packets(&bytes).map(Result::unwrap);
    let Some(Packet::SenderReport(report)) = all.next() else {
        panic!("no sender report")
    };
    assert_eq!((report.ssrc, report.info), (Ssrc(1), info));
    assert_eq!(
        report.blocks().collect::<Vec<_>>(),
        [BLOCK, ReportBlock::default()]
    );
    let Some(Packet::SourceDescription(names)) = all.next() else {
        panic!("no name")
    };
    assert_eq!(
        names.names().collect::<Vec<_>>(),
        [(Ssrc(1), &b"name@home"[..])]
    );
    let Some(Packet::Goodbye(goodbye)) = all.next() else {
        panic!("no goodbye")
    };
    assert_eq!(goodbye.sources().collect::<Vec<_>>(), [Ssrc(5), Ssrc(6)]);
    assert!(all.next().is_none());
}

#[test]
fn a_receiver_report_is_laid_out_as_the_rfc_says() {
    let bytes = written(|w| w.receiver_report(Ssrc(0x902f_9e2e), &[BLOCK]).unwrap());
    let expected = unhex("81c90007 902f9e2e bc5e9a40 0cfffffd 000146e1 00000111 0009f362 00021e1f");
    assert_eq!(bytes, expected);
    let Packet::ReceiverReport(report) = only(&bytes) else {
        panic!("no receiver report")
    };
    assert_eq!(report.blocks().collect::<Vec<_>>(), [BLOCK]);
}

#[test]
fn too_many_blocks_are_cut_to_what_the_count_can_say() {
    let bytes = written(|w| w.receiver_report(Ssrc(1), &[BLOCK; 40]).unwrap());
    let Packet::ReceiverReport(report) = only(&bytes) else {
        panic!("no receiver report")
    };
    assert_eq!(report.blocks().count(), 31);
}

#[test]
fn every_length_of_name_ends_with_a_zero() {
    for len in 0..=255 {
        let name = vec![b'n'; len];
        let bytes = written(|w| w.source_description(Ssrc(1), &name).unwrap());
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(bytes.last(), Some(&0));
        let Packet::SourceDescription(names) = only(&bytes) else {
            panic!("no name")
        };
        assert_eq!(names.names().next(), Some((Ssrc(1), &name[..])));
    }
}

// RFC 4585 section 6.2.1.
#[test]
fn lost_packets_are_named_in_pairs_over_the_wrap() {
    let lost = [65_530, 65_531, 65_535, 10, 11, 200];
    let bytes = written(|w| assert_eq!(w.nack(Ssrc(1), Ssrc(2), &lost), Ok(6)));
    assert_eq!(
        bytes,
        unhex("81cd0005 00000001 00000002 fffa8011 000b0000 00c80000")
    );
    let Packet::Nack(nack) = only(&bytes) else {
        panic!("no nack")
    };
    assert_eq!((nack.sender, nack.media), (Ssrc(1), Ssrc(2)));
    assert_eq!(nack.lost().collect::<Vec<_>>(), lost);
}

#[test]
fn a_nack_takes_what_fits() {
    let lost: Vec<u16> = (0..100).map(|n| n * 20).collect();
    let mut out = [0; 24];
    let mut writer = Writer::new(&mut out);
    assert_eq!(writer.nack(Ssrc(1), Ssrc(2), &lost), Ok(3));
    assert_eq!(writer.len(), 24);
    assert_eq!(writer.nack(Ssrc(1), Ssrc(2), &lost), Err(RtcpNoRoom));
    assert_eq!(writer.len(), 24);
    assert!(written(|w| assert_eq!(w.nack(Ssrc(1), Ssrc(2), &[]), Ok(0))).is_empty());
}

// RFC 4585 section 6.3.1 and RFC 5104 section 4.3.1.
#[test]
fn key_frame_requests_survive_the_round_trip() {
    let bytes = written(|w| w.picture_loss(Ssrc(1), Ssrc(2)).unwrap());
    assert_eq!(bytes, unhex("81ce0002 00000001 00000002"));
    let Packet::PictureLoss(request) = only(&bytes) else {
        panic!("no request")
    };
    assert_eq!((request.sender, request.media), (Ssrc(1), Ssrc(2)));
    let bytes = written(|w| w.full_intra_request(Ssrc(1), Ssrc(2), 3).unwrap());
    assert_eq!(bytes, unhex("84ce0004 00000001 00000000 00000002 03000000"));
    let Packet::FullIntraRequest(request) = only(&bytes) else {
        panic!("no request")
    };
    assert_eq!(request.requests().collect::<Vec<_>>(), [(Ssrc(2), 3)]);
}

// draft-alvestrand-rmcat-remb-03 section 2.2.
#[test]
fn bitrates_keep_eighteen_significant_bits() {
    for rate in [
        0,
        1,
        0x3_ffff,
        0x4_0000,
        2_500_000,
        u64::from(u32::MAX),
        u64::MAX,
    ] {
        let bytes = written(|w| w.remb(Ssrc(1), rate, &[Ssrc(7), Ssrc(8)]).unwrap());
        let Packet::Remb(remb) = only(&bytes) else {
            panic!("no remb")
        };
        assert!(remb.bits_per_second <= rate);
        assert!(rate - remb.bits_per_second <= rate >> 17);
        assert_eq!(remb.sources().collect::<Vec<_>>(), [Ssrc(7), Ssrc(8)]);
    }
    let huge = unhex("8fce0005 00000001 00000000 52454d42 01ffffff 00000007");
    let Packet::Remb(remb) = only(&huge) else {
        panic!("no remb")
    };
    assert_eq!(remb.bits_per_second, u64::MAX);
}

fn feedback(bytes: &[u8]) -> TransportFeedback<'_> {
    let Packet::TransportFeedback(feedback) = only(bytes) else {
        panic!("no feedback")
    };
    feedback
}

fn header(base_sequence: u16) -> FeedbackHeader {
    FeedbackHeader {
        sender: Ssrc(1),
        media: Ssrc(2),
        count: 3,
        base_sequence,
    }
}

/// A message by hand, from draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1: all three kinds
/// of chunk and both sizes of delta.
#[test]
fn transport_feedback_is_read_as_the_draft_lays_it_out() {
    // A run of two missing; then 0xd240, a vector of two-bit symbols 01 00 10 01 and three to spare.
    let bytes = unhex("8fcd0006 00000001 00000002 fffe0006 00000a05 0002 d240 04 fffe 08");
    let feedback = feedback(&bytes);
    assert_eq!(
        (feedback.sender, feedback.media, feedback.count),
        (Ssrc(1), Ssrc(2), 5)
    );
    let found: Vec<_> = feedback
        .packets()
        .map(|packet| (packet.sequence, packet.arrival_micros))
        .collect();
    let expected = [
        (65_534, None),
        (65_535, None),
        (0, Some(641_000)),
        (1, None),
        (2, Some(640_500)),
        (3, Some(642_500)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn written_feedback_says_what_was_given() {
    let micros = [
        Some(1_000_250),
        None,
        Some(1_000_500),
        Some(3_000_000),
        Some(999_750),
        None,
    ];
    let arrivals: Vec<_> = micros
        .iter()
        .map(|at| at.map(Duration::from_micros))
        .collect();
    let bytes = written(|w| {
        assert_eq!(w.transport_feedback(&header(65_533), &arrivals), Ok(6));
    });
    let feedback = feedback(&bytes);
    assert_eq!((feedback.base_sequence(), feedback.statuses()), (65_533, 6));
    let found: Vec<_> = feedback
        .packets()
        .map(|p| p.arrival_micros.map(|at| at as u64))
        .collect();
    assert_eq!(found, micros);
    let last = feedback.packets().last().unwrap();
    assert_eq!(last.sequence, 2);
}

#[test]
fn feedback_stops_at_a_silence_that_no_delta_can_say() {
    let arrivals = [
        Some(Duration::from_secs(1)),
        None,
        Some(Duration::from_secs(60)),
    ];
    let bytes = written(|w| {
        assert_eq!(w.transport_feedback(&header(0), &arrivals), Ok(2));
        assert_eq!(w.transport_feedback(&header(2), &arrivals[2..]), Ok(1));
        assert_eq!(w.transport_feedback(&header(3), &[]), Ok(0));
    });
    assert_eq!(packets(&bytes).count(), 2);
    let many = vec![Some(Duration::from_secs(1)); STATUSES_MAX + 1];
    let bytes = written(|w| {
        assert_eq!(w.transport_feedback(&header(0), &many), Ok(STATUSES_MAX));
    });
    assert_eq!(usize::from(feedback(&bytes).statuses()), STATUSES_MAX);
}

#[test]
fn feedback_that_lies_about_its_length_is_refused() {
    let arrivals = [Some(Duration::from_secs(1)); 20];
    let bytes = written(|w| {
        w.transport_feedback(&header(0), &arrivals).unwrap();
    });
    let malformed = |bytes: &[u8]| {
        assert_eq!(
            packets(bytes).next().unwrap().err(),
            Some(RtcpError::Malformed(205))
        );
    };
    // More statuses than deltas, more than chunks, and the reserved symbol.
    let mut lie = bytes.clone();
    lie[15] = 200;
    malformed(&lie);
    lie[14] = 0xff;
    malformed(&lie);
    let mut lie = bytes.clone();
    lie[20] |= 0x60;
    malformed(&lie);
}

#[test]
fn packets_that_contradict_themselves_are_refused() {
    let first = |bytes: &[u8]| packets(bytes).next().unwrap().err();
    assert_eq!(first(&unhex("80c9")), Some(RtcpError::Truncated));
    assert_eq!(first(&unhex("80c90001")), Some(RtcpError::Truncated));
    assert_eq!(first(&unhex("40c90000")), Some(RtcpError::Version(1)));
    assert_eq!(first(&unhex("80c90000")), Some(RtcpError::Malformed(201)));
    assert_eq!(
        first(&unhex("81c90001 00000001")),
        Some(RtcpError::Malformed(201))
    );
    assert_eq!(
        first(&unhex("80c80001 00000001")),
        Some(RtcpError::Malformed(200))
    );
    assert_eq!(first(&unhex("81cb0000")), Some(RtcpError::Malformed(203)));
    assert_eq!(
        first(&unhex("81ca0002 00000001 01ff6161")),
        Some(RtcpError::Malformed(202))
    );
    assert_eq!(
        first(&unhex("81cd0001 00000001")),
        Some(RtcpError::Malformed(205))
    );
    assert_eq!(first(&unhex("81ce0000")), Some(RtcpError::Malformed(206)));
    let short = unhex("84ce0003 00000001 00000000 00000002");
    assert_eq!(first(&short), Some(RtcpError::Malformed(206)));
    let short = unhex("8fce0004 00000001 00000000 52454d42 02000000");
    assert_eq!(first(&short), Some(RtcpError::Malformed(206)));
    assert_eq!(first(&unhex("a0c90000")), Some(RtcpError::Padding(0)));
    assert_eq!(
        first(&unhex("a0c90001 00000005")),
        Some(RtcpError::Padding(5))
    );
}

#[test]
fn an_error_ends_the_compound_and_the_unknown_is_passed_over() {
    let bytes = unhex("80cf0001 00000001 81ce0002 00000001 00000002 0000");
    let mut all = packets(&bytes);
    assert!(matches!(
        all.next(),
        Some(Ok(Packet::Other {
            packet_type: 207,
            format: 0
        }))
    ));
    assert!(matches!(all.next(), Some(Ok(Packet::PictureLoss(_)))));
    assert!(matches!(all.next(), Some(Err(RtcpError::Truncated))));
    assert!(all.next().is_none());
}

#[test]
fn padding_of_the_last_packet_is_not_content() {
    let bytes = unhex("a1cd0004 00000001 00000002 00050000 00000004");
    let Packet::Nack(nack) = only(&bytes) else {
        panic!("no nack")
    };
    assert_eq!(nack.lost().collect::<Vec<_>>(), [5]);
}
