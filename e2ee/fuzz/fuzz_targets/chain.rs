//! Certificate chains, decoded and verified.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::chain::{Chain, verify_chain_bytes};
    use homeline_e2ee::time::UnixMs;
    if let Ok(chain) = Chain::decode(data) {
        assert_eq!(chain.encode(), data);
    }
    if let Ok(identity) = verify_chain_bytes(data, UnixMs(1_790_000_000_000)) {
        assert!(!identity.is_guest() || identity.genesis == identity.device_key);
    }
});
