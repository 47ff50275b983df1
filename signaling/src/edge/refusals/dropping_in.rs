//! Dropping in, and near which devices somebody was.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{bad, conflict, limit, not_found};
use crate::domain::calls::OpenError;
use crate::domain::drop_in::PeopleError;
use crate::domain::dropping_in::{AskError, TargetError};
use crate::domain::nearby::{ReportError, SetNearbyError};

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => refusal.into(),
            AskError::NotOne => bad("You drop in on one device or on one person. Choose which."),
            AskError::TooLong => {
                bad("What this device signed is longer than 16 KiB. Reload the app and try again.")
            }
            AskError::Away => Self::new(
                ErrorCode::NotAvailable,
                "No device there is switched on and connected now.",
            ),
            AskError::AlreadyInCall => Self::new(
                ErrorCode::AlreadyInCall,
                "This device is in a call or a drop-in already. Hang up first.",
            ),
            AskError::Full => {
                limit("Too many drop-ins are asked for at once. Try again in a few seconds.")
            }
            AskError::IdTaken => conflict("This call's id is taken. Choose another."),
            AskError::Over => Self::new(ErrorCode::CallEnded, "This drop-in is over."),
            AskError::NoAccount => not_found("Your account is gone. Sign up again."),
            AskError::Store(error) => error.into(),
        }
    }
}

impl From<TargetError> for ApiError {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::NotFound => not_found("There is no such drop-in."),
            TargetError::Over => Self::new(ErrorCode::CallEnded, "This drop-in is over."),
            TargetError::NotNow(why) => Self::new(ErrorCode::Conflict, why),
            TargetError::Open(OpenError::Busy) => Self::new(
                ErrorCode::AlreadyInCall,
                "One of the two devices is in a call, or its person in too many.",
            ),
            TargetError::Open(OpenError::Full) => {
                limit("The server carries as many calls as it can. Try again in a few minutes.")
            }
            TargetError::Open(OpenError::IdTaken) => {
                conflict("This call's id is taken. Choose another.")
            }
            TargetError::Store(error) => error.into(),
        }
    }
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::NotAHomeDevice => Self::new(
                ErrorCode::Forbidden,
                "Only home devices of a household say that somebody is near.",
            ),
            ReportError::Store(error) => error.into(),
        }
    }
}

impl From<SetNearbyError> for ApiError {
    fn from(error: SetNearbyError) -> Self {
        match error {
            SetNearbyError::NotAdult(error) => error.into(),
            SetNearbyError::NotFound => {
                not_found("The household has no such home device. It may have been removed.")
            }
            SetNearbyError::Store(error) => error.into(),
        }
    }
}

impl From<PeopleError> for ApiError {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::NoRight(error) => error.into(),
            PeopleError::NotFound => not_found(
                "The household has no such contact whose key was seen. Call them once, then try again.",
            ),
            PeopleError::Roster(error) => error.into(),
            PeopleError::Store(error) => error.into(),
        }
    }
}
