//! Owners, and numbers that were called.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{bad, not_found};
use crate::domain::address_book::NumberUsedError;
use crate::domain::members::HandOverError;

impl From<HandOverError> for ApiError {
    fn from(error: HandOverError) -> Self {
        match error {
            HandOverError::NotAdult(error) => error.into(),
            HandOverError::NotOwner => Self::new(
                ErrorCode::Forbidden,
                "Only the owner can make somebody else the owner.",
            ),
            HandOverError::NotFound => not_found("The household has no such member."),
            HandOverError::NoHeir => {
                bad("The owner is an adult who has an app that may add contacts and devices.")
            }
            HandOverError::Store(error) => error.into(),
        }
    }
}

impl From<NumberUsedError> for ApiError {
    fn from(error: NumberUsedError) -> Self {
        match error {
            NumberUsedError::NotFound => {
                not_found("There is no such number. It may have been changed.")
            }
            NumberUsedError::Store(error) => error.into(),
        }
    }
}
