//! Any text as an SDP offer, and then any bytes as a datagram to the peer it may have made.
#![no_main]

use std::sync::OnceLock;
use std::time::Instant;

use homeline_media_engine::{Engine, EngineConfig, Identity, Output};
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, Publish};
use libfuzzer_sys::fuzz_target;

const ROOM: RoomId = RoomId([1; 16]);

fuzz_target!(|input: (String, Vec<u8>)| {
    let (offer, mut datagram) = input;
    let (here, there) = ("10.0.0.1:5000", "10.0.0.2:6000");
    let (here, there) = (here.parse().unwrap(), there.parse().unwrap());
    let now = Instant::now();
    let config = EngineConfig { candidates: vec![here], ..EngineConfig::default() };
    let mut engine = Engine::new(config, identity(), [7; 32], now);
    engine.handle_command(now, MediaCommand::CreateRoom { room: ROOM }).unwrap();
    let publish = vec![Publish { mid: "0".to_owned(), track: TrackId([2; 16]) }];
    let (peer, subscribe) = (PeerId([3; 16]), Vec::new());
    let negotiate = MediaCommand::Negotiate { room: ROOM, peer, offer, publish, subscribe };
    // A refusal is as good as an answer: neither may panic.
    drop(engine.handle_command(now, negotiate));
    engine.handle_datagram(now, here, there, &mut datagram);
    while !matches!(engine.poll_output(), Output::Timeout(_)) {}
});

fn identity() -> Identity {
    static MADE: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    let (certificate, key) = MADE.get_or_init(|| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        (params.self_signed(&key).unwrap().der().to_vec(), key.serialize_der())
    });
    Identity::new(certificate.clone(), key.clone()).unwrap()
}
