//! Envelopes: what decodes encodes to the same bytes, and no signature verifies by accident.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::signed::{Context, Signed};
    if let Ok(signed) = Signed::decode(data) {
        assert_eq!(signed.encode(), data);
        assert!(
            signed.verify(Context::Roster).is_err() || signed.verify(Context::Ringing).is_err()
        );
    }
});
