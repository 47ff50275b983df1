//! What is taken from requests: bodies, bearer tokens, ids, and where they come from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use homeline_protocol::Secret;
use homeline_protocol::id::PairingId;
use homeline_protocol::session::{ApiError, ErrorCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::Refusal;
use crate::domain::limits::Origin;

/// A JSON body; one that does not parse is refused with JSON.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(Refusal(body_error(&rejection))),
        }
    }
}

fn body_error(rejection: &JsonRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::new(ErrorCode::TooLarge, "The body is longer than 64 KiB.");
    }
    ApiError::new(
        ErrorCode::BadRequest,
        format!(
            "The body is not what this address takes: {}",
            rejection.body_text()
        ),
    )
}

/// The token in `Authorization: Bearer`.
#[derive(Debug)]
pub(super) struct Bearer(pub(super) Secret);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let value = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value
            .and_then(|value| value.split_once(' '))
            .and_then(|(scheme, token)| {
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            });
        match token {
            Some(token) => Ok(Self(Secret::new(token))),
            None => Err(Refusal(ApiError::new(
                ErrorCode::Unauthorized,
                "This needs a bearer token. Sign in first.",
            ))),
        }
    }
}

/// Where a request comes from. Without a connection (in tests), all come from one place.
#[derive(Debug)]
pub(super) struct Peer(pub(super) Origin);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        Ok(Self(address.into()))
    }
}

/// The pairing that a path names.
#[derive(Debug)]
pub(super) struct PathPairing(pub(super) PairingId);

impl<S: Send + Sync> FromRequestParts<S> for PathPairing {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<PairingId>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| {
            let message = "An id is 32 lowercase hexadecimal digits.";
            Refusal(ApiError::new(ErrorCode::BadRequest, message))
        })
    }
}

/// `?after=STEP`.
#[derive(Debug)]
pub(super) struct After(pub(super) Option<u8>);

#[derive(Deserialize)]
struct AfterQuery {
    after: Option<u8>,
}

impl<S: Send + Sync> FromRequestParts<S> for After {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::<AfterQuery>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query.after)).map_err(|_| {
            let message = "`after` is the number of the step seen last: 0, 1 or 2.";
            Refusal(ApiError::new(ErrorCode::BadRequest, message))
        })
    }
}
