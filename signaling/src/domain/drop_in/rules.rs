//! Whether a grant may take the place of what is stored, decided without the store.

use std::collections::BTreeSet;

use homeline_protocol::id::DeviceId;

use super::PutGrantError;
use crate::domain::identity::GrantStatement;
use crate::domain::reach::Schedule;
use crate::model::UnixMillis;
use crate::store::drop_in::GrantRow;

/// More grants than a household gives, those that were revoked within a month among them; a further one is
/// refused. Devices hold as many.
pub(super) const GRANTS_MAX: usize = 128;
/// A grant's longest form: 64 devices, 32 people, 32 windows, a zone, a few keys.
pub(super) const GRANT_BYTES_MAX: usize = 4096;
/// How far an honest clock may be ahead of ours.
const CLOCK_SKEW_MS: u64 = 5 * 60 * 1000;

/// Whether a statement may follow what is stored of the same grant. `devices`: the household's home devices.
pub(super) fn check(
    said: &GrantStatement,
    before: Option<&GrantRow>,
    devices: &BTreeSet<DeviceId>,
    now: UnixMillis,
) -> Result<(), PutGrantError> {
    let newer = |row: &GrantRow| i64::try_from(said.revision).is_ok_and(|new| new > row.revision);
    match before {
        Some(row) if !newer(row) => return Err(PutGrantError::Outdated),
        // An app that renews it may not have heard that another one revoked it.
        Some(row) if row.revoked && !said.revoked => return Err(PutGrantError::Revoked),
        _ => {}
    }
    if said.signed_at_ms > now.0.saturating_add(CLOCK_SKEW_MS) || said.expires_at_ms <= now.0 {
        return Err(PutGrantError::NotNow);
    }
    // What ends is not asked where it was good for: a device of it may have gone meanwhile.
    if said.revoked {
        return Ok(());
    }
    if !said.devices.iter().all(|device| devices.contains(device)) {
        return Err(PutGrantError::NoSuchDevice);
    }
    if let Some(hours) = &said.hours {
        Schedule::try_from(hours)?;
    }
    Ok(())
}
