//! Sign-up, sign-in, sign-out and recovery over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use homeline_protocol::http::{
    RecoverBegin, RecoverFinish, RecoverTicket, SignIn, SignUp, SignedIn,
};
use homeline_protocol::session::ApiError;

use super::HttpState;
use super::answer::Refusal;
use super::request::{Bearer, Body, Peer};

type Answer<T> = Result<Json<T>, Refusal>;

/// Signs somebody up.
///
/// Makes an account and either founds a household or asks to join one. Repeating it with the same
/// account id, handle, password and app key signs in; nothing is made twice.
#[utoipa::path(
    post, path = "/v1/sign-up", tag = "people", request_body = SignUp,
    responses(
        (status = 200, description = "Signed up. The token is shown this once.", body = SignedIn),
        (status = 400, description = "`bad_request`: a field is out of bounds, or roster, certificates and request do not agree", body = ApiError),
        (status = 404, description = "`not_found`: the invitation was used, cancelled, or has expired", body = ApiError),
        (status = 409, description = "`handle_taken`, `conflict` (account, app or household exist), `limit_reached` (others wait on this invitation, or the server is full)", body = ApiError),
        (status = 413, description = "`too_large`: the body is longer than 64 KiB", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn sign_up(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(request): Body<SignUp>,
) -> Answer<SignedIn> {
    Ok(Json(state.accounts.sign_up(origin, &request).await?))
}

/// Signs somebody in.
///
/// With the app's proof the token speaks for that app. Without one it can only pair or recover.
/// A handle that nobody has is answered like a wrong password.
#[utoipa::path(
    post, path = "/v1/sign-in", tag = "people", request_body = SignIn,
    responses(
        (status = 200, description = "Signed in. The token is shown this once.", body = SignedIn),
        (status = 400, description = "`bad_request`: the body does not parse, or the device's clock is off by more than five minutes", body = ApiError),
        (status = 401, description = "`wrong_credentials` (says no more on purpose), `device_revoked`", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn sign_in(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(request): Body<SignIn>,
) -> Answer<SignedIn> {
    Ok(Json(state.accounts.sign_in(origin, &request).await?))
}

/// Ends a token.
///
/// The sessions of its device end at once. Repeating it is no error.
#[utoipa::path(
    post, path = "/v1/sign-out", tag = "people", security(("token" = [])),
    responses(
        (status = 204, description = "The token has ended."),
        (status = 401, description = "`unauthorized`: no bearer token was sent", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn sign_out(
    State(state): State<HttpState>,
    Bearer(token): Bearer,
) -> Result<StatusCode, Refusal> {
    state.accounts.sign_out(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a recovery.
///
/// The secret derived from the recovery code opens what is needed to sign with it. A handle that
/// nobody has is answered like a wrong code.
#[utoipa::path(
    post, path = "/v1/recover/begin", tag = "people", request_body = RecoverBegin,
    responses(
        (status = 200, description = "A ticket for ten minutes, the roster, and the recovery key's certificate.", body = RecoverTicket),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`wrong_credentials`", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn recover_begin(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(request): Body<RecoverBegin>,
) -> Answer<RecoverTicket> {
    Ok(Json(state.accounts.recover_begin(origin, &request).await?))
}

/// Finishes a recovery.
///
/// Sets a new password and takes the new app into the household. Repeating it with the same ticket
/// and app gets a fresh token; the household changes once.
#[utoipa::path(
    post, path = "/v1/recover/finish", tag = "people", request_body = RecoverFinish,
    responses(
        (status = 200, description = "Recovered and signed in.", body = SignedIn),
        (status = 400, description = "`bad_request`: a field is out of bounds, or entry, chain and request do not agree", body = ApiError),
        (status = 401, description = "`unauthorized`: the ticket is unknown, used or expired", body = ApiError),
        (status = 403, description = "`forbidden`: the entry is signed by a key that may not", body = ApiError),
        (status = 409, description = "`roster_moved` (begin again), `conflict`, `limit_reached`", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn recover_finish(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(request): Body<RecoverFinish>,
) -> Answer<SignedIn> {
    Ok(Json(state.accounts.recover_finish(origin, &request).await?))
}
