//! What can go wrong with push, one enum for each operation.

use crate::gateway::push::{AddressError, VapidError};
use crate::store::StoreError;

/// Why push can't start.
#[derive(Debug, thiserror::Error)]
pub enum PushStartError {
    /// The contact is none.
    #[error("push.contact is a mailto: or https: address, or empty")]
    Contact,
    /// The server's key can't be read or made.
    #[error(transparent)]
    Key(#[from] VapidError),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an address is not kept or forgotten.
#[derive(Debug, thiserror::Error)]
pub enum PutPushAddressError {
    /// A sign-in without a key of its own has no device that could ring.
    #[error("signed in without a device")]
    NoDevice,
    /// The address can't be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
