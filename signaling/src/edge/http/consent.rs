//! What the link in a consent's mail can do, without a sign-in.

use axum::Json;
use axum::extract::State;
use homeline_protocol::http::{ConsentLink, ConsentReview};
use homeline_protocol::session::ApiError;

use super::HttpState;
use super::answer::Refusal;
use super::request::{Body, Peer};

/// Shows a consent.
///
/// The secret is what stands behind the `#` of the mail's link. The answer names nobody.
#[utoipa::path(
    post, path = "/v1/consent/review", tag = "children", request_body = ConsentLink,
    responses(
        (status = 200, description = "The consent, as it stands.", body = ConsentReview),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 404, description = "`not_found`: no consent has this link", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn review(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(link): Body<ConsentLink>,
) -> Result<Json<ConsentReview>, Refusal> {
    Ok(Json(state.guardians.review(origin, &link.secret).await?))
}

/// Withdraws a consent.
///
/// From then on the child calls nobody and nobody calls the child. Repeating it is no error; the link of
/// a consent that was replaced withdraws nothing.
#[utoipa::path(
    post, path = "/v1/consent/withdraw", tag = "children", request_body = ConsentLink,
    responses(
        (status = 200, description = "The consent, withdrawn.", body = ConsentReview),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 404, description = "`not_found`: no consent has this link", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 429, description = "`rate_limited`: wait `retry_after_secs`", body = ApiError),
        (status = 500, description = "`internal`", body = ApiError),
    )
)]
pub(super) async fn withdraw(
    State(state): State<HttpState>,
    Peer(origin): Peer,
    Body(link): Body<ConsentLink>,
) -> Result<Json<ConsentReview>, Refusal> {
    let withdrawn = state
        .guardians
        .withdraw_by_link(origin, &link.secret)
        .await?;
    Ok(Json(withdrawn))
}
