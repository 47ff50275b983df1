//! What is announced.

use homeline_protocol::session::{ApiError, ErrorCode};

use super::{bad, conflict, limit, not_found};
use crate::domain::announcements::{AnnounceError, NotAMember, NotForYou, PutSealingKeyError};
use crate::domain::calls::BeginLiveError;
use crate::domain::live::LiveError;

impl From<PutSealingKeyError> for ApiError {
    fn from(error: PutSealingKeyError) -> Self {
        match error {
            PutSealingKeyError::NoRight(error) => error.into(),
            PutSealingKeyError::Statement(error) => error.into(),
            PutSealingKeyError::Roster(error) => error.into(),
            PutSealingKeyError::Store(error) => error.into(),
        }
    }
}

impl From<AnnounceError> for ApiError {
    fn from(error: AnnounceError) -> Self {
        match error {
            AnnounceError::NoRight(error) => error.into(),
            AnnounceError::Refused(refusal) => refusal.into(),
            AnnounceError::Statement(error) => error.into(),
            AnnounceError::TooLong => Self::new(
                ErrorCode::TooLarge,
                "An announcement lasts at most a minute, or has about a page of text. Make it \
                 shorter.",
            ),
            AnnounceError::NotNow => bad(
                "The clock of this device is wrong, or it took too long. Check date and time, then \
                 try again.",
            ),
            AnnounceError::IdTaken => {
                conflict("This was announced already, with other words. Announce it anew.")
            }
            AnnounceError::NoSuchRoom => {
                not_found("No home device of your household stands in this room.")
            }
            AnnounceError::Full => limit(
                "Your household has announced 32 times within five minutes. Wait a little, then try \
                 again.",
            ),
            AnnounceError::TooMany(error) => error.into(),
            AnnounceError::NotFound => not_found("Your account is gone. Sign up again."),
            AnnounceError::Roster(error) => error.into(),
            AnnounceError::Store(error) => error.into(),
        }
    }
}

impl From<LiveError> for ApiError {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Announce(error) => error.into(),
            LiveError::NobodyHears => Self::new(
                ErrorCode::NotAvailable,
                "No device there can hear you now: they are switched off, or on do not disturb.",
            ),
            LiveError::Begin(BeginLiveError::NobodyFree) => Self::new(
                ErrorCode::NotAvailable,
                "Every device that would hear you is in a call now, or hears another announcement.",
            ),
            LiveError::Begin(BeginLiveError::AlreadyInCall) => Self::new(
                ErrorCode::AlreadyInCall,
                "This device is in a call or a drop-in already. Hang up first.",
            ),
            LiveError::Begin(BeginLiveError::AccountFull | BeginLiveError::Full) => limit(
                "There are as many calls at once as there may be. Try again in a few minutes.",
            ),
            LiveError::Begin(BeginLiveError::IdTaken) => {
                conflict("This call's id is taken. Choose another.")
            }
            LiveError::Begin(BeginLiveError::Over) => {
                Self::new(ErrorCode::CallEnded, "This announcement is over.")
            }
        }
    }
}

impl From<NotAMember> for ApiError {
    fn from(error: NotAMember) -> Self {
        match error {
            NotAMember::NoRight(error) => error.into(),
            NotAMember::Store(error) => error.into(),
        }
    }
}

impl From<NotForYou> for ApiError {
    fn from(error: NotForYou) -> Self {
        match error {
            NotForYou::NoRight(error) => error.into(),
            NotForYou::NotFound => not_found(
                "There is no such announcement for this device. It may be older than five minutes.",
            ),
            NotForYou::Store(error) => error.into(),
        }
    }
}
