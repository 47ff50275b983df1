//! Any bytes as sealed packets, which must be refused, and as clear ones, which must come back.
#![no_main]

use homeline_media_engine::srtp::{DtlsRole, Profile, from_exporter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for profile in Profile::PREFERRED {
        let material = vec![7; profile.keying_material_len()];
        let ends = |role| from_exporter(profile, &material, role).expect("the right length");
        let (mut inbound, _) = ends(DtlsRole::Server);
        let (_, mut outbound) = ends(DtlsRole::Client);
        assert!(inbound.unprotect_rtp(&mut bytes.to_vec()).is_err());
        assert!(inbound.unprotect_rtcp(&mut bytes.to_vec()).is_err());
        let mut buffer = bytes.to_vec();
        buffer.resize(bytes.len() + profile.rtcp_overhead(), 0);
        if let Ok(len) = outbound.protect_rtp(&mut buffer, bytes.len()) {
            let len = inbound
                .unprotect_rtp(&mut buffer[..len])
                .expect("our own seal");
            assert_eq!(&buffer[..len], bytes);
        }
        if let Ok(len) = outbound.protect_rtcp(&mut buffer, bytes.len()) {
            let clear = inbound
                .unprotect_rtcp(&mut buffer[..len])
                .expect("our own seal");
            assert_eq!(clear, bytes.len());
        }
    }
});
