//! The device's side of a pairing over HTTP; the app's side goes over its session.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use homeline_protocol::http::{PairingOffer, PairingOpened, PairingReveal, PairingState};
use homeline_protocol::session::ApiError;

use super::HttpState;
use super::answer::Refusal;
use super::request::{After, Bearer, Body, PathPairing, Peer};

/// Asks a person to take this device in.
///
/// The answer is the same whether or not anyone has that handle. The person sees it while their app
/// stands at "Add a device".
#[utoipa::path(
    post, path = "/v1/pairings", tag = "pairing", request_body = PairingOffer,
    responses(
        (status = 200, description = "Opened for ten minutes. The secret is the bearer token of the two requests below.", body = PairingOpened),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 409, description = "`limit_reached`: too many pairings are open", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn open(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(offer): Body<PairingOffer>,
) -> Result<Json<PairingOpened>, Refusal> {
    Ok(Json(state.pairings.open(origin, offer).await?))
}

/// Says where a pairing stands.
///
/// Waits up to 25 seconds for a step beyond `after`: `waiting` is step 0, `accepted` 1, `revealed`
/// 2, `certified` and `refused` are 3. Without `after` it answers at once. Each answer of
/// `certified` holds a fresh token and ends the one before.
#[utoipa::path(
    get, path = "/v1/pairings/{id}", tag = "pairing", security(("pairing secret" = [])),
    params(
        ("id" = String, Path, description = "The pairing, 32 hexadecimal digits"),
        ("after" = Option<u8>, Query, description = "The step seen last"),
    ),
    responses(
        (status = 200, description = "Where it stands.", body = PairingState),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`: no secret was sent", body = ApiError),
        (status = 404, description = "`not_found`: unknown, over, or another secret", body = ApiError),
        (status = 409, description = "`limit_reached`: too many questions of this device wait", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn state(
    State(state): State<HttpState>,
    PathPairing(id): PathPairing,
    After(after): After,
    Bearer(secret): Bearer,
) -> Result<Json<PairingState>, Refusal> {
    Ok(Json(state.pairings.state(id, &secret, after).await?))
}

/// Reveals the device's side.
///
/// Allowed once an app has committed, and checked against the device's own commitment. Repeating it
/// is no error.
#[utoipa::path(
    post, path = "/v1/pairings/{id}/reveal", tag = "pairing", request_body = PairingReveal,
    security(("pairing secret" = [])),
    params(("id" = String, Path, description = "The pairing, 32 hexadecimal digits")),
    responses(
        (status = 204, description = "The app sees it now."),
        (status = 400, description = "`bad_request`: not what was committed to, or out of bounds", body = ApiError),
        (status = 401, description = "`unauthorized`: no secret was sent", body = ApiError),
        (status = 404, description = "`not_found`: unknown, over, or another secret", body = ApiError),
        (status = 409, description = "`conflict`: no app has committed yet, or something else was revealed", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
    )
)]
pub(super) async fn reveal(
    State(state): State<HttpState>,
    PathPairing(id): PathPairing,
    Bearer(secret): Bearer,
    Body(reveal): Body<PairingReveal>,
) -> Result<StatusCode, Refusal> {
    state.pairings.reveal_device(id, &secret, reveal)?;
    Ok(StatusCode::NO_CONTENT)
}
