//! Certificate chains, decoded and verified.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::chain::{Chain, verify_chain_bytes};
    use homeline_e2ee::time::UnixMs;
    if let Ok(chain) = Chain::decode(data) {
        assert_eq!(chain.encode(), data);
    }
    drop(verify_chain_bytes(data, UnixMs(1_790_000_000_000)));
});
