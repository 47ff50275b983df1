//! Any bytes as a stream of media packets (ICE over TCP) and of TURN's messages: what is found lies within the bytes,
//! and nothing depends on how the stream was cut.
#![no_main]

use libfuzzer_sys::fuzz_target;

// The node's own files: they know nothing but bytes, and need no door of their own for this.
#[path = "../../../node/src/tcp/framing.rs"]
#[allow(dead_code, reason = "what writes is not looked at here")]
mod packets;
#[path = "../../../node/src/turn/framing.rs"]
#[allow(dead_code, reason = "what writes is not looked at here")]
mod messages;

use messages::Framing;

fuzz_target!(|bytes: &[u8]| {
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    let at_once = packets::whole_packets(&mut bytes.to_vec(), |packet| whole.push(packet.to_vec()));
    let (mut held, mut broken) = (Vec::new(), false);
    for part in bytes.chunks(7) {
        held.extend_from_slice(part);
        let Ok(done) = packets::whole_packets(&mut held, |packet| cut.push(packet.to_vec())) else {
            broken = true;
            break;
        };
        assert!(done <= held.len());
        held.drain(..done);
        assert!(held.len() < packets::HEAD + packets::PACKET_MAX);
    }
    assert_eq!(at_once.is_err(), broken);
    assert_eq!(whole, cut);
    assert!(whole.iter().all(|packet| packet.len() <= packets::PACKET_MAX));

    let mut rest = bytes;
    while let Framing::Whole(frame) = messages::frame(rest) {
        assert!(0 < frame.len && frame.len <= frame.padded && frame.padded <= rest.len());
        assert!(frame.padded <= messages::FRAME_LEN_MAX);
        // A message does not become another by what follows it.
        assert_eq!(messages::frame(&rest[..frame.padded]), Framing::Whole(frame));
        rest = &rest[frame.padded..];
    }
});
