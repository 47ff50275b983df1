//! Where a device is woken.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::bad;
use crate::domain::push::PutPushAddressError;
use crate::gateway::push::AddressError;

impl From<PutPushAddressError> for ApiError {
    fn from(error: PutPushAddressError) -> Self {
        match error {
            PutPushAddressError::NoDevice => Self::new(
                ErrorCode::Forbidden,
                "This browser is signed in without a key of its own, so it can't ring. Add it under \
                 \"Add a device\" first.",
            ),
            PutPushAddressError::Address(error) => error.into(),
            PutPushAddressError::Store(error) => error.into(),
        }
    }
}

impl From<AddressError> for ApiError {
    fn from(error: AddressError) -> Self {
        bad(match error {
            AddressError::Endpoint => {
                "This is no address of a push service. It begins with https:// and has at most 2048 \
                 characters."
            }
            AddressError::Private => {
                "This push service is in a private network, and this server sends nothing there. \
                 Whoever runs it can allow that in its configuration (push.allow_private_endpoints)."
            }
            AddressError::Keys => {
                "The keys of this push address can't be used. Switch it off and on again in the app."
            }
        })
    }
}
