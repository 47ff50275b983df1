//! Imported address books, numbers, and verifying one's own.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{bad, conflict, limit, not_found};
use crate::domain::address_book::{BookError, HideError, ImportError, ListError, SetNumbersError};
use crate::domain::numbers::{BadRegion, ConfirmError, OwnNumberError, StartError};
use crate::gateway::SmsError;
use crate::model::NotAnApp;

const NO_CODE: &str = "No code is on its way, or its time is over. Ask for a new one.";

impl From<NotAnApp> for ApiError {
    fn from(NotAnApp: NotAnApp) -> Self {
        Self::new(
            ErrorCode::Forbidden,
            "Only a person's own app may do this. Use yours.",
        )
    }
}

impl From<BadRegion> for ApiError {
    fn from(BadRegion: BadRegion) -> Self {
        bad("A region is two capital letters, as US or DE.")
    }
}

impl From<BookError> for ApiError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::NotAnApp(error) => error.into(),
            BookError::Region(error) => error.into(),
            BookError::Store(error) => error.into(),
        }
    }
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NotAnApp(error) => error.into(),
            ImportError::Off => Self::new(
                ErrorCode::Forbidden,
                "Importing contacts is switched off. Switch it on in the settings first.",
            ),
            ImportError::Field(message) => bad(message),
            ImportError::Unknown => {
                not_found("This import was never begun, or another took its place. Begin anew.")
            }
            ImportError::Finished => conflict("This import is finished. Begin a new one."),
            ImportError::Used => conflict("This import belongs to another source. Begin anew."),
            ImportError::TooManySources => limit(
                "You import from 8 sources already. Switch importing off and on to begin anew.",
            ),
            ImportError::Full => {
                limit("That is too much: you can import 5000 contacts. Nothing was changed.")
            }
            ImportError::Store(error) => error.into(),
        }
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::NotAnApp(error) => error.into(),
            ListError::NoRight(error) => error.into(),
            ListError::Store(error) => error.into(),
        }
    }
}

impl From<HideError> for ApiError {
    fn from(error: HideError) -> Self {
        match error {
            HideError::NotAnApp(error) => error.into(),
            HideError::NotFound => not_found("You have no such imported contact. It may be gone."),
            HideError::Store(error) => error.into(),
        }
    }
}

impl From<SetNumbersError> for ApiError {
    fn from(error: SetNumbersError) -> Self {
        match error {
            SetNumbersError::NoRight(error) => error.into(),
            SetNumbersError::Field(message) => bad(message),
            SetNumbersError::NotFound => {
                not_found("The household has no such contact. It may have been deleted.")
            }
            SetNumbersError::Store(error) => error.into(),
        }
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NotAnApp(error) => error.into(),
            StartError::NoSms | StartError::Sms(SmsError::NotConfigured) => not_found(
                "This server has no way to send text messages, so numbers cannot be verified. \
                 Whoever runs it can set one up.",
            ),
            StartError::NotANumber => {
                bad("This is no phone number. Write it with its country code, as +1 201 555 0123.")
            }
            StartError::NotMobile => bad("This number gets no text messages. Use a mobile number."),
            StartError::NoConsent => Self::new(
                ErrorCode::Forbidden,
                "An adult of your household has to allow this first, in the app under \"Children\".",
            ),
            StartError::TooMany(error) => error.into(),
            StartError::Sms(error) => {
                tracing::warn!(%error, "a text message could not be sent");
                Self::new(
                    ErrorCode::Internal,
                    "The text message could not be sent. Check the number, or try again later.",
                )
            }
            StartError::Password(error) => error.into(),
            StartError::Store(error) => error.into(),
        }
    }
}

impl From<ConfirmError> for ApiError {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::NotAnApp(error) => error.into(),
            ConfirmError::NoCode | ConfirmError::Expired => not_found(NO_CODE),
            ConfirmError::TooManyTries => limit(
                "The code was entered wrongly too often. It counts no more; ask for a new one.",
            ),
            ConfirmError::Wrong { tries_left } => Self::new(
                ErrorCode::WrongCredentials,
                format!("That is not the code. You can try {tries_left} more times."),
            ),
            ConfirmError::Password(error) => error.into(),
            ConfirmError::Store(error) => error.into(),
        }
    }
}

impl From<OwnNumberError> for ApiError {
    fn from(error: OwnNumberError) -> Self {
        match error {
            OwnNumberError::NotAnApp(error) => error.into(),
            OwnNumberError::Child => Self::new(
                ErrorCode::Forbidden,
                "A child is shown to nobody by a number.",
            ),
            OwnNumberError::NoNumber => not_found("You have no verified number yet."),
            OwnNumberError::Store(error) => error.into(),
        }
    }
}
