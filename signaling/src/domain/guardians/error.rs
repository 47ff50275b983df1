//! What can go wrong with children.

use crate::domain::history::HistoryError;
use crate::domain::households::NotAdult;
use crate::domain::limits::TooMany;
use crate::domain::mail::PromiseMailError;
use crate::store::StoreError;

/// Why something about a child is not shown or done.
#[derive(Debug, thiserror::Error)]
pub enum GuardianError {
    /// The speaker is no adult's app.
    #[error(transparent)]
    NotAdult(#[from] NotAdult),
    /// The household has no such child.
    #[error("no such child")]
    NotFound,
    /// A mail can't be promised.
    #[error(transparent)]
    Mail(#[from] PromiseMailError),
    /// The history can't be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a consent is not taken.
#[derive(Debug, thiserror::Error)]
pub enum GiveConsentError {
    /// Not this speaker, or not this child.
    #[error(transparent)]
    Guardian(#[from] GuardianError),
    /// The name is none.
    #[error("the name is no name")]
    Name,
    /// There is a newer text.
    #[error("the text has a newer version")]
    OldText,
    /// Too often.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

impl From<StoreError> for GiveConsentError {
    fn from(error: StoreError) -> Self {
        Self::Guardian(error.into())
    }
}

/// Why a link leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ConsentLinkError {
    /// No consent has this secret.
    #[error("no such consent")]
    NotFound,
    /// Too often.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
