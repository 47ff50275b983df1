//! Push over HTTP: the server's key, and declining a call without a session.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use homeline_protocol::http::{PushDecline, PushKey};
use homeline_protocol::session::{ApiError, DeviceKind, ErrorCode};

use super::HttpState;
use super::answer::Refusal;
use super::request::Body;
use crate::domain::calls::Act;
use crate::model::Speaker;

/// The key that browsers subscribe to pushes with.
///
/// Made at the first start and kept: only this server can send to what was subscribed with it.
#[utoipa::path(
    get, path = "/v1/push/key", tag = "push",
    responses((status = 200, description = "The `applicationServerKey`.", body = PushKey))
)]
pub(super) async fn key(State(state): State<HttpState>) -> Json<PushKey> {
    let key = state.push.public_key().clone();
    Json(PushKey { key })
}

/// Declines a call that a push told of.
///
/// Needs no session: the push held, for its device alone, what declines this one call once while it
/// rings. All the person's devices stop ringing.
#[utoipa::path(
    post, path = "/v1/push/decline", tag = "push", request_body = PushDecline,
    responses(
        (status = 204, description = "Declined."),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`device_revoked`: the device was removed meanwhile", body = ApiError),
        (status = 404, description = "`not_found`: the call rings no more, or this was used before, or is of another call", body = ApiError),
        (status = 409, description = "`call_ended`, `answered_elsewhere`", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn decline(
    State(state): State<HttpState>,
    Body(request): Body<PushDecline>,
) -> Result<StatusCode, Refusal> {
    let PushDecline { call, decline } = request;
    let Some((account, device)) = state.push.take_decline(call, &decline) else {
        let message = "This call does not ring here any more.";
        return Err(Refusal(ApiError::new(ErrorCode::NotFound, message)));
    };
    // Only who it is about counts; what it may is asked now.
    let pushed = Speaker {
        account,
        device: Some(device),
        household: None,
        kind: DeviceKind::App,
        adult: false,
        guest: false,
    };
    let speaker = state.accounts.refresh(&pushed).await?;
    state.calls.act(&speaker, call, Act::Decline).await?;
    Ok(StatusCode::NO_CONTENT)
}
