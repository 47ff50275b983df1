//! What a receiver gets of a publisher's packet.

use crate::wire::extension::ExtensionMap;
use crate::wire::forward::{
    Rewrite, SEAL_ROOM, WriteError, write_forwarded, write_padding, write_rtx,
};
use crate::wire::ids::{ExtensionId, PayloadType, Ssrc};
use crate::wire::rtp::RtpPacket;
use crate::wire::rtx;

fn id(n: u8) -> ExtensionId {
    ExtensionId::new(n).unwrap()
}

fn map(pairs: &[(u8, u8)]) -> ExtensionMap {
    let mut map = ExtensionMap::new(true);
    for (incoming, outgoing) in pairs {
        assert!(map.set(id(*incoming), id(*outgoing)));
    }
    map
}

fn rewrite(extensions: &ExtensionMap) -> Rewrite<'_> {
    Rewrite {
        payload_type: PayloadType::new(100).unwrap(),
        sequence: 7,
        timestamp: 8,
        ssrc: Ssrc(9),
        marker: None,
        extensions,
        insert: &[],
        transport_sequence: None,
        frame_number: None,
        padding: 0,
    }
}

/// Marker, one CSRC, extensions 1 (mid), 2 (descriptor), 3 (transport-wide), padding of 4.
fn source() -> Vec<u8> {
    let mut packet = vec![0xb1, 0xe0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
    packet.extend([
        0xbe, 0xde, 0, 3, 0x10, b'a', 0x22, 0xc5, 0, 1, 0x31, 0xaa, 0xbb, 0, 0, 0,
    ]);
    packet.extend(b"secret frame");
    packet.extend([0, 0, 0, 4]);
    packet
}

fn forwarded(source: &[u8], rewrite: &Rewrite<'_>) -> Vec<u8> {
    let mut out = vec![0xee; 1_500];
    let len = write_forwarded(&RtpPacket::parse(source).unwrap(), rewrite, &mut out).unwrap();
    out.truncate(len);
    out
}

#[test]
fn the_header_is_the_receivers_and_the_payload_the_publishers() {
    let extensions = map(&[(2, 5)]);
    let out = forwarded(&source(), &rewrite(&extensions));
    let packet = RtpPacket::parse(&out).unwrap();
    assert_eq!(packet.payload_type().number(), 100);
    assert_eq!(packet.sequence(), 7);
    assert_eq!(packet.timestamp(), 8);
    assert_eq!(packet.ssrc(), Ssrc(9));
    assert!(packet.marker());
    assert_eq!(packet.payload(), b"secret frame");
    assert_eq!(packet.csrcs().count(), 0);
    let found: Vec<_> = packet.extensions().collect();
    assert_eq!(found, [(id(5), &[0xc5, 0, 1][..])]);
}

#[test]
fn the_publishers_padding_and_its_bit_do_not_pass() {
    let extensions = map(&[]);
    let out = forwarded(&source(), &rewrite(&extensions));
    let packet = RtpPacket::parse(&out).unwrap();
    assert_eq!(out[0], 0x80);
    assert_eq!(packet.padding_len(), 0);
    assert_eq!(out.len(), 12 + 12);
}

#[test]
fn padding_makes_a_train_equal() {
    let extensions = map(&[]);
    let out = forwarded(
        &source(),
        &Rewrite {
            padding: 5,
            ..rewrite(&extensions)
        },
    );
    let packet = RtpPacket::parse(&out).unwrap();
    assert_eq!(packet.padding_len(), 5);
    assert_eq!(packet.payload(), b"secret frame");
    assert_eq!(&out[out.len() - 5..], [0, 0, 0, 0, 5]);
}

#[test]
fn the_receivers_own_elements_win() {
    let extensions = map(&[(1, 1), (2, 2), (3, 3)]);
    let own = Rewrite {
        insert: &[(id(1), b"9")],
        transport_sequence: Some((id(3), 0x1234)),
        frame_number: Some((id(2), 0xabcd)),
        marker: Some(false),
        ..rewrite(&extensions)
    };
    let out = forwarded(&source(), &own);
    let packet = RtpPacket::parse(&out).unwrap();
    assert!(!packet.marker());
    assert_eq!(packet.extension(id(1)), Some(&b"9"[..]));
    assert_eq!(packet.extension(id(2)), Some(&[0xc5, 0xab, 0xcd][..]));
    assert_eq!(packet.extension(id(3)), Some(&[0x12, 0x34][..]));
    assert_eq!(packet.extensions().count(), 3);
}

#[test]
fn long_elements_take_the_two_byte_form_only_where_it_is_allowed() {
    let mut source = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0, 0, 6];
    source.extend([2, 20]);
    source.extend(1..=20);
    source.extend([0, 0]);
    source.extend(b"p");
    let mut extensions = map(&[(2, 5)]);
    let own = Rewrite {
        insert: &[(id(1), b"3")],
        ..rewrite(&extensions)
    };
    let out = forwarded(&source, &own);
    let packet = RtpPacket::parse(&out).unwrap();
    assert_eq!(&out[12..14], [0x10, 0]);
    assert_eq!(
        packet.extension(id(5)),
        Some(&(1..=20).collect::<Vec<u8>>()[..])
    );
    assert_eq!(packet.extension(id(1)), Some(&b"3"[..]));
    extensions.two_byte_allowed = false;
    let own = Rewrite {
        insert: &[(id(1), b"3")],
        ..rewrite(&extensions)
    };
    let out = forwarded(&source, &own);
    let packet = RtpPacket::parse(&out).unwrap();
    assert_eq!(&out[12..14], [0xbe, 0xde]);
    assert_eq!(
        packet.extensions().collect::<Vec<_>>(),
        [(id(1), &b"3"[..])]
    );
    assert_eq!(packet.payload(), b"p");
}

#[test]
fn a_buffer_without_room_for_the_seal_is_refused() {
    let extensions = map(&[(2, 5)]);
    let source = source();
    let packet = RtpPacket::parse(&source).unwrap();
    let full = Rewrite {
        insert: &[(id(1), b"9")],
        transport_sequence: Some((id(3), 1)),
        padding: 2,
        ..rewrite(&extensions)
    };
    let needed = forwarded(&source, &full).len() + SEAL_ROOM;
    for len in 0..needed {
        let mut out = vec![0; len];
        let refused = write_forwarded(&packet, &full, &mut out);
        assert_eq!(refused, Err(WriteError::NoRoom), "{len} bytes");
    }
    assert!(write_forwarded(&packet, &full, &mut vec![0; needed]).is_ok());
}

// RFC 4588 section 4.
#[test]
fn a_retransmission_comes_back_as_the_packet_that_was_lost() {
    let extensions = map(&[(1, 1)]);
    let source = source();
    let mut out = vec![0; 1_500];
    let packet = RtpPacket::parse(&source).unwrap();
    let len = write_rtx(&packet, 0xfffe, &rewrite(&extensions), &mut out).unwrap();
    let sent = RtpPacket::parse(&out[..len]).unwrap();
    assert_eq!(&sent.payload()[..2], [0xff, 0xfe]);
    let media = PayloadType::new(96).unwrap();
    let restored = rtx::restore(&mut out[..len], Ssrc(3), media).unwrap();
    let restored = RtpPacket::parse(restored).unwrap();
    assert_eq!(restored.sequence(), 0xfffe);
    assert_eq!(restored.ssrc(), Ssrc(3));
    assert_eq!(restored.payload_type(), media);
    assert_eq!(restored.payload(), b"secret frame");
    assert_eq!(restored.extension(id(1)), Some(&b"a"[..]));
}

#[test]
fn a_probe_is_nothing_but_padding() {
    let extensions = map(&[]);
    let mut out = vec![0xee; 300];
    let probe = Rewrite {
        padding: 255,
        transport_sequence: Some((id(3), 1)),
        ..rewrite(&extensions)
    };
    let len = write_padding(&probe, &mut out).unwrap();
    let packet = RtpPacket::parse(&out[..len]).unwrap();
    assert!(packet.payload().is_empty());
    assert_eq!(packet.padding_len(), 255);
    assert!(!packet.marker());
    assert_eq!(packet.extension(id(3)), Some(&[0, 1][..]));
}
