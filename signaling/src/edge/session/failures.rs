//! Turns the errors of calls into codes and words; `edge::refusals` does so for all others.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::words;
use crate::domain::calls::{CallError, StartError};
use crate::domain::history::HistoryError;
use crate::domain::keys::CommitError;

fn refusal(code: ErrorCode, error: impl std::fmt::Display) -> ApiError {
    ApiError::new(code, sentence(&error.to_string()))
}

/// The domain speaks in lower case without a stop, people don't.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    let stop = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    first.unwrap_or_default() + letters.as_str() + stop
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::BadLimit => refusal(ErrorCode::BadRequest, error),
            HistoryError::Used => refusal(ErrorCode::Conflict, error),
            HistoryError::Internal(error) => error.into(),
        }
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        let code = match error {
            StartError::Refused(refusal) => return refusal.into(),
            StartError::TooLong => ErrorCode::BadRequest,
            StartError::AlreadyInCall => ErrorCode::AlreadyInCall,
            StartError::AccountFull | StartError::Full => ErrorCode::LimitReached,
            StartError::IdTaken => ErrorCode::Conflict,
            StartError::Over => ErrorCode::CallEnded,
            StartError::NoAccount => ErrorCode::NotFound,
            StartError::Internal(error) => return error.into(),
        };
        refusal(code, error)
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        let code = match error {
            CallError::NotFound => ErrorCode::NotFound,
            CallError::AnsweredElsewhere => ErrorCode::AnsweredElsewhere,
            CallError::Ended => ErrorCode::CallEnded,
            CallError::AlreadyInCall => ErrorCode::AlreadyInCall,
            CallError::Full => ErrorCode::LimitReached,
            CallError::NotYours(_) => ErrorCode::Forbidden,
            CallError::NotNow(_) => ErrorCode::Conflict,
            CallError::Invalid(_) => ErrorCode::BadRequest,
            CallError::BadOffer(_) => ErrorCode::BadOffer,
            CallError::MediaLimit(_) => ErrorCode::LimitReached,
            CallError::Keys(CommitError::EpochTaken) => ErrorCode::EpochTaken,
            CallError::Keys(CommitError::NotAMember) => ErrorCode::Forbidden,
            CallError::Keys(CommitError::EpochAhead) => ErrorCode::Conflict,
            CallError::Keys(CommitError::Full) => ErrorCode::LimitReached,
            CallError::Keys(CommitError::TooLong) => ErrorCode::TooLarge,
            CallError::Internal => return words::internal(),
        };
        refusal(code, error)
    }
}
