//! Who may drop in.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{NO_FIT, OUTDATED, bad, conflict, limit, not_found};
use crate::domain::drop_in::{MayDropInError, PutGrantError, SetDropInError};

impl From<PutGrantError> for ApiError {
    fn from(error: PutGrantError) -> Self {
        match error {
            PutGrantError::NoRight(error) => error.into(),
            PutGrantError::TooLong => Self::new(ErrorCode::TooLarge, NO_FIT),
            PutGrantError::Statement(error) => error.into(),
            PutGrantError::Outdated => conflict(OUTDATED),
            PutGrantError::Revoked => conflict(
                "This permission to drop in was taken back. Give a new one if you want to.",
            ),
            PutGrantError::NotNow => bad(
                "The clock of this app is wrong, or it took too long. Check date and time, then try \
                 again.",
            ),
            PutGrantError::NoSuchDevice => {
                not_found("The household has no such home device. It may have been removed.")
            }
            PutGrantError::Hours(error) => error.into(),
            PutGrantError::NotAContact => not_found(
                "The household has no such contact with that key. Call them once, then try again.",
            ),
            PutGrantError::Full => limit(
                "The household has given or taken back 128 permissions to drop in within a month. \
                 Wait until some have ended.",
            ),
            PutGrantError::Roster(error) => error.into(),
            PutGrantError::Store(error) => error.into(),
        }
    }
}

impl From<SetDropInError> for ApiError {
    fn from(error: SetDropInError) -> Self {
        match error {
            SetDropInError::NotAdult(error) => error.into(),
            SetDropInError::NotFound => {
                not_found("The household has no such home device. It may have been removed.")
            }
            SetDropInError::Store(error) => error.into(),
        }
    }
}

impl From<MayDropInError> for ApiError {
    fn from(error: MayDropInError) -> Self {
        match error {
            MayDropInError::Refused(refusal) => refusal.into(),
            MayDropInError::NotFound => not_found("Your account is gone. Sign up again."),
            MayDropInError::Store(error) => error.into(),
        }
    }
}
