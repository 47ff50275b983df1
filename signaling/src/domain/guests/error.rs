//! What can go wrong with links and guests, one enum for each operation.

use crate::domain::identity::ChainError;
use crate::domain::limits::TooMany;
use crate::model::NotAnApp;
use crate::store::StoreError;

/// Why a link is not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Links are made in an app.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// The account belongs to no household.
    #[error("the account belongs to no household yet")]
    NotAdmitted,
    /// A child meets no guests.
    #[error("a child can't make call links")]
    Child,
    /// The label or the end is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// The person has as many as they may.
    #[error("too many links are open")]
    TooMany,
    /// Another person's link has this id.
    #[error("the id is taken")]
    IdTaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody can't knock.
#[derive(Debug, thiserror::Error)]
pub enum KnockError {
    /// Too many tries from one address.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The chain is no guest's.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The proof can't be one.
    #[error("a proof has 32 bytes")]
    BadProof,
    /// Unknown, ended and revoked are one and the same.
    #[error("no such link")]
    NoLink,
    /// The key is in use: a guest's is fresh.
    #[error("the key is known already")]
    KnownKey,
    /// As many wait at the link as may.
    #[error("too many wait at this link")]
    LinkFull,
    /// As many wait at this server as may.
    #[error("too many guests wait")]
    Full,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a guest is not sent away.
#[derive(Debug, thiserror::Error)]
pub enum RefuseGuestError {
    /// Guests are met in an app.
    #[error(transparent)]
    NotAnApp(#[from] NotAnApp),
    /// Nobody waits so at a link of this person.
    #[error("no such guest")]
    NotFound,
}
