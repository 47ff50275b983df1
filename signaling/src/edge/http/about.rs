//! What anyone may know: the version, the API's description, and a page that shows it.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use homeline_protocol::http::About;

use super::{HttpState, docs_page, openapi};

/// Says what a client should know before it signs in.
#[utoipa::path(
    get, path = "/v1/about", tag = "server",
    responses((status = 200, description = "Versions, and the hash of the app served here.", body = About))
)]
pub(super) async fn about(State(state): State<HttpState>) -> Json<About> {
    Json(state.about.as_ref().clone())
}

/// Describes this API.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "server",
    responses((status = 200, description = "This document, OpenAPI 3.1."))
)]
pub(super) async fn openapi_json() -> impl IntoResponse {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
        openapi()
            .to_pretty_json()
            .expect("the document has only string keys")
    });
    (
        [(header::CONTENT_TYPE, "application/json")],
        DOCUMENT.as_str(),
    )
}

/// Shows this description to people.
#[utoipa::path(
    get, path = "/v1/docs", tag = "server",
    responses((status = 200, description = "A page without scripts.", content_type = "text/html"))
)]
pub(super) async fn docs() -> Html<&'static str> {
    static PAGE: LazyLock<String> = LazyLock::new(|| docs_page::render(&openapi()));
    Html(PAGE.as_str())
}

pub(super) async fn docs_css() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css")],
        include_str!("docs.css"),
    )
}
