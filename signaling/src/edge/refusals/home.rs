//! The household, its devices, its address book.

use homeline_protocol::session::ApiError;

use super::{NO_FIT, OUTDATED, bad, conflict, limit, not_found};
use crate::domain::contacts::{DeleteContactError, PutContactError};
use crate::domain::devices::{PutAnswerPolicyError, RemoveDeviceError, RenewCertificateError};
use crate::domain::households::HomeError;

impl From<HomeError> for ApiError {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::NotFound => not_found("Your account is gone. Sign up again."),
            HomeError::Store(error) => error.into(),
        }
    }
}

impl From<RenewCertificateError> for ApiError {
    fn from(error: RenewCertificateError) -> Self {
        match error {
            RenewCertificateError::NoRight(error) => error.into(),
            RenewCertificateError::NotFound => {
                not_found("The household has no such device. It may have been removed.")
            }
            RenewCertificateError::Chain(error) => error.into(),
            RenewCertificateError::SaysOtherwise => bad(NO_FIT),
            RenewCertificateError::Roster(error) => error.into(),
            RenewCertificateError::Store(error) => error.into(),
        }
    }
}

impl From<RemoveDeviceError> for ApiError {
    fn from(error: RemoveDeviceError) -> Self {
        match error {
            RemoveDeviceError::NoRight(error) => error.into(),
            RemoveDeviceError::NotFound => not_found("The household has no such device."),
            RemoveDeviceError::Grow(error) => error.into(),
            RemoveDeviceError::Store(error) => error.into(),
        }
    }
}

impl From<PutAnswerPolicyError> for ApiError {
    fn from(error: PutAnswerPolicyError) -> Self {
        match error {
            PutAnswerPolicyError::NoRight(error) => error.into(),
            PutAnswerPolicyError::NotFound => {
                not_found("The household has no such home device. It may have been removed.")
            }
            PutAnswerPolicyError::Statement(error) => error.into(),
            PutAnswerPolicyError::Outdated => conflict(OUTDATED),
            PutAnswerPolicyError::Roster(error) => error.into(),
            PutAnswerPolicyError::Store(error) => error.into(),
        }
    }
}

impl From<PutContactError> for ApiError {
    fn from(error: PutContactError) -> Self {
        match error {
            PutContactError::NoRight(error) => error.into(),
            PutContactError::Field(message) => bad(message),
            PutContactError::Statement(error) => error.into(),
            PutContactError::Outdated => conflict(OUTDATED),
            PutContactError::Full => {
                limit("The address book is full: 5000 contacts. Delete one first.")
            }
            PutContactError::Roster(error) => error.into(),
            PutContactError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteContactError> for ApiError {
    fn from(error: DeleteContactError) -> Self {
        match error {
            DeleteContactError::NoRight(error) => error.into(),
            DeleteContactError::Statement(error) => error.into(),
            DeleteContactError::Outdated => conflict(OUTDATED),
            DeleteContactError::Roster(error) => error.into(),
            DeleteContactError::Store(error) => error.into(),
        }
    }
}
