//! Errors as JSON: the status that goes with each code.

use std::any::Any;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use homeline_protocol::session::{ApiError, ErrorCode};

/// A refused request.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) ApiError);

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let retry_after = self.0.retry_after_secs;
        let mut response = (status(self.0.code), axum::Json(self.0)).into_response();
        if let Some(secs) = retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

/// The HTTP status of an error code.
pub(super) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest | ErrorCode::ProtocolVersion | ErrorCode::BadOffer => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Unauthorized
        | ErrorCode::NotRegistered
        | ErrorCode::WrongCredentials
        | ErrorCode::DeviceRevoked => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::HandleTaken
        | ErrorCode::Conflict
        | ErrorCode::LimitReached
        | ErrorCode::EpochTaken
        | ErrorCode::AnsweredElsewhere
        | ErrorCode::CallEnded
        | ErrorCode::AlreadyInCall
        | ErrorCode::RosterMoved
        | ErrorCode::SessionReplaced
        | ErrorCode::OutboxFull
        | ErrorCode::NotAvailable => StatusCode::CONFLICT,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) async fn not_found() -> Refusal {
    let message = "There is no such address here. See /v1/docs.";
    Refusal(ApiError::new(ErrorCode::NotFound, message))
}

pub(super) async fn method_not_allowed() -> Response {
    let message = "This address does not take that method. See /v1/docs.";
    let mut response = Refusal(ApiError::new(ErrorCode::BadRequest, message)).into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

/// A bug: the request fails, the server lives on. The panic itself is in the log already.
pub(super) fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    let message = "The server failed at this. It has been logged; try again in a moment.";
    Refusal(ApiError::new(ErrorCode::Internal, message)).into_response()
}
