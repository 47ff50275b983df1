//! Why nothing is told or switched.

use crate::domain::households::NotAdult;
use crate::store::StoreError;

/// Why a device's word is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is no home device of a household.
    #[error("only home devices say that somebody is near")]
    NotAHomeDevice,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why it is not switched at a device.
#[derive(Debug, thiserror::Error)]
pub enum SetNearbyError {
    /// The speaker may not.
    #[error(transparent)]
    NotAdult(#[from] NotAdult),
    /// The household has no such home device.
    #[error("no such home device")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
