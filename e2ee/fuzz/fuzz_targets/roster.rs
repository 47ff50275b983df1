//! Roster entries, and rosters of them.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::roster::{Entry, Roster};
    drop(Entry::read(data));
    drop(Roster::from_entries([data]));
});
