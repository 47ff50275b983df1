//! Why a drop-in is not asked, opened or changed.

use crate::domain::calls::OpenError;
use crate::domain::reach::Refusal;
use crate::store::StoreError;

/// Why a drop-in is not asked for.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// By the rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// All at once, or a guest.
    #[error("one drops in on a device or on a person")]
    NotOne,
    /// The asking or the key package is too long.
    #[error("the asking or the key package is longer than 16 KiB")]
    TooLong,
    /// No home device of theirs is there now. Said within the household only.
    #[error("no home device of theirs is there now")]
    Away,
    /// This device is in a call, or drops in on somebody else.
    #[error("this device is in a call or a drop-in already; hang up first")]
    AlreadyInCall,
    /// As many drop-ins are asked for as may be.
    #[error("too many drop-ins are asked for at once; try again in a few seconds")]
    Full,
    /// Another drop-in or call has the id.
    #[error("this call's id is taken; choose another")]
    IdTaken,
    /// The drop-in with this id is over.
    #[error("this drop-in is over")]
    Over,
    /// The asker's account is gone.
    #[error("the account is gone")]
    NoAccount,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a target's word about a drop-in has no effect.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// There is none, or this device is not its target.
    #[error("there is no such drop-in")]
    NotFound,
    /// It is over.
    #[error("the drop-in is over")]
    Over,
    /// Not at this point.
    #[error("{0}")]
    NotNow(&'static str),
    /// It does not begin.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
