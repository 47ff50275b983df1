//! What happened at home devices.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{NO_FIT, bad, conflict, limit, not_found};
use crate::domain::identity::StatementError;
use crate::domain::ledgers::{AppendError, ReadLedgerError};

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::NotATarget => Self::new(
                ErrorCode::Forbidden,
                "Only a home device writes down who dropped in on it.",
            ),
            AppendError::TooLong => Self::new(ErrorCode::TooLarge, NO_FIT),
            AppendError::Statement(StatementError::SignerMayNot) => Self::new(
                ErrorCode::Forbidden,
                "A home device writes down only what it has signed itself.",
            ),
            AppendError::Statement(error) => error.into(),
            AppendError::OtherEnd => conflict(
                "The server's record of who dropped in on this device ends otherwise than the \
                 device's own.",
            ),
            AppendError::Full => limit(
                "The record of who dropped in on this device is as long as the server keeps one. \
                 Remove the device and pair it anew.",
            ),
            AppendError::TooManyLedgers => limit(
                "The household has had 256 home devices that wrote down who dropped in. The record \
                 of a further one is not kept.",
            ),
            AppendError::Store(error) => error.into(),
        }
    }
}

impl From<ReadLedgerError> for ApiError {
    fn from(error: ReadLedgerError) -> Self {
        match error {
            ReadLedgerError::NotAdult(error) => error.into(),
            ReadLedgerError::NotFound => {
                not_found("The household has no such device. It may never have been one of it.")
            }
            ReadLedgerError::Limit => bad("Ask for 1 to 200 entries."),
            ReadLedgerError::Store(error) => error.into(),
        }
    }
}
