//! Refusals as JSON, in the form of the project's other HTTP errors: a code for programs, words for people.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use homeline_protocol::media_control::MediaError;
use homeline_protocol::session::{ApiError, ErrorCode};

/// A refused request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: ApiError,
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, message)
    }

    pub(super) fn too_large(message: impl Into<String>) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(status, ErrorCode::TooLarge, message)
    }

    pub(super) fn unauthorized() -> Self {
        let message = "This needs the admin token: Authorization: Bearer TOKEN. The node prints at its \
             start where the token is.";
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, ErrorCode::LimitReached, message)
    }

    pub(super) fn internal() -> Self {
        let message = "The node failed at this. It has been logged.";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, ErrorCode::Internal, message)
    }

    fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let error = ApiError::new(code, message);
        Self { status, error }
    }
}

impl From<MediaError> for Refusal {
    fn from(error: MediaError) -> Self {
        let (status, code) = match &error {
            MediaError::NoRoom | MediaError::NoPeer => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
            MediaError::BadOffer(_) => (StatusCode::BAD_REQUEST, ErrorCode::BadOffer),
            MediaError::Limit(_) => (StatusCode::CONFLICT, ErrorCode::LimitReached),
            MediaError::Gone => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ShuttingDown),
        };
        let message = match error {
            MediaError::NoRoom => "There is no such room. Make it first: POST /v1/rooms.".into(),
            MediaError::NoPeer => "There is no such peer in that room.".into(),
            MediaError::BadOffer(why) => format!("The offer can't be used: {why}."),
            MediaError::Limit(what) => {
                format!("The node has as many {what} as its configuration allows.")
            }
            MediaError::Gone => "The node is going down or does not answer.".into(),
        };
        Self::new(status, code, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.error)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

pub(super) async fn not_found() -> Refusal {
    let message = "There is no such address here. See /v1/openapi.json.";
    Refusal::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
}

pub(super) async fn method_not_allowed() -> Refusal {
    let message = "This address does not take that method. See /v1/openapi.json.";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refusal::new(status, ErrorCode::BadRequest, message)
}

/// A bug: the request fails, the node lives on. The panic itself is in the log already.
pub(super) fn panicked(_panic: Box<dyn std::any::Any + Send>) -> Response {
    Refusal::internal().into_response()
}
