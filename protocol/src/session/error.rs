//! The stable list of error codes, and the words that go with them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// An error for people and programs: a stable code, and a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what happened, what to do.
    pub message: String,
    /// Seconds after which to try again, for `rate_limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after_secs: Option<u32>,
}

impl ApiError {
    /// An error with its message.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_secs: None,
        }
    }
}

/// Every error code there is. Codes are never renamed or reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request does not parse, or a field is out of its bounds.
    BadRequest,
    /// A frame or body is longer than allowed.
    TooLarge,
    /// The client speaks another protocol version: reload, or update.
    ProtocolVersion,
    /// No token, or one that is unknown or ended: sign in.
    Unauthorized,
    /// Signed up is needed first: "call" and "message" by someone unregistered.
    NotRegistered,
    /// Handle and password, or handle and recovery code, do not match. Says no more on purpose.
    WrongCredentials,
    /// The right is missing.
    Forbidden,
    /// No such thing, or not yours.
    NotFound,
    /// The handle is taken.
    HandleTaken,
    /// It exists already, or someone else was first.
    Conflict,
    /// Too many tries; wait `retry_after_secs`.
    RateLimited,
    /// A stated limit is reached.
    LimitReached,
    /// Another commit won this epoch: apply it, then try again.
    EpochTaken,
    /// Another device of the same person answered first.
    AnsweredElsewhere,
    /// The call is over.
    CallEnded,
    /// The caller is in another call already.
    AlreadyInCall,
    /// The roster grew meanwhile: fetch it and sign on top.
    RosterMoved,
    /// The media node refused the offer.
    BadOffer,
    /// The session was replaced by a newer connection of the same device.
    SessionReplaced,
    /// The device was removed from its household.
    DeviceRevoked,
    /// The server is going down; reconnect in a moment.
    ShuttingDown,
    /// The client fell too far behind; reconnect and ask for the state anew.
    OutboxFull,
    /// A fault of the server, which has been logged.
    Internal,
    /// Somebody of the own household can't be reached now; the message says why. Never said to others.
    NotAvailable,
}
