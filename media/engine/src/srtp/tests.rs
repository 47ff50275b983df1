//! SRTP against vectors of others and against attackers.
//!
//! RFC 3711 appendix B.2 and B.3, RFC 7714 sections 16.1 and 17.1 (retrieved as published), and the
//! reference packet of libsrtp's `srtp_driver.c`, which joins key derivation, cipher and tag.

use super::cipher::Cipher;
use super::derive::{Label, derive};
use super::*;
use crate::wire::rtp::RtpError;
use crate::wire::tests::unhex;

const ALL: [Profile; 3] = [
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
    Profile::Aes128CmHmacSha1_80,
];

fn array<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().unwrap()
}

fn reference_key() -> MasterKey {
    let key = unhex("E1F97A0D3E018BE0D64FA32C06DE4139");
    let salt = unhex("0EC675AD498AFEEBB6960B3AABE6");
    MasterKey::new(Profile::Aes128CmHmacSha1_80, &key, &salt).unwrap()
}

// RFC 3711 appendix B.3.
#[test]
fn keys_are_derived_as_in_rfc_3711() {
    let master = reference_key();
    let mut key = [0; 16];
    derive(&master, Label::RtpEncryption, &mut key);
    assert_eq!(key[..], unhex("C61E7A93744F39EE10734AFE3FF7A087"));
    let mut salt = [0; 14];
    derive(&master, Label::RtpSalt, &mut salt);
    assert_eq!(salt[..], unhex("30CBBC08863D8C85D49DB34A9AE1"));
    let mut auth = [0; 94];
    derive(&master, Label::RtpAuthentication, &mut auth);
    let expected = unhex(
        "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
         E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
         6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2",
    );
    assert_eq!(auth[..], expected);
}

// RFC 7714 section 11 has no vector; the value is libsrtp's and webrtc-srtp's for this key and salt.
#[test]
fn the_short_salt_is_padded_on_the_right() {
    let key: Vec<u8> = (0..16).collect();
    let salt: Vec<u8> = (0x40..0x4c).collect();
    let master = MasterKey::new(Profile::AeadAes128Gcm, &key, &salt).unwrap();
    let mut derived = [0; 12];
    derive(&master, Label::RtpSalt, &mut derived);
    assert_eq!(derived[..], unhex("1fcd5d561e66dc49ec1c3ccb"));
}

// RFC 3711 appendix B.2: the whole keystream segment of 65,282 blocks does not fit a datagram, so its
// start, as the encryption of zeros.
#[test]
fn the_counter_mode_keystream_is_that_of_rfc_3711() {
    let key: [u8; 16] = array("2B7E151628AED2A6ABF7158809CF4F3C");
    let salt = array("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    let cipher = Cipher::from_session(Profile::Aes128CmHmacSha1_80, &key, salt, &[0; 20]);
    let mut packet = [0; 12 + 48 + 10];
    packet[0] = 0x80;
    cipher.seal_rtp(&mut packet, 60, 12, crate::wire::ids::Ssrc(0), 0);
    let expected = unhex(
        "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
         41E95B3BB0A2E8DD477901E4FCA894C0",
    );
    assert_eq!(packet[12..60], expected);
}

// libsrtp, test/srtp_driver.c, srtp_validate().
#[test]
fn the_libsrtp_reference_packet_is_reproduced() {
    let clear = unhex("800f1234decafbadcafebabeabababababababababababababababab");
    let sealed =
        unhex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
    let mut buffer = [0; 64];
    buffer[..clear.len()].copy_from_slice(&clear);
    let mut outbound = Outbound::new(&reference_key());
    let len = outbound.protect_rtp(&mut buffer, clear.len()).unwrap();
    assert_eq!(buffer[..len], sealed);
    let len = Inbound::new(&reference_key())
        .unprotect_rtp(&mut buffer[..len])
        .unwrap();
    assert_eq!(buffer[..len], clear);
}

fn rfc_7714() -> (Inbound, Outbound) {
    let profile = Profile::AeadAes128Gcm;
    let cipher = || {
        let mut salt = [0; 14];
        salt[..12].copy_from_slice(b"Quid pro quo");
        let key: [u8; 16] = array("000102030405060708090a0b0c0d0e0f");
        Cipher::from_session(profile, &key, salt, &[0; 20])
    };
    let inbound = Inbound::with_ciphers(profile, cipher(), cipher());
    (inbound, Outbound::with_ciphers(profile, cipher(), cipher()))
}

// RFC 7714 sections 16.1.1 and 16.1.2.
#[test]
fn the_rfc_7714_rtp_packet_is_reproduced() {
    let (mut inbound, mut outbound) = rfc_7714();
    let mut clear = unhex("8040f17b8041f8d35501a0b2");
    clear.extend(b"Gallia est omnis divisa in partes tres");
    let sealed = unhex(
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b
         36de3adf8833899d7f27beb16a9152cf765ee4390cce",
    );
    let mut buffer = [0; 80];
    buffer[..clear.len()].copy_from_slice(&clear);
    let len = outbound.protect_rtp(&mut buffer, clear.len()).unwrap();
    assert_eq!(buffer[..len], sealed);
    let len = inbound.unprotect_rtp(&mut buffer[..len]).unwrap();
    assert_eq!(buffer[..len], clear);
}

// RFC 7714 sections 16.2.1 and 16.2.2.
#[test]
fn the_rfc_7714_rtp_packet_is_reproduced_with_a_long_key() {
    let profile = Profile::AeadAes256Gcm;
    let cipher = || {
        let mut salt = [0; 14];
        salt[..12].copy_from_slice(b"Quid pro quo");
        let key: [u8; 32] = std::array::from_fn(|n| n as u8);
        Cipher::from_session(profile, &key, salt, &[0; 20])
    };
    let mut clear = unhex("8040f17b8041f8d35501a0b2");
    clear.extend(b"Gallia est omnis divisa in partes tres");
    let sealed = unhex(
        "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f
         1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
    let mut buffer = [0; 80];
    buffer[..clear.len()].copy_from_slice(&clear);
    let mut outbound = Outbound::with_ciphers(profile, cipher(), cipher());
    let len = outbound.protect_rtp(&mut buffer, clear.len()).unwrap();
    assert_eq!(buffer[..len], sealed);
    let mut inbound = Inbound::with_ciphers(profile, cipher(), cipher());
    let len = inbound.unprotect_rtp(&mut buffer[..len]).unwrap();
    assert_eq!(buffer[..len], clear);
}

// RFC 6188 section 7.4: key derivation with AES-256.
#[test]
fn the_rfc_6188_session_keys_are_derived() {
    let key = unhex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
    let salt = unhex("3b04803de51ee7c96423ab5b78d2");
    let mut master = MasterKey::new(Profile::AeadAes256Gcm, &key, &salt[..12]).unwrap();
    // The vectors have a salt of counter mode's length, which no profile pairs with a long key.
    master.salt.copy_from_slice(&salt);
    let mut session = [0; 32];
    derive(&master, Label::RtpEncryption, &mut session);
    let expected = "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4";
    assert_eq!(session.to_vec(), unhex(expected));
    let mut session = [0; 14];
    derive(&master, Label::RtpSalt, &mut session);
    assert_eq!(session.to_vec(), unhex("fa31791685ca444a9e07c6c64e93"));
    let mut session = [0; 20];
    derive(&master, Label::RtpAuthentication, &mut session);
    assert_eq!(
        session.to_vec(),
        unhex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05")
    );
    assert!(MasterKey::new(Profile::AeadAes256Gcm, &key[..16], &salt[..12]).is_err());
}

// RFC 7714 sections 17.1 and 17.2.
#[test]
fn the_rfc_7714_rtcp_packet_is_reproduced() {
    let (mut inbound, mut outbound) = rfc_7714();
    let clear = unhex(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
         deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    );
    let sealed = unhex(
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46
         86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
    );
    let mut buffer = [0; 80];
    buffer[..clear.len()].copy_from_slice(&clear);
    outbound.set_rtcp_index(0x5d3);
    let len = outbound.protect_rtcp(&mut buffer, clear.len()).unwrap();
    assert_eq!(buffer[..len], sealed);
    let len = inbound.unprotect_rtcp(&mut buffer[..len]).unwrap();
    assert_eq!(buffer[..len], clear);
}

// RFC 7714 section 17.3: tagged but not encrypted, which WebRTC does not allow.
#[test]
fn rtcp_in_the_clear_is_refused() {
    let (mut inbound, _) = rfc_7714();
    let mut tagged = unhex(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61
         deadbeefdeadbeefdeadbeefdeadbeefdeadbeef841dd9683dd78ec92ae58790125f62b3000005d4",
    );
    assert_eq!(
        inbound.unprotect_rtcp(&mut tagged),
        Err(UnprotectError::NotEncrypted)
    );
}

/// Our server, and the client that it talks to.
fn both_ends(profile: Profile) -> ((Inbound, Outbound), (Inbound, Outbound)) {
    let material: Vec<u8> = (0..profile.keying_material_len() as u8).collect();
    let client = from_exporter(profile, &material, DtlsRole::Client).unwrap();
    (
        client,
        from_exporter(profile, &material, DtlsRole::Server).unwrap(),
    )
}

fn rtp(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![
        0x90, 96, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xbe, 0xde, 0, 1, 0x10, 9, 0, 0,
    ];
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
    packet.extend(format!("payload {sequence}").bytes());
    packet
}

fn seal(outbound: &mut Outbound, clear: &[u8]) -> Result<Vec<u8>, ProtectError> {
    let mut buffer = clear.to_vec();
    buffer.resize(clear.len() + outbound.profile().rtp_overhead(), 0);
    let len = outbound.protect_rtp(&mut buffer, clear.len())?;
    assert_eq!(len, buffer.len());
    Ok(buffer)
}

fn open(inbound: &mut Inbound, sealed: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut buffer = sealed.to_vec();
    let len = inbound.unprotect_rtp(&mut buffer)?;
    buffer.truncate(len);
    Ok(buffer)
}

#[test]
fn each_role_reads_what_the_other_writes() {
    for profile in ALL {
        let (mut client, mut server) = both_ends(profile);
        let sealed = seal(&mut client.1, &rtp(1, 1)).unwrap();
        assert_eq!(open(&mut server.0, &sealed).unwrap(), rtp(1, 1));
        assert_eq!(open(&mut client.0, &sealed), Err(UnprotectError::BadTag));
        let sealed = seal(&mut server.1, &rtp(1, 1)).unwrap();
        assert_eq!(open(&mut client.0, &sealed).unwrap(), rtp(1, 1));
    }
}

#[test]
fn the_rollover_counter_follows_over_three_wraps_with_reordering() {
    for profile in ALL {
        let (mut client, mut server) = both_ends(profile);
        let mut number = 65_000_u64;
        while number < 4 * 65_536 {
            // Every train of four arrives with its last packet first.
            let train: Vec<_> = (number..number + 4).map(|n| rtp(n as u16, 7)).collect();
            let mut sealed: Vec<_> = train
                .iter()
                .map(|clear| seal(&mut client.1, clear).unwrap())
                .collect();
            sealed.reverse();
            for (sealed, clear) in sealed.iter().zip(train.iter().rev()) {
                assert_eq!(&open(&mut server.0, sealed).unwrap(), clear, "{number}");
            }
            // Near the wrap every packet counts, elsewhere a sample does.
            number += if number % 65_536 > 65_500 { 4 } else { 97 };
        }
    }
}

#[test]
fn a_replayed_packet_is_refused() {
    for profile in ALL {
        let (mut client, mut server) = both_ends(profile);
        let first = seal(&mut client.1, &rtp(1, 7)).unwrap();
        let second = seal(&mut client.1, &rtp(2_000, 7)).unwrap();
        open(&mut server.0, &first).unwrap();
        assert_eq!(open(&mut server.0, &first), Err(UnprotectError::Replayed));
        open(&mut server.0, &second).unwrap();
        assert_eq!(open(&mut server.0, &first), Err(UnprotectError::TooOld));
        assert_eq!(open(&mut server.0, &second), Err(UnprotectError::Replayed));
    }
}

#[test]
fn any_changed_bit_is_refused_and_changes_no_state() {
    for profile in ALL {
        let (mut client, mut server) = both_ends(profile);
        open(&mut server.0, &seal(&mut client.1, &rtp(1, 7)).unwrap()).unwrap();
        let sealed = seal(&mut client.1, &rtp(2, 7)).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&mut server.0, &forged).is_err(), "bit {bit}");
        }
        assert_eq!(open(&mut server.0, &sealed).unwrap(), rtp(2, 7));
    }
}

#[test]
fn a_forged_jump_does_not_move_the_rollover_counter() {
    for profile in ALL {
        let (mut client, mut server) = both_ends(profile);
        open(&mut server.0, &seal(&mut client.1, &rtp(100, 7)).unwrap()).unwrap();
        let mut forged = rtp(32_000, 7);
        forged.extend([0; 16]);
        assert_eq!(open(&mut server.0, &forged), Err(UnprotectError::BadTag));
        let mut unknown = rtp(5, 8);
        unknown.extend([0; 16]);
        assert_eq!(open(&mut server.0, &unknown), Err(UnprotectError::BadTag));
        open(&mut server.0, &seal(&mut client.1, &rtp(101, 7)).unwrap()).unwrap();
    }
}

#[test]
fn a_number_is_never_sealed_twice() {
    for profile in ALL {
        let (mut client, _) = both_ends(profile);
        seal(&mut client.1, &rtp(500, 7)).unwrap();
        assert_eq!(
            seal(&mut client.1, &rtp(500, 7)),
            Err(ProtectError::Repeated)
        );
        seal(&mut client.1, &rtp(499, 7)).unwrap();
        assert_eq!(
            seal(&mut client.1, &rtp(300, 7)),
            Err(ProtectError::Repeated)
        );
        // Another stream numbers for itself.
        seal(&mut client.1, &rtp(500, 8)).unwrap();
        // Behind the stream's very first number.
        seal(&mut client.1, &rtp(3, 9)).unwrap();
        assert_eq!(
            seal(&mut client.1, &rtp(65_530, 9)),
            Err(ProtectError::Repeated)
        );
    }
}

#[test]
fn streams_are_bounded_in_both_directions() {
    let (mut client, mut server) = both_ends(Profile::AeadAes128Gcm);
    for ssrc in 0..STREAMS_MAX as u32 {
        open(&mut server.0, &seal(&mut client.1, &rtp(1, ssrc)).unwrap()).unwrap();
    }
    assert_eq!(
        seal(&mut client.1, &rtp(1, u32::MAX)),
        Err(ProtectError::TooManyStreams)
    );
    seal(&mut client.1, &rtp(2, 5)).unwrap();
    client.1.forget(crate::wire::ids::Ssrc(5));
    let extra = seal(&mut client.1, &rtp(1, u32::MAX)).unwrap();
    assert_eq!(
        open(&mut server.0, &extra),
        Err(UnprotectError::TooManyStreams)
    );
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x81, 206, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9];
    packet[4..8].copy_from_slice(&ssrc.to_be_bytes());
    packet
}

fn seal_rtcp(outbound: &mut Outbound, clear: &[u8]) -> Vec<u8> {
    let mut buffer = clear.to_vec();
    buffer.resize(clear.len() + outbound.profile().rtcp_overhead(), 0);
    let len = outbound.protect_rtcp(&mut buffer, clear.len()).unwrap();
    assert_eq!(len, buffer.len());
    buffer
}

#[test]
fn rtcp_round_trips_and_refuses_replays_and_forgeries() {
    for profile in ALL {
        let (mut client, mut server) = both_ends(profile);
        let first = seal_rtcp(&mut client.1, &rtcp(7));
        let second = seal_rtcp(&mut client.1, &rtcp(7));
        assert_ne!(first, second);
        for sealed in [&second, &first] {
            let mut buffer = sealed.clone();
            let len = server.0.unprotect_rtcp(&mut buffer).unwrap();
            assert_eq!(buffer[..len], rtcp(7));
            let mut again = sealed.clone();
            assert_eq!(
                server.0.unprotect_rtcp(&mut again),
                Err(UnprotectError::Replayed)
            );
        }
        let third = seal_rtcp(&mut client.1, &rtcp(7));
        for bit in 0..third.len() * 8 {
            let mut forged = third.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(server.0.unprotect_rtcp(&mut forged).is_err(), "bit {bit}");
        }
        assert!(server.0.unprotect_rtcp(&mut third.clone()).is_ok());
    }
}

#[test]
fn used_up_rtcp_numbers_are_an_error() {
    let (mut client, _) = both_ends(Profile::AeadAes128Gcm);
    client.1.set_rtcp_index((1 << 31) - 2);
    let mut buffer = [0; 64];
    buffer[..12].copy_from_slice(&rtcp(7));
    assert_eq!(client.1.protect_rtcp(&mut buffer, 12), Ok(32));
    assert_eq!(
        client.1.protect_rtcp(&mut buffer, 12),
        Err(ProtectError::Exhausted)
    );
}

#[test]
fn every_truncation_is_refused() {
    for profile in ALL {
        let (mut client, mut server) = both_ends(profile);
        let sealed = seal(&mut client.1, &rtp(1, 7)).unwrap();
        for len in 0..sealed.len() {
            assert!(open(&mut server.0, &sealed[..len]).is_err(), "{len} bytes");
        }
        let sealed = seal_rtcp(&mut client.1, &rtcp(7));
        for len in 0..sealed.len() {
            let mut short = sealed[..len].to_vec();
            assert!(server.0.unprotect_rtcp(&mut short).is_err(), "{len} bytes");
        }
    }
}

#[test]
fn what_cannot_be_sealed_is_left_alone() {
    let (mut client, _) = both_ends(Profile::AeadAes128Gcm);
    let clear = rtp(1, 7);
    let mut tight = clear.clone();
    tight.extend([0; 15]);
    assert_eq!(
        client.1.protect_rtp(&mut tight, clear.len()),
        Err(ProtectError::NoRoom)
    );
    assert_eq!(
        client.1.protect_rtp(&mut tight, 1_000),
        Err(ProtectError::NoRoom)
    );
    assert_eq!(tight[..clear.len()], clear);
    let error = ProtectError::Rtp(RtpError::Truncated);
    assert_eq!(client.1.protect_rtp(&mut tight, 5), Err(error));
    assert_eq!(
        client.1.protect_rtcp(&mut [0; 40], 7),
        Err(ProtectError::RtcpTruncated)
    );
    assert_eq!(
        client.1.protect_rtcp(&mut [0; 27], 8),
        Err(ProtectError::NoRoom)
    );
    // None of the failures used up the number.
    seal(&mut client.1, &clear).unwrap();
}

#[test]
fn material_of_the_wrong_length_is_refused() {
    for profile in ALL {
        let needed = profile.keying_material_len();
        let refused = from_exporter(profile, &vec![0; needed - 1], DtlsRole::Client);
        assert_eq!(
            refused.err(),
            Some(KeyError::Length {
                needed,
                found: needed - 1
            })
        );
        assert_eq!(Profile::from_id(profile.id()), Some(profile));
    }
    assert!(MasterKey::new(Profile::AeadAes128Gcm, &[0; 15], &[0; 12]).is_err());
    assert!(MasterKey::new(Profile::AeadAes128Gcm, &[0; 16], &[0; 14]).is_err());
    assert_eq!(Profile::from_id(0x0002), None);
}
