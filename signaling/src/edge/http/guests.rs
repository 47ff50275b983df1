//! Knocking at a call link, without an account.

use axum::Json;
use axum::extract::State;
use homeline_protocol::http::{Knock, Knocked};
use homeline_protocol::session::ApiError;

use super::HttpState;
use super::answer::Refusal;
use super::request::{Body, Peer};

/// Knocks at a call link.
///
/// Somebody without an account says a name and waits to be let in. The token opens one session
/// (`/v1/session`), in which nothing can be asked for but what the one call needs: `ringing`,
/// `refuse_invitation`, `answer`, `decline`, `hang_up`, `set_media`, `list_calls`, `offer_media`,
/// `get_quality`, `send_commit`, `epoch_ready` and `send_group_message`. The link's maker hears of the
/// guest once the session is open; it brings `incoming_call`, or `guest_refused`. An unknown, an ended and
/// a revoked link are one and the same.
#[utoipa::path(
    post, path = "/v1/guests", tag = "guests", request_body = Knock,
    responses(
        (status = 200, description = "The guest waits. The token is shown this once.", body = Knocked),
        (status = 400, description = "`bad_request`: the chain is not a guest's, or the clock is wrong", body = ApiError),
        (status = 404, description = "`not_found`: the link does not work, or does not work any more", body = ApiError),
        (status = 409, description = "`conflict` (the key is in use), `limit_reached` (too many wait)", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn knock(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(knock): Body<Knock>,
) -> Result<Json<Knocked>, Refusal> {
    Ok(Json(state.guests.knock(origin, knock).await?))
}
