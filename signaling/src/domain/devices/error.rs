//! What can go wrong with devices, one enum for each operation.

use crate::domain::identity::{ChainError, StatementError};
use crate::domain::roster::GrowError;
use crate::model::NoRight;
use crate::store::StoreError;

/// Why a certificate is not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewCertificateError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The household has no such device.
    #[error("no such device")]
    NotFound,
    /// The chain does not hold.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The chain is of another device, gives other rights, or comes from somebody who may not.
    #[error("the chain does not fit the device")]
    SaysOtherwise,
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a device is not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveDeviceError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The household has no such device.
    #[error("no such device")]
    NotFound,
    /// The roster does not take the entry.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an answer policy is not stored.
#[derive(Debug, thiserror::Error)]
pub enum PutAnswerPolicyError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The household has no such home device.
    #[error("no such home device")]
    NotFound,
    /// The statement does not hold.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A newer policy is stored.
    #[error("a newer policy is stored")]
    Outdated,
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
