//! Signing up and in, recovering, names.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{NO_FIT, bad, conflict, limit, not_found, removed};
use crate::domain::accounts::{
    AuthenticateError, RecoverBeginError, RecoverFinishError, SetNameError, SignInError,
    SignUpError,
};

impl From<SignUpError> for ApiError {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::TooMany(error) => error.into(),
            SignUpError::Field(message) => bad(message),
            SignUpError::HandleTaken => Self::new(
                ErrorCode::HandleTaken,
                "Somebody has this handle. Choose another.",
            ),
            SignUpError::Exists => conflict(
                "This app, account or household is registered already. Sign in instead, or start \
                 again with a fresh page.",
            ),
            SignUpError::InHousehold => conflict(
                "You are a member of a household, and one person is in one. Leave it first.",
            ),
            SignUpError::NoInvitation => {
                not_found("This invitation was used, cancelled, or has expired. Ask for a new one.")
            }
            SignUpError::TooManyWait => {
                limit("Others wait on this invitation already. Ask for a new one.")
            }
            SignUpError::ServerFull => {
                limit("This server takes no further people. Ask whoever runs it.")
            }
            SignUpError::Roster(_) => bad(NO_FIT),
            SignUpError::Chain(error) => error.into(),
            SignUpError::SaysOtherwise => bad(NO_FIT),
            SignUpError::Password(error) => error.into(),
            SignUpError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::TooMany(error) => error.into(),
            SignInError::ClockOff => {
                bad("This device's clock is off by more than five minutes. Set it, then try again.")
            }
            SignInError::Wrong => Self::new(
                ErrorCode::WrongCredentials,
                "Handle and password do not match. Check both, or use your recovery code.",
            ),
            SignInError::DeviceRevoked => removed(),
            SignInError::Password(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<AuthenticateError> for ApiError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Unknown => Self::new(
                ErrorCode::Unauthorized,
                "This sign-in has ended, or never was. Sign in again, or sign up first.",
            ),
            AuthenticateError::DeviceRevoked => removed(),
            AuthenticateError::Store(error) => error.into(),
        }
    }
}

impl From<RecoverBeginError> for ApiError {
    fn from(error: RecoverBeginError) -> Self {
        match error {
            RecoverBeginError::TooMany(error) => error.into(),
            RecoverBeginError::Wrong => Self::new(
                ErrorCode::WrongCredentials,
                "Handle and recovery code do not match. Check both.",
            ),
            RecoverBeginError::Password(error) => error.into(),
            RecoverBeginError::Store(error) => error.into(),
        }
    }
}

impl From<RecoverFinishError> for ApiError {
    fn from(error: RecoverFinishError) -> Self {
        match error {
            RecoverFinishError::TooMany(error) => error.into(),
            RecoverFinishError::Field(message) => bad(message),
            RecoverFinishError::NoTicket => Self::new(
                ErrorCode::Unauthorized,
                "This recovery took too long or was finished already. Begin again.",
            ),
            RecoverFinishError::Grow(error) => error.into(),
            RecoverFinishError::Password(error) => error.into(),
            RecoverFinishError::Store(error) => error.into(),
        }
    }
}

impl From<SetNameError> for ApiError {
    fn from(error: SetNameError) -> Self {
        match error {
            SetNameError::Field(message) => bad(message),
            SetNameError::NotFound => not_found("Your account is gone. Sign up again."),
            SetNameError::Store(error) => error.into(),
        }
    }
}
