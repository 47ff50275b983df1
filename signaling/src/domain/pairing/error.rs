//! What can go wrong in a pairing, for each side.

use crate::domain::limits::TooMany;
use crate::domain::roster::GrowError;
use crate::model::NoRight;
use crate::store::StoreError;

/// Why a device cannot ask.
#[derive(Debug, thiserror::Error)]
pub enum OpenPairingError {
    /// Too many from this address or for this handle.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A field is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// As many pairings as may be open are.
    #[error("too many pairings are open")]
    Full,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the device's side cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DevicePairingError {
    /// No such pairing, or another secret; both look alike.
    #[error("no such pairing")]
    NotFound,
    /// As many questions of this device wait as may.
    #[error("too many questions wait")]
    TooManyAsk,
    /// A field is out of its bounds, or not what was committed to.
    #[error("{0}")]
    Field(&'static str),
    /// It is not this side's turn.
    #[error("the pairing is at another step")]
    OutOfTurn,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the app's side cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AppPairingError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// No such pairing, or not for this person.
    #[error("no such pairing")]
    NotFound,
    /// A field is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// Another app of the person took it up.
    #[error("another app took the pairing up")]
    TakenByAnother,
    /// It is not this side's turn.
    #[error("the pairing is at another step")]
    OutOfTurn,
    /// As many apps as may listen do.
    #[error("too many apps listen for pairings")]
    TooManyListen,
}

/// Why the device is not certified.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    /// The pairing is not this app's to go on with.
    #[error(transparent)]
    Pairing(#[from] AppPairingError),
    /// The account is no member of the household.
    #[error("no such member")]
    NoSuchMember,
    /// The request is about another device than the one that revealed itself.
    #[error("the request is about another device")]
    AnotherDevice,
    /// The roster does not take the device.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
