//! A descriptor with a structure, and one that follows it.
#![no_main]

use homeline_media_engine::wire::descriptor::{Descriptor, starts_key_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (next, first) = bytes.split_at(bytes.len().min(8));
    let _ = starts_key_frame(first);
    let Ok(Descriptor {
        structure: Some(structure),
        ..
    }) = Descriptor::parse(first, None)
    else {
        return;
    };
    let _ = Descriptor::parse(next, Some(&structure));
    for target in 0..33 {
        let _ = (
            structure.layers_of(target),
            structure.protecting_chain(target),
        );
    }
});
