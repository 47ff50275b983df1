//! What can go wrong with ledgers.

use crate::domain::households::NotAdult;
use crate::domain::identity::StatementError;
use crate::store::StoreError;

use super::rules::{ENTRIES_MAX, ENTRY_BYTES_MAX, LEDGERS_MAX, LIST_MAX};

/// Why an entry is not stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The speaker is no home device of a household.
    #[error("only a home device has a ledger")]
    NotATarget,
    /// It is longer than any entry.
    #[error("an entry has at most {ENTRY_BYTES_MAX} bytes")]
    TooLong,
    /// It does not hold, or was signed by somebody else.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It does not follow the last one stored.
    #[error("the ledger has another end")]
    OtherEnd,
    /// The ledger is as long as any.
    #[error("a ledger has at most {ENTRIES_MAX} entries")]
    Full,
    /// The household has as many ledgers as it may.
    #[error("a household has at most {LEDGERS_MAX} ledgers")]
    TooManyLedgers,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a ledger is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadLedgerError {
    /// The speaker may not.
    #[error(transparent)]
    NotAdult(#[from] NotAdult),
    /// The household has no such device, and had none with a ledger.
    #[error("no such ledger")]
    NotFound,
    /// A limit is out of its bounds.
    #[error("the limit is 1 to {LIST_MAX}")]
    Limit,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
