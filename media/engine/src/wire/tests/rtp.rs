//! The RTP view and in-place rewriting.

use crate::wire::extension::ExtensionMap;
use crate::wire::ids::{ExtensionId, PayloadType, Ssrc};
use crate::wire::rtp::{RtpError, RtpPacket, RtpPacketMut};

fn id(n: u8) -> ExtensionId {
    ExtensionId::new(n).unwrap()
}

/// Version 2, padding, extension, two CSRCs, marker, every field distinct.
fn full() -> Vec<u8> {
    let mut packet = vec![0xb2, 0xe0, 0x12, 0x34, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef];
    packet.extend([0, 0, 0, 1, 0, 0, 0, 2]);
    packet.extend([0xbe, 0xde, 0, 2, 0x10, 0xff, 0x42, 1, 2, 3, 0, 0]);
    packet.extend(b"payload");
    packet.extend([0, 0, 3]);
    packet
}

// RFC 3550 section 5.1.
#[test]
fn every_field_is_where_the_rfc_puts_it() {
    let bytes = full();
    let packet = RtpPacket::parse(&bytes).unwrap();
    assert!(packet.marker());
    assert_eq!(packet.payload_type().number(), 0x60);
    assert_eq!(packet.sequence(), 0x1234);
    assert_eq!(packet.timestamp(), 9);
    assert_eq!(packet.ssrc(), Ssrc(0xdead_beef));
    assert_eq!(packet.csrcs().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    assert_eq!(packet.extension(id(1)), Some(&[0xff][..]));
    assert_eq!(packet.extension(id(4)), Some(&[1, 2, 3][..]));
    assert_eq!(packet.extension(id(2)), None);
    assert_eq!(packet.payload(), b"payload");
    assert_eq!(packet.padding_len(), 3);
    assert_eq!(packet.header_len(), 32);
}

#[test]
fn every_truncation_is_refused() {
    let bytes = full();
    for len in 0..32 {
        let error = RtpPacket::parse(&bytes[..len]).err();
        assert_eq!(error, Some(RtpError::Truncated), "{len} bytes");
    }
}

#[test]
fn wrong_versions_and_paddings_are_refused() {
    let mut bytes = full();
    bytes[0] = 0x72;
    assert_eq!(RtpPacket::parse(&bytes).err(), Some(RtpError::Version(1)));
    let mut bytes = full();
    *bytes.last_mut().unwrap() = 0;
    assert_eq!(RtpPacket::parse(&bytes).err(), Some(RtpError::Padding(0)));
    *bytes.last_mut().unwrap() = 11;
    assert_eq!(RtpPacket::parse(&bytes).err(), Some(RtpError::Padding(11)));
    *bytes.last_mut().unwrap() = 10;
    assert!(RtpPacket::parse(&bytes).unwrap().payload().is_empty());
    // The P bit without any payload: the count would be a header byte.
    let bare = [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(RtpPacket::parse(&bare).err(), Some(RtpError::Padding(1)));
    assert_eq!(
        RtpPacket::parse(&vec![0x80; 70_000]).err(),
        Some(RtpError::TooLong)
    );
}

#[test]
fn an_extension_length_beyond_the_packet_is_refused() {
    let mut bytes = full();
    bytes[22] = 0xff;
    assert_eq!(RtpPacket::parse(&bytes).err(), Some(RtpError::Truncated));
}

#[test]
fn an_unknown_extension_profile_has_no_elements() {
    let mut bytes = full();
    bytes[20] = 0x77;
    let packet = RtpPacket::parse(&bytes).unwrap();
    assert_eq!(packet.extensions().count(), 0);
    assert_eq!(packet.payload(), b"payload");
}

#[test]
fn rewriting_in_place_changes_only_what_it_names() {
    let mut bytes = full();
    let mut map = ExtensionMap::new(false);
    map.set(id(4), id(14));
    let mut packet = RtpPacketMut::parse(&mut bytes).unwrap();
    packet.set_marker(false);
    packet.set_payload_type(PayloadType::new(111).unwrap());
    packet.set_sequence(0xffff);
    packet.set_timestamp(0x0102_0304);
    packet.set_ssrc(Ssrc(0x0506_0708));
    packet.remap_extensions(&map);
    let packet = RtpPacket::parse(&bytes).unwrap();
    assert!(!packet.marker());
    assert_eq!(packet.payload_type().number(), 111);
    assert_eq!(packet.sequence(), 0xffff);
    assert_eq!(packet.timestamp(), 0x0102_0304);
    assert_eq!(packet.ssrc(), Ssrc(0x0506_0708));
    assert_eq!(packet.extension(id(14)), Some(&[1, 2, 3][..]));
    assert_eq!(packet.extensions().count(), 1);
    assert_eq!(packet.payload(), b"payload");
    assert_eq!(packet.csrcs().count(), 2);
}
