//! Frames from the network: none decrypts that no sender made.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::sframe::{EpochKey, FrameReceiver, FrameSource};
    use homeline_e2ee::time::UnixMs;
    use homeline_protocol::id::DeviceId;
    let owner = DeviceId([1; 16]);
    let leaves = (0..20).map(|leaf| (leaf, owner)).collect();
    let mut receiver = FrameReceiver::default();
    for epoch in 0..3 {
        let base_key = zeroize::Zeroizing::new([7; 16]);
        let leaves = std::collections::BTreeMap::clone(&leaves);
        receiver.install(
            UnixMs(0),
            EpochKey {
                epoch,
                base_key,
                leaves,
            },
        );
    }
    let opened = receiver.decrypt(UnixMs(0), FrameSource { owner, tag: 0 }, data);
    assert!(opened.is_err() || data.is_empty());
});
