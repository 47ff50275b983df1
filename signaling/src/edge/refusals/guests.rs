//! Call links, and the guests who come by one.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{bad, conflict, limit, not_found};
use crate::domain::guests::{KnockError, LinkError, RefuseGuestError};

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NotAnApp(_) => Self::new(
                ErrorCode::Forbidden,
                "Call links are made and ended in a person's own app. Use one of those.",
            ),
            LinkError::NotAdmitted => Self::new(
                ErrorCode::Forbidden,
                "You belong to no household yet. Wait until you are admitted, then try again.",
            ),
            LinkError::Child => Self::new(
                ErrorCode::Forbidden,
                "Only adults can make call links. Ask an adult of your household.",
            ),
            LinkError::Field(message) => bad(message),
            LinkError::TooMany => {
                limit("You have as many call links as you may: 20. Revoke one first.")
            }
            LinkError::IdTaken => conflict("This call link's id is taken; choose another."),
            LinkError::Store(error) => error.into(),
        }
    }
}

impl From<KnockError> for ApiError {
    fn from(error: KnockError) -> Self {
        match error {
            KnockError::TooMany(error) => error.into(),
            KnockError::Chain(error) => error.into(),
            KnockError::BadProof => bad("A proof has 32 bytes. Open the call link again."),
            KnockError::NoLink => not_found(
                "This call link does not work, or does not work any more. Ask for a new one.",
            ),
            KnockError::KnownKey => conflict("This key is in use. Open the call link again."),
            KnockError::LinkFull => {
                limit("Too many people wait at this call link. Try again in a few minutes.")
            }
            KnockError::Full => {
                limit("Too many people wait at this server. Try again in a few minutes.")
            }
            KnockError::Store(error) => error.into(),
        }
    }
}

impl From<RefuseGuestError> for ApiError {
    fn from(error: RefuseGuestError) -> Self {
        match error {
            RefuseGuestError::NotAnApp(_) => Self::new(
                ErrorCode::Forbidden,
                "Guests are let in and sent away in a person's own app. Use one of those.",
            ),
            RefuseGuestError::NotFound => {
                not_found("This guest does not wait at a call link of yours any more.")
            }
        }
    }
}
