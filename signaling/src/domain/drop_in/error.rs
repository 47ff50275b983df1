//! What can go wrong with grants.

use crate::domain::households::NotAdult;
use crate::domain::identity::{Malformed, StatementError};
use crate::domain::reach::{BadSchedule, Refusal};
use crate::domain::roster::GrowError;
use crate::model::NoRight;
use crate::store::StoreError;

use super::rules::{GRANT_BYTES_MAX, GRANTS_MAX};

/// Why a grant is not stored.
#[derive(Debug, thiserror::Error)]
pub enum PutGrantError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The statement is longer than any grant.
    #[error("a grant has at most {GRANT_BYTES_MAX} bytes")]
    TooLong,
    /// The statement does not hold, or says something else.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A newer revision is stored.
    #[error("a newer revision is stored")]
    Outdated,
    /// It was revoked, which is final.
    #[error("the grant was revoked")]
    Revoked,
    /// It was signed in the future, or has ended already.
    #[error("the grant is not of now")]
    NotNow,
    /// It names a device that is no home device of the household.
    #[error("the household has no such home device")]
    NoSuchDevice,
    /// Its hours are none.
    #[error(transparent)]
    Hours(#[from] BadSchedule),
    /// It is to somebody who is no contact, or whose card pins another key.
    #[error("the household has no such contact with that key")]
    NotAContact,
    /// The household has as many as it may.
    #[error("the household has {GRANTS_MAX} grants")]
    Full,
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Malformed> for PutGrantError {
    fn from(error: Malformed) -> Self {
        Self::Statement(error.into())
    }
}

/// Why drop-in is not switched at a device.
#[derive(Debug, thiserror::Error)]
pub enum SetDropInError {
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

/// Why somebody may not drop in now.
#[derive(Debug, thiserror::Error)]
pub enum MayDropInError {
    /// By the rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
