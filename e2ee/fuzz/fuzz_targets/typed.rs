//! What people type or click: recovery codes and links.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::guest::GuestLink;
    use homeline_e2ee::invitation::{ContactLink, JoinLink};
    use homeline_e2ee::recovery::RecoveryCode;
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(code) = RecoveryCode::parse(text) {
        assert!(RecoveryCode::parse(&code.text()).is_ok_and(|again| again == code));
    }
    drop(JoinLink::parse(text));
    drop(ContactLink::parse(text));
    drop(GuestLink::parse(text));
});
