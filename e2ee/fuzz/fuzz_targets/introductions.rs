//! Call invitations and ringing statements.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::introduction::{CallInvitation, Ringing};
    drop(CallInvitation::read(data));
    drop(Ringing::read(data));
});
