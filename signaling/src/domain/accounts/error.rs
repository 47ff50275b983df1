//! What can go wrong when people are let in, one enum for each operation.

use crate::domain::identity::{ChainError, RosterError};
use crate::domain::limits::TooMany;
use crate::domain::roster::GrowError;
use crate::domain::secrets::PasswordError;
use crate::store::StoreError;

/// Why a sign-up fails.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// Too many from this address.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A field is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// Somebody has the handle.
    #[error("the handle is taken")]
    HandleTaken,
    /// The account, app or household is there already, and is not this one.
    #[error("the account, app or household exists already")]
    Exists,
    /// One person is in one household.
    #[error("the account is in a household")]
    InHousehold,
    /// The invitation is unknown, used, cancelled or expired.
    #[error("no such invitation")]
    NoInvitation,
    /// As many as may wait on one invitation do.
    #[error("too many wait on this invitation")]
    TooManyWait,
    /// The server has as many people as it may.
    #[error("the server is full")]
    ServerFull,
    /// The founding roster is not one.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// A certificate does not hold.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Roster, certificates and request do not agree.
    #[error("the signed roster, the certificates and the request do not agree")]
    SaysOtherwise,
    /// The password cannot be hashed now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a sign-in fails.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Too many from this address or for this handle.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The app's clock and the server's differ by more than five minutes.
    #[error("the app's clock is off")]
    ClockOff,
    /// Handle, password and app do not match.
    #[error("wrong handle, password or app")]
    Wrong,
    /// All is right, but the app was removed from its household.
    #[error("the app was removed")]
    DeviceRevoked,
    /// The password cannot be checked now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a password that was asked for again does not do.
#[derive(Debug, thiserror::Error)]
pub enum PasswordCheckError {
    /// Too many tries for this handle.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// It is wrong.
    #[error("wrong password")]
    Wrong,
    /// It cannot be checked now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// It is unknown or has ended.
    #[error("unknown or ended token")]
    Unknown,
    /// Its device was removed.
    #[error("the device was removed")]
    DeviceRevoked,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a recovery does not begin.
#[derive(Debug, thiserror::Error)]
pub enum RecoverBeginError {
    /// Too many from this address or for this handle.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// Handle and recovery code do not match.
    #[error("wrong handle or recovery code")]
    Wrong,
    /// The secret cannot be checked now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a recovery does not end well.
#[derive(Debug, thiserror::Error)]
pub enum RecoverFinishError {
    /// Too many from this address.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A field is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// The ticket is unknown, used or expired.
    #[error("unknown or ended ticket")]
    NoTicket,
    /// The roster does not take the new app.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The password cannot be hashed now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a name is not changed.
#[derive(Debug, thiserror::Error)]
pub enum SetNameError {
    /// It is no name.
    #[error("{0}")]
    Field(&'static str),
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
