//! STUN against the vectors of RFC 5769 and against damage.

use std::net::SocketAddr;

use super::unhex;
use crate::wire::stun::{
    BINDING, Class, IntegrityKey, NoRoom, StunError, StunMessage, StunWriter, TransactionId,
    attribute,
};

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

// RFC 5769 section 2.1.
const REQUEST: &str =
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74
    002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020
    000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
// RFC 5769 section 2.2.
const RESPONSE_V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220
    002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
// RFC 5769 section 2.3.
const RESPONSE_V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220
    002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41
    80280004c8fb0b4c";
// RFC 5769 section 2.4.
const LONG_TERM: &str =
    "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382af
    e382b900000015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c
    652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

#[test]
fn the_rfc_5769_request_is_read() {
    let bytes = unhex(REQUEST);
    let message = StunMessage::parse(&bytes).unwrap();
    assert_eq!(message.class(), Class::Request);
    assert_eq!(message.method(), BINDING);
    assert_eq!(
        message.transaction().0[..],
        unhex("b7e7a701bc34d686fa87dfae")
    );
    assert_eq!(
        message.attribute(attribute::SOFTWARE),
        Some(&b"STUN test client"[..])
    );
    assert_eq!(message.username(), Some("evtj:h6vY"));
    assert_eq!(message.ufrags(), Some(("evtj", "h6vY")));
    assert_eq!(message.priority(), Some(0x6e00_01ff));
    assert_eq!(message.ice_controlled(), Some(0x932f_f9b1_5126_3b36));
    assert_eq!(message.ice_controlling(), None);
    assert!(!message.use_candidate());
    assert!(message.verify_integrity(&IntegrityKey::new(PASSWORD)));
    assert!(!message.verify_integrity(&IntegrityKey::new(b"another")));
    assert_eq!(message.verify_fingerprint(), Some(true));
    assert_eq!(message.unknown_required().count(), 0);
}

#[test]
fn the_rfc_5769_responses_are_read() {
    let v4: SocketAddr = "192.0.2.1:32853".parse().unwrap();
    let v6: SocketAddr = "[2001:db8:1234:5678:11:2233:4455:6677]:32853"
        .parse()
        .unwrap();
    for (text, address) in [(RESPONSE_V4, v4), (RESPONSE_V6, v6)] {
        let bytes = unhex(text);
        let message = StunMessage::parse(&bytes).unwrap();
        assert_eq!(message.class(), Class::Success);
        assert_eq!(
            message.attribute(attribute::SOFTWARE),
            Some(&b"test vector"[..])
        );
        assert_eq!(message.xor_mapped_address(), Some(address));
        assert!(message.verify_integrity(&IntegrityKey::new(PASSWORD)));
        assert_eq!(message.verify_fingerprint(), Some(true));
    }
}

#[test]
fn the_rfc_5769_long_term_request_is_read() {
    let bytes = unhex(LONG_TERM);
    let message = StunMessage::parse(&bytes).unwrap();
    assert_eq!(message.username(), Some("マトリックス"));
    assert_eq!(
        message.attribute(attribute::REALM),
        Some(&b"example.org"[..])
    );
    // MD5 of "マトリックス:example.org:TheMatrIX", RFC 8489 section 9.2.2.
    let key = IntegrityKey::new(&unhex("e8ca7ad59d5eb0518e312911d2dab2a9"));
    assert!(message.verify_integrity(&key));
    assert_eq!(message.verify_fingerprint(), None);
}

/// The SOFTWARE padding of the vectors is 0x20, ours zero: with that put right, the bytes are theirs.
#[test]
fn the_rfc_5769_response_is_written_but_for_its_padding() {
    for text in [RESPONSE_V4, RESPONSE_V6] {
        let bytes = unhex(text);
        let message = StunMessage::parse(&bytes).unwrap();
        let mut out = [0; 200];
        let mut writer =
            StunWriter::new(&mut out, Class::Success, BINDING, message.transaction()).unwrap();
        writer
            .attribute(attribute::SOFTWARE, b"test vector")
            .unwrap();
        writer
            .xor_mapped_address(message.xor_mapped_address().unwrap())
            .unwrap();
        let len = writer.finish(Some(&IntegrityKey::new(PASSWORD))).unwrap();
        assert_eq!(len, bytes.len());
        let end = len - 32;
        out[35] = 0x20;
        assert_eq!(out[..end], bytes[..end]);
    }
}

#[test]
fn an_ice_check_survives_the_round_trip() {
    let key = IntegrityKey::new(b"password");
    let mut out = [0; 200];
    let transaction = TransactionId([3; 12]);
    let mut writer = StunWriter::new(&mut out, Class::Request, BINDING, transaction).unwrap();
    writer.username("ours:theirs").unwrap();
    writer.priority(77).unwrap();
    writer.ice_controlling(u64::MAX).unwrap();
    writer.use_candidate().unwrap();
    let len = writer.finish(Some(&key)).unwrap();
    let message = StunMessage::parse(&out[..len]).unwrap();
    assert_eq!(message.transaction(), transaction);
    assert_eq!(message.ufrags(), Some(("ours", "theirs")));
    assert_eq!(message.priority(), Some(77));
    assert_eq!(message.ice_controlling(), Some(u64::MAX));
    assert!(message.use_candidate());
    assert!(message.verify_integrity(&key));
    assert_eq!(message.verify_fingerprint(), Some(true));
}

#[test]
fn errors_carry_their_code() {
    let mut out = [0; 200];
    let transaction = TransactionId([3; 12]);
    let mut writer = StunWriter::new(&mut out, Class::Error, BINDING, transaction).unwrap();
    writer.error_code(487, "Role Conflict").unwrap();
    let len = writer.finish(None).unwrap();
    let message = StunMessage::parse(&out[..len]).unwrap();
    assert_eq!(message.class(), Class::Error);
    assert_eq!(message.error_code(), Some(487));
    assert!(!message.has_integrity());
    assert!(!message.verify_integrity(&IntegrityKey::new(b"")));
}

#[test]
fn classes_and_methods_interleave() {
    for class in [
        Class::Request,
        Class::Indication,
        Class::Success,
        Class::Error,
    ] {
        for method in [BINDING, 0x003, 0x00f, 0x0ff, 0xfff] {
            let mut out = [0; 40];
            let writer = StunWriter::new(&mut out, class, method, TransactionId([0; 12])).unwrap();
            let len = writer.finish(None).unwrap();
            let message = StunMessage::parse(&out[..len]).unwrap();
            assert_eq!((message.class(), message.method()), (class, method));
        }
    }
}

// RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY was not signed.
#[test]
fn attributes_behind_the_integrity_are_not_believed() {
    let key = IntegrityKey::new(b"password");
    let mut out = [0; 200];
    let writer =
        StunWriter::new(&mut out, Class::Request, BINDING, TransactionId([3; 12])).unwrap();
    let len = writer.finish(Some(&key)).unwrap();
    // In place of FINGERPRINT, somebody appends a nomination.
    let mut forged = out[..len - 8].to_vec();
    forged.extend([0, 0x25, 0, 0]);
    let announced = (forged.len() - 20) as u16;
    forged[2..4].copy_from_slice(&announced.to_be_bytes());
    let message = StunMessage::parse(&forged).unwrap();
    assert!(message.verify_integrity(&key));
    assert!(!message.use_candidate());
}

#[test]
fn any_changed_byte_breaks_integrity_or_parsing() {
    let bytes = unhex(REQUEST);
    let key = IntegrityKey::new(PASSWORD);
    let integrity_end = bytes.len() - 8;
    for at in 0..integrity_end {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let passes = StunMessage::parse(&damaged).is_ok_and(|m| m.verify_integrity(&key));
        assert!(!passes, "byte {at}");
    }
}

#[test]
fn malformed_messages_are_refused() {
    let bytes = unhex(REQUEST);
    for len in 0..bytes.len() {
        let error = StunMessage::parse(&bytes[..len]).err();
        assert_eq!(error, Some(StunError::Truncated), "{len} bytes");
    }
    let mut long = bytes.clone();
    long.push(0);
    assert_eq!(StunMessage::parse(&long).err(), Some(StunError::TooLong));
    let mut cookie = bytes.clone();
    cookie[4] = 0;
    assert_eq!(StunMessage::parse(&cookie).err(), Some(StunError::NotStun));
    let mut bits = bytes.clone();
    bits[0] = 0x40;
    assert_eq!(StunMessage::parse(&bits).err(), Some(StunError::NotStun));
    let mut overrun = bytes.clone();
    overrun[23] = 0xff;
    assert_eq!(
        StunMessage::parse(&overrun).err(),
        Some(StunError::Truncated)
    );
    // FINGERPRINT twice.
    let mut twice = bytes.clone();
    twice.extend_from_slice(&bytes[bytes.len() - 8..]);
    twice[3] += 8;
    let error = Some(StunError::Attribute(attribute::FINGERPRINT));
    assert_eq!(StunMessage::parse(&twice).err(), error);
}

#[test]
fn a_short_integrity_is_refused() {
    let mut out = [0; 64];
    let mut writer =
        StunWriter::new(&mut out, Class::Request, BINDING, TransactionId([0; 12])).unwrap();
    writer
        .attribute(attribute::MESSAGE_INTEGRITY, &[0; 12])
        .unwrap();
    let len = writer.finish(None).unwrap();
    let error = Some(StunError::Attribute(attribute::MESSAGE_INTEGRITY));
    assert_eq!(StunMessage::parse(&out[..len]).err(), error);
}

#[test]
fn a_short_buffer_is_refused() {
    let transaction = TransactionId([0; 12]);
    assert!(StunWriter::new(&mut [0; 19], Class::Request, BINDING, transaction).is_err());
    let mut out = [0; 27];
    let mut writer = StunWriter::new(&mut out, Class::Request, BINDING, transaction).unwrap();
    assert_eq!(writer.priority(1), Err(NoRoom));
    assert_eq!(writer.finish(None), Err(NoRoom));
}
