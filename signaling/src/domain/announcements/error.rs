//! What can go wrong with announcements.

use crate::domain::identity::{Malformed, StatementError};
use crate::domain::limits::TooMany;
use crate::domain::reach::Refusal;
use crate::domain::roster::GrowError;
use crate::model::NoRight;
use crate::store::StoreError;

use super::rules::{CONTENT_BYTES_MAX, FRESH_MAX, STATEMENT_BYTES_MAX};

/// Why a sealing key is not stored.
#[derive(Debug, thiserror::Error)]
pub enum PutSealingKeyError {
    /// The speaker is in no household.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The statement does not hold.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nothing is announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The speaker is in no household.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// By the rules of reaching people.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The statement does not hold, or says something else.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It is longer than it may be.
    #[error(
        "an announcement has at most {CONTENT_BYTES_MAX} bytes, its statement {STATEMENT_BYTES_MAX}"
    )]
    TooLong,
    /// It was signed at another time.
    #[error("the announcement is not of now")]
    NotNow,
    /// The id was used for another one.
    #[error("the id was used for another announcement")]
    IdTaken,
    /// The room has no home device.
    #[error("no home device stands in this room")]
    NoSuchRoom,
    /// The household has as many as it may.
    #[error("the household has {FRESH_MAX} fresh announcements")]
    Full,
    /// The device announces too often.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Malformed> for AnnounceError {
    fn from(error: Malformed) -> Self {
        Self::Statement(error.into())
    }
}

/// Why the household's keys or announcements are not told.
#[derive(Debug, thiserror::Error)]
pub enum NotAMember {
    /// The speaker is in no household.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an announcement is not handed out.
#[derive(Debug, thiserror::Error)]
pub enum NotForYou {
    /// The speaker is in no household.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// It is not for this device, or gone.
    #[error("no such announcement for this device")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
