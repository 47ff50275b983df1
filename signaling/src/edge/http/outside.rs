//! The test from outside, for a page that holds a ticket and may be signed in nowhere.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header::HOST;
use axum::http::request::Parts;
use homeline_protocol::session::{
    ApiError, OutsideAnswer, OutsideBegun, OutsideOffer, OutsideReport, OutsideState, OutsideTicket,
};

use super::HttpState;
use super::answer::Refusal;
use super::request::Body;
use crate::domain::outside::Asked;

/// Where a request came from, and by which name. Without a connection (in tests), from nowhere.
pub(super) struct Tester(Asked);

impl<S: Send + Sync> FromRequestParts<S> for Tester {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let source = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        // HTTP/2 has it in the address.
        let named = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = named.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
        let host = host.map(str::to_owned);
        Ok(Self(Asked { source, host }))
    }
}

/// Begins a test from outside.
///
/// An adult's app makes the ticket (`test_from_outside`, in a session); the page `/outside` carries it behind
/// its `#`. The answer says from where the server sees the tester come, and which ways there are to try.
#[utoipa::path(
    post, path = "/v1/outside/begin", tag = "server", request_body = OutsideTicket,
    responses(
        (status = 200, description = "What to try.", body = OutsideBegun),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 404, description = "`not_found`: the ticket is none, or has ended", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: the ticket was used too often", body = ApiError),
    )
)]
pub(super) async fn begin(
    State(state): State<HttpState>,
    Tester(asked): Tester,
    Body(ticket): Body<OutsideTicket>,
) -> Result<Json<OutsideBegun>, Refusal> {
    Ok(Json(state.outside.begin(&ticket.secret, &asked).await?))
}

/// Opens a connection to the media node.
///
/// It carries nothing and ends after half a minute. The tester leaves of the answer's candidates those of the way
/// that it tries.
#[utoipa::path(
    post, path = "/v1/outside/offer", tag = "server", request_body = OutsideOffer,
    responses(
        (status = 200, description = "The media node's answer.", body = OutsideAnswer),
        (status = 400, description = "`bad_request`, `bad_offer`", body = ApiError),
        (status = 404, description = "`not_found`: the ticket is none, or has ended", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn offer(
    State(state): State<HttpState>,
    Body(offer): Body<OutsideOffer>,
) -> Result<Json<OutsideAnswer>, Refusal> {
    Ok(Json(state.outside.offer(offer).await?))
}

/// Keeps what a tester found, and says what it means.
#[utoipa::path(
    post, path = "/v1/outside/report", tag = "server", request_body = OutsideReport,
    responses(
        (status = 200, description = "Kept.", body = OutsideState),
        (status = 400, description = "`bad_request`: no entry, more than there are ways, or one twice", body = ApiError),
        (status = 404, description = "`not_found`: the ticket is none, or has ended", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: the ticket was used too often", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn report(
    State(state): State<HttpState>,
    Tester(asked): Tester,
    Body(report): Body<OutsideReport>,
) -> Result<Json<OutsideState>, Refusal> {
    Ok(Json(state.outside.report(report, &asked).await?))
}
