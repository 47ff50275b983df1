//! The wall clock, for signatures and certificates.

use std::time::{SystemTime, UNIX_EPOCH};

use homeline_e2ee::time::UnixMs;

pub(crate) fn now() -> UnixMs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
