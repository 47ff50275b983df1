//! Any bytes as a STUN message.
#![no_main]

use homeline_media_engine::wire::stun::{IntegrityKey, StunMessage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = StunMessage::parse(bytes) else {
        return;
    };
    let _ = (
        message.class(),
        message.method(),
        message.ufrags(),
        message.priority(),
    );
    let _ = (
        message.use_candidate(),
        message.ice_controlled(),
        message.ice_controlling(),
    );
    let _ = (
        message.xor_mapped_address(),
        message.error_code(),
        message.verify_fingerprint(),
    );
    let _ = message.unknown_required().count();
    assert!(!message.verify_integrity(&IntegrityKey::new(b"a key that the fuzzer cannot guess")));
});
