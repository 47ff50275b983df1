//! Pairing, from both sides.

use homeline_protocol::session::ApiError;

use super::{NO_FIT, PAIRING_GONE, PAIRING_TURN, bad, conflict, limit, not_found};
use crate::domain::pairing::{AppPairingError, CertifyError, DevicePairingError, OpenPairingError};

impl From<OpenPairingError> for ApiError {
    fn from(error: OpenPairingError) -> Self {
        match error {
            OpenPairingError::TooMany(error) => error.into(),
            OpenPairingError::Field(message) => bad(message),
            OpenPairingError::Full => {
                limit("Too many devices ask to be paired right now. Try again in ten minutes.")
            }
            OpenPairingError::Store(error) => error.into(),
        }
    }
}

impl From<DevicePairingError> for ApiError {
    fn from(error: DevicePairingError) -> Self {
        match error {
            DevicePairingError::NotFound => not_found(PAIRING_GONE),
            DevicePairingError::Field(message) => bad(message),
            DevicePairingError::TooManyAsk => {
                limit("This device asks too often at once. Wait for an answer.")
            }
            DevicePairingError::OutOfTurn => conflict(PAIRING_TURN),
            DevicePairingError::Store(error) => error.into(),
        }
    }
}

impl From<AppPairingError> for ApiError {
    fn from(error: AppPairingError) -> Self {
        match error {
            AppPairingError::NoRight(error) => error.into(),
            AppPairingError::NotFound => not_found(PAIRING_GONE),
            AppPairingError::Field(message) => bad(message),
            AppPairingError::TakenByAnother => {
                conflict("Another of your apps took this pairing up. Go on there.")
            }
            AppPairingError::OutOfTurn => conflict(PAIRING_TURN),
            AppPairingError::TooManyListen => {
                limit("Too many apps are adding devices right now. Try again in ten minutes.")
            }
        }
    }
}

impl From<CertifyError> for ApiError {
    fn from(error: CertifyError) -> Self {
        match error {
            CertifyError::Pairing(error) => error.into(),
            CertifyError::NoSuchMember => not_found("The household has no such member."),
            CertifyError::AnotherDevice => bad(NO_FIT),
            CertifyError::Grow(error) => error.into(),
            CertifyError::Store(error) => error.into(),
        }
    }
}
