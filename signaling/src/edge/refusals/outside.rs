//! The test from outside.

use homeline_protocol::media_control::MediaError;
use homeline_protocol::session::{ApiError, ErrorCode};

use super::{bad, internal, limited, not_found};
use crate::domain::outside::OutsideError;

/// A test's connections end by themselves within this time.
const BUSY_SECS: u32 = 30;

impl From<OutsideError> for ApiError {
    fn from(error: OutsideError) -> Self {
        match error {
            OutsideError::NoRight(error) => error.into(),
            OutsideError::NoTicket => not_found(
                "This link has ended: it counts for an hour. Make a new one in the app, under Settings.",
            ),
            OutsideError::Busy => limited(BUSY_SECS),
            OutsideError::BadReport(_) => {
                bad("A report has one entry for each way at most, and at least one.")
            }
            OutsideError::BadOffer(_) => Self::new(
                ErrorCode::BadOffer,
                "The server can't use what this browser offers. Try another browser.",
            ),
            OutsideError::Media(MediaError::Limit(_)) => limited(BUSY_SECS),
            OutsideError::Media(error) => internal(&error),
            OutsideError::Store(error) => internal(&error),
        }
    }
}
