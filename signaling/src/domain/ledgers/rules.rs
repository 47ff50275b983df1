//! Whether an entry is the next of a ledger, decided without the store.

use homeline_protocol::id::{DeviceId, HouseholdId};

use super::AppendError;
use crate::domain::identity::{LedgerStatement, StatementError};
use crate::store::ledgers::EndRow;

/// An entry's longest form is half of that.
pub(super) const ENTRY_BYTES_MAX: usize = 1024;
/// Thirty entries a day for ten years. Beyond, nothing is stored: the device then refuses drop-ins once it has
/// as many unsent as it keeps, and begins a new ledger when it is paired anew.
pub(super) const ENTRIES_MAX: u64 = 1 << 17;
/// More home devices than a household ever had; the entries of a further one are not stored.
pub(super) const LEDGERS_MAX: usize = 256;
/// Entries in one answer.
pub(super) const LIST_MAX: u16 = 200;

/// What an entry is to a ledger.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its next one.
    Next(EndRow),
    /// One that should be stored already: the same, or the ledger has another end.
    Earlier,
}

/// Where an entry that a device sends belongs.
pub(super) fn place(
    said: &LedgerStatement,
    (household, device): (HouseholdId, DeviceId),
    index: u64,
    end: Option<&EndRow>,
) -> Result<Place, AppendError> {
    if said.signer != device {
        return Err(StatementError::SignerMayNot.into());
    }
    if said.household != household || said.index != index {
        return Err(StatementError::SaysOtherwise.into());
    }
    let next = i64::try_from(index).map_err(|_| AppendError::OtherEnd)?;
    let length = end.map_or(0, |end| end.place + 1);
    if next < length {
        return Ok(Place::Earlier);
    }
    let prev = end.map_or(&[0; 32][..], |end| &end.hash);
    if next > length || said.prev != prev {
        return Err(AppendError::OtherEnd);
    }
    if index >= ENTRIES_MAX {
        return Err(AppendError::Full);
    }
    Ok(Place::Next(EndRow {
        place: next,
        hash: said.hash.to_vec(),
    }))
}
