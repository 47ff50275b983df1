//! Handshakes with `rtc-dtls`, another implementation, whose clients can be told what to offer.

#![expect(
    clippy::disallowed_methods,
    reason = "a test has to begin at some moment"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use rtc_dtls::config::{ConfigBuilder, ExtendedMasterSecretType};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::crypto_provider::default_provider;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;

use super::*;
use crate::srtp::Profile::{AeadAes128Gcm, AeadAes256Gcm, Aes128CmHmacSha1_80};

const SERVER: &str = "10.0.0.1:5000";
const CLIENT: &str = "10.0.1.1:4000";

struct Client {
    endpoint: Endpoint,
    fingerprint: Fingerprint,
}

impl Client {
    fn offering(profiles: &[Profile]) -> Self {
        let provider = default_provider().unwrap();
        let names = vec!["client".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto()).unwrap();
        let fingerprint = Fingerprint {
            hash: FingerprintHash::Sha256,
            bytes: digest::digest(&digest::SHA256, &certificate.certificate[0])
                .as_ref()
                .to_vec(),
        };
        let profiles = profiles
            .iter()
            .map(|profile| SrtpProtectionProfile::from(profile.id()))
            .collect();
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(profiles)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_insecure_skip_verify(true)
            .build(true, None)
            .unwrap();
        let address = CLIENT.parse().unwrap();
        let mut endpoint = Endpoint::new(address, TransportProtocol::UDP, None);
        endpoint
            .connect(Instant::now(), server(), Arc::new(config), None)
            .unwrap();
        Self {
            endpoint,
            fingerprint,
        }
    }
}

fn server() -> SocketAddr {
    SERVER.parse().unwrap()
}

fn identity() -> Identity {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity::new(certificate.der().to_vec(), key.serialize_der()).unwrap()
}

/// Carries datagrams to and fro until both are through, or the server says that it failed.
fn shake_hands(client: &mut Client) -> HandshakeEvent {
    let now = Instant::now();
    let path = Path::new(server(), CLIENT.parse().unwrap());
    let mut handshake = Handshake::new(now, &identity(), client.fingerprint.clone());
    let mut outbox = Outbox::new(1);
    let mut ours = None;
    let mut theirs = false;
    while ours.is_none() || !theirs {
        let mut quiet = true;
        while let Some(sent) = client.endpoint.poll_transmit() {
            quiet = false;
            ours = ours.or(handshake.handle_datagram(now, path, &sent.message, &mut outbox));
        }
        if matches!(ours, Some(HandshakeEvent::Failed)) {
            break;
        }
        while let Some((sent, _)) = outbox.next_train() {
            quiet = false;
            let datagram = BytesMut::from(sent.payload);
            let events = client.endpoint.read(now, server(), None, datagram).unwrap();
            theirs |= events
                .iter()
                .any(|event| matches!(event, EndpointEvent::HandshakeComplete));
        }
        assert!(!quiet, "both wait for each other");
    }
    ours.expect("the loop ends with an event")
}

#[test]
fn our_first_profile_among_those_offered_is_taken_whatever_the_clients_order() {
    let all = [Aes128CmHmacSha1_80, AeadAes256Gcm, AeadAes128Gcm];
    for (offered, taken) in [
        (&all[..], AeadAes128Gcm),
        (&all[..2], AeadAes256Gcm),
        (&all[..1], Aes128CmHmacSha1_80),
        (&[AeadAes128Gcm][..], AeadAes128Gcm),
    ] {
        let mut client = Client::offering(offered);
        let HandshakeEvent::Established(keys) = shake_hands(&mut client) else {
            panic!("{offered:?} have one of ours");
        };
        let state = client.endpoint.get_connection_state(server()).unwrap();
        assert_eq!(state.srtp_protection_profile() as u16, taken.id());
        // The keys are the same on both sides: a packet of one opens at the other.
        let length = taken.keying_material_len();
        let material = state
            .export_keying_material("EXTRACTOR-dtls_srtp", &[], length)
            .unwrap();
        let (_, mut outbound) = from_exporter(taken, material.as_ref(), DtlsRole::Client).unwrap();
        let (mut inbound, _) = *keys;
        let packet = [0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, b'h', b'i'];
        let mut buffer = [0; 64];
        buffer[..packet.len()].copy_from_slice(&packet);
        let sealed = outbound.protect_rtp(&mut buffer, packet.len()).unwrap();
        let opened = inbound.unprotect_rtp(&mut buffer[..sealed]).unwrap();
        assert_eq!(buffer[..opened], packet);
    }
}

#[test]
fn a_client_that_offers_no_srtp_fails() {
    let mut client = Client::offering(&[]);
    assert!(matches!(shake_hands(&mut client), HandshakeEvent::Failed));
}
