//! What people read when a session ends or a request fails: what happened, what to do.

use std::time::Duration;

use homeline_protocol::PROTOCOL_VERSION;
use homeline_protocol::session::{ApiError, ErrorCode, FRAME_BYTES_MAX};

pub(super) fn protocol_version(theirs: u64) -> ApiError {
    let advice = if theirs < u64::from(PROTOCOL_VERSION) {
        "This page or program is older than the server. Reload the page, or update the program."
    } else {
        "This page or program is newer than the server. Reload the page, or update the server."
    };
    ApiError::new(ErrorCode::ProtocolVersion, advice)
}

pub(super) fn not_registered() -> ApiError {
    ApiError::new(
        ErrorCode::NotRegistered,
        "You are not registered here. Sign up first; then you can call and be called.",
    )
}

pub(super) fn unauthorized() -> ApiError {
    ApiError::new(
        ErrorCode::Unauthorized,
        "This sign-in has ended, or never was. Sign in again, or sign up first.",
    )
}

pub(super) fn hello_first() -> ApiError {
    ApiError::new(
        ErrorCode::BadRequest,
        "The first frame must be a hello, within ten seconds.",
    )
}

pub(super) fn not_a_frame(why: &str) -> ApiError {
    ApiError::new(ErrorCode::BadRequest, format!("This is not a frame: {why}"))
}

pub(super) fn not_a_request(why: &str) -> ApiError {
    ApiError::new(
        ErrorCode::BadRequest,
        format!("This request does not parse: {why}"),
    )
}

pub(super) fn text_only() -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "Frames are JSON texts, not binary.")
}

pub(super) fn too_large() -> ApiError {
    let message = format!("A frame has at most {FRAME_BYTES_MAX} bytes.");
    ApiError::new(ErrorCode::TooLarge, message)
}

pub(super) fn request_ids() -> ApiError {
    ApiError::new(
        ErrorCode::BadRequest,
        "Request ids begin at 1 and grow by one.",
    )
}

pub(super) fn acknowledged_too_much() -> ApiError {
    ApiError::new(
        ErrorCode::BadRequest,
        "An event was acknowledged that was never sent.",
    )
}

pub(super) fn outbox_full() -> ApiError {
    ApiError::new(
        ErrorCode::OutboxFull,
        "This device fell too far behind. It reconnects and asks for everything anew.",
    )
}

pub(super) fn requests_waiting() -> ApiError {
    ApiError::new(
        ErrorCode::LimitReached,
        "Too many requests wait already; wait for replies.",
    )
}

pub(super) fn rate_limited(retry_after: Duration) -> ApiError {
    let secs = u32::try_from(retry_after.as_secs())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let mut error = ApiError::new(ErrorCode::RateLimited, "Too many requests; wait a moment.");
    error.retry_after_secs = Some(secs);
    error
}

pub(super) fn shutting_down() -> ApiError {
    ending(ErrorCode::ShuttingDown)
}

pub(super) fn internal() -> ApiError {
    ending(ErrorCode::Internal)
}

pub(super) fn sessions_full() -> ApiError {
    ApiError::new(
        ErrorCode::LimitReached,
        "The server has as many connections as it can carry. Try again in a few minutes.",
    )
}

pub(super) fn foreign_origin() -> ApiError {
    ApiError::new(
        ErrorCode::Forbidden,
        "Only this server's own pages may connect. Behind a proxy, list its address under \
         session.origins_allowed.",
    )
}

/// The words for an end that the domain asked for by its code.
pub(super) fn ending(code: ErrorCode) -> ApiError {
    let message = match code {
        ErrorCode::SessionReplaced => {
            "This device is connected from another window or program. Use that one, or close it."
        }
        ErrorCode::DeviceRevoked => {
            "This device was removed from its household. Pair it again to use it."
        }
        ErrorCode::ShuttingDown => "The server is restarting. Reconnect in a moment.",
        ErrorCode::OutboxFull => return outbox_full(),
        ErrorCode::Unauthorized => return unauthorized(),
        ErrorCode::NotRegistered => return not_registered(),
        ErrorCode::Internal => "The server failed at this. It has been logged; try again.",
        _ => "The server ended this session. Connect again.",
    };
    ApiError::new(code, message)
}
