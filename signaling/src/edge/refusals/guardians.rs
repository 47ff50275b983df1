//! Children, and the mail that goes out about them.

use homeline_protocol::session::ApiError;

use super::{bad, conflict, limit, not_found};
use crate::domain::guardians::{ConsentLinkError, GiveConsentError, GuardianError};
use crate::domain::mail::PromiseMailError;

impl From<GuardianError> for ApiError {
    fn from(error: GuardianError) -> Self {
        match error {
            GuardianError::NotAdult(error) => error.into(),
            GuardianError::NotFound => {
                not_found("The household has no such child. Reload the app and try again.")
            }
            GuardianError::Mail(error) => error.into(),
            GuardianError::History(error) => error.into(),
            GuardianError::Store(error) => error.into(),
        }
    }
}

impl From<GiveConsentError> for ApiError {
    fn from(error: GiveConsentError) -> Self {
        match error {
            GiveConsentError::Guardian(error) => error.into(),
            GiveConsentError::Name => bad("Sign with your name; it has 1 to 64 characters."),
            GiveConsentError::OldText => {
                conflict("The text has changed since you read it. Read it again, then consent.")
            }
            GiveConsentError::TooMany(error) => error.into(),
        }
    }
}

impl From<ConsentLinkError> for ApiError {
    fn from(error: ConsentLinkError) -> Self {
        match error {
            ConsentLinkError::NotFound => not_found(
                "This link is not known here. Use the link of the newest mail, or the app.",
            ),
            ConsentLinkError::TooMany(error) => error.into(),
            ConsentLinkError::Store(error) => error.into(),
        }
    }
}

impl From<PromiseMailError> for ApiError {
    fn from(error: PromiseMailError) -> Self {
        match error {
            PromiseMailError::Full => limit(
                "Too many mails wait to be sent. Ask whoever runs this server to look at its mail \
                 settings, then try again.",
            ),
            PromiseMailError::Store(error) => error.into(),
        }
    }
}
