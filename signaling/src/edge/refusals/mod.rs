//! What people read when a request is refused: each operation's errors, turned into a code and a
//! sentence that says what happened and what to do. Here, and nowhere else; one file for each area.

mod accounts;
mod address_book;
mod announcements;
mod call_changes;
mod drop_in;
mod dropping_in;
mod guardians;
mod guests;
mod home;
mod ledgers;
mod members;
mod outside;
mod pairing;
mod people;
mod push;
mod relays;
mod rules;

use homeline_protocol::session::{ApiError, ErrorCode};

use crate::domain::identity::{ChainError, RosterError, StatementError};
use crate::domain::limits::TooMany;
use crate::domain::roster::GrowError;
use crate::domain::secrets::PasswordError;
use crate::model::NoRight;
use crate::store::StoreError;

const NO_FIT: &str = "What was signed does not fit the request. Reload the app and try again.";
const OUTDATED: &str = "A newer version is stored already. Reload the app and try again.";
const PAIRING_GONE: &str = "This pairing is over or unknown. Start again on the device.";
const PAIRING_TURN: &str = "The pairing is at another step. Start again on the device.";

/// A fault of the server: logged here, and told without details.
pub(crate) fn internal(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(%error, "a request failed");
    ApiError::new(
        ErrorCode::Internal,
        "The server failed at this. It has been logged; try again in a moment.",
    )
}

fn bad(message: &str) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, message)
}

fn not_found(message: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, message)
}

fn conflict(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Conflict, message)
}

fn limit(message: &str) -> ApiError {
    ApiError::new(ErrorCode::LimitReached, message)
}

fn limited(retry_after_secs: u32) -> ApiError {
    let message = format!("Too many tries. Wait {retry_after_secs} seconds, then try again.");
    let retry_after_secs = Some(retry_after_secs);
    ApiError {
        code: ErrorCode::RateLimited,
        message,
        retry_after_secs,
    }
}

fn removed() -> ApiError {
    ApiError::new(
        ErrorCode::DeviceRevoked,
        "This device was removed from its household. Pair it again to use it.",
    )
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        internal(&error)
    }
}

impl From<TooMany> for ApiError {
    fn from(error: TooMany) -> Self {
        limited(error.retry_after_secs)
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => limited(2),
            fault => internal(&fault),
        }
    }
}

impl From<NoRight> for ApiError {
    fn from(error: NoRight) -> Self {
        let message = match error {
            NoRight::NoHousehold => {
                "You belong to no household yet. Wait until you are admitted, then try again."
            }
            NoRight::NotAdult => "Only an adult's app may do this. Use one of those.",
        };
        Self::new(ErrorCode::Forbidden, message)
    }
}

impl From<StatementError> for ApiError {
    fn from(error: StatementError) -> Self {
        match error {
            StatementError::SignerMayNot => Self::new(
                ErrorCode::Forbidden,
                "This was not signed by an adult's app of the household. Use one of those.",
            ),
            _ => bad(NO_FIT),
        }
    }
}

impl From<ChainError> for ApiError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Statement(error) => error.into(),
            ChainError::Broken => bad(NO_FIT),
            ChainError::Expired => bad(
                "A certificate is outdated, or a clock is wrong. Check date and time on both \
                 devices, then try again.",
            ),
        }
    }
}

impl From<RosterError> for ApiError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::Statement(error) => error.into(),
            RosterError::Moved => Self::new(
                ErrorCode::RosterMoved,
                "The household changed meanwhile. Fetch it and sign again.",
            ),
            RosterError::DoesNotFit => {
                conflict("This device is in the household already, or was removed from it.")
            }
            RosterError::Full => limit("This household has changed too often. It is full."),
        }
    }
}

impl From<GrowError> for ApiError {
    fn from(error: GrowError) -> Self {
        match error {
            GrowError::Entry(error) => error.into(),
            GrowError::Chain(error) => error.into(),
            GrowError::SaysOtherwise => bad(NO_FIT),
            GrowError::DeviceTaken => {
                conflict("This device belongs to somebody already. Reset it, then pair it again.")
            }
            GrowError::Child => bad("A child's app can't have the adult right."),
            GrowError::TooManyDevices => {
                limit("The household has as many devices as it may. Remove one first.")
            }
            GrowError::Store(error) => error.into(),
        }
    }
}
