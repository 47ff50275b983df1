//! What can go wrong with invitations, one enum for each operation.

use crate::domain::roster::GrowError;
use crate::model::NoRight;
use crate::store::StoreError;

/// Why an invitation is not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateInvitationError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// As many as may be open are.
    #[error("too many invitations are open")]
    TooManyOpen,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an invitation is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelInvitationError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a member is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmitMemberError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// Nobody waits with this invitation and app.
    #[error("no such join request")]
    NotFound,
    /// Nobody is admitted as an owner, nor a child with the adult right.
    #[error("nobody is admitted as this")]
    BadRole,
    /// The household has as many members as it may.
    #[error("the household is full")]
    Full,
    /// The roster does not take the new app.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a member is not refused.
#[derive(Debug, thiserror::Error)]
pub enum RefuseMemberError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// They are a member already.
    #[error("they were admitted already")]
    Admitted,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
