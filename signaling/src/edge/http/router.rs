//! The routes, and what holds for all of them: limits, headers, errors as JSON.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn;
use axum::routing::{any, get, post};
use homeline_protocol::http::About;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::answer::{method_not_allowed, not_found, panicked};
use super::headers::security_headers;
use super::{about, accounts, consent, guests, outside, pairings, push};
use crate::domain::accounts::Accounts;
use crate::domain::calls::Calls;
use crate::domain::guardians::Guardians;
use crate::domain::guests::Guests;
use crate::domain::outside::Outside;
use crate::domain::pairing::Pairings;
use crate::domain::push::Push;

/// The longest body: a sign-up with its roster and chain takes some 4 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the routes need.
#[derive(Debug, Clone)]
pub struct HttpState {
    /// People.
    pub accounts: Arc<Accounts>,
    /// Pairings, the device's side.
    pub pairings: Arc<Pairings>,
    /// Who is woken.
    pub push: Push,
    /// Calls, for those who decline one without a session.
    pub calls: Calls,
    /// Consents, by the link in their mail.
    pub guardians: Arc<Guardians>,
    /// Guests, who knock at call links.
    pub guests: Guests,
    /// Tests from outside.
    pub outside: Outside,
    /// What anyone may know.
    pub about: Arc<About>,
}

/// The HTTP API. It answers everything under `/v1` that is not a session, unknown paths too.
pub fn router(state: HttpState) -> Router {
    Router::new()
        .route("/v1/sign-up", post(accounts::sign_up))
        .route("/v1/sign-in", post(accounts::sign_in))
        .route("/v1/sign-out", post(accounts::sign_out))
        .route("/v1/recover/begin", post(accounts::recover_begin))
        .route("/v1/recover/finish", post(accounts::recover_finish))
        .route("/v1/pairings", post(pairings::open))
        .route("/v1/pairings/{id}", get(pairings::state))
        .route("/v1/pairings/{id}/reveal", post(pairings::reveal))
        .route("/v1/push/key", get(push::key))
        .route("/v1/push/decline", post(push::decline))
        .route("/v1/consent/review", post(consent::review))
        .route("/v1/consent/withdraw", post(consent::withdraw))
        .route("/v1/guests", post(guests::knock))
        .route("/v1/outside/begin", post(outside::begin))
        .route("/v1/outside/offer", post(outside::offer))
        .route("/v1/outside/report", post(outside::report))
        .route("/v1/about", get(about::about))
        .route("/v1/openapi.json", get(about::openapi_json))
        .route("/v1/docs", get(about::docs))
        .route("/v1/docs.css", get(about::docs_css))
        .route("/v1/{*path}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // Answers hold tokens.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(from_fn(security_headers))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(state)
}
