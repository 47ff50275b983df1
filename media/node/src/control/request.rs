//! What is taken from requests: bodies, ids in paths, and the admin token.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::answer::Refusal;
use super::state::Control;

/// The longest body: an offer with several hundred sections.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A JSON body; one that does not parse is refused with JSON.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(body_refusal(&rejection)),
        }
    }
}

fn body_refusal(rejection: &JsonRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::too_large("The body is longer than 1 MiB.");
    }
    let why = rejection.body_text();
    Refusal::bad_request(format!("The body is not what this address takes: {why}"))
}

/// The ids that a path names.
#[derive(Debug)]
pub(super) struct Ids<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Ids<T> {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(ids)| Self(ids))
            .map_err(|_| Refusal::bad_request("An id is 32 lowercase hexadecimal digits."))
    }
}

/// Lets only requests with the admin token through.
pub(super) async fn only_admin(
    State(control): State<Control>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let shown = value
        .and_then(|value| value.split_once(' '))
        .and_then(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()));
    if shown.is_some_and(|token| control.inner.admin.is(token)) {
        Ok(next.run(request).await)
    } else {
        Err(Refusal::unauthorized())
    }
}
