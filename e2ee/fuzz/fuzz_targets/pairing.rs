//! What a device reveals when it pairs.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::pairing::DeviceReveal;
    if let Ok(reveal) = DeviceReveal::decode(data) {
        assert_eq!(reveal.encode(), data);
    }
});
