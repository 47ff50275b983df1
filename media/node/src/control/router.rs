//! The routes, and what holds for all of them: the token, limits, errors as JSON.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, patch, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::answer::{method_not_allowed, not_found, panicked};
use super::request::{BODY_BYTES_MAX, only_admin};
use super::state::Control;
use super::{events, figures, health, openapi, peers, reachability, rooms};

impl Control {
    /// The interface as a router, for a listener that the operator's configuration names.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/v1/rooms", post(rooms::make))
            .route("/v1/rooms/{room}", get(rooms::figures).delete(rooms::close))
            .route("/v1/rooms/{room}/key-frames", post(rooms::key_frames))
            .route("/v1/rooms/{room}/tracks/{track}", put(rooms::set_track))
            .route(
                "/v1/rooms/{room}/peers/{peer}",
                put(peers::offer).merge(patch(peers::set_forwarding).delete(peers::remove)),
            )
            .route(
                "/v1/rooms/{room}/peers/{peer}/views/{track}",
                put(peers::set_view),
            )
            .route("/v1/node", get(figures::node))
            .route("/v1/events", get(events::stream))
            .route("/v1/reachability", post(reachability::reachability))
            .route("/v1/{*path}", any(not_found))
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(self.clone(), only_admin))
            .route("/v1/openapi.json", get(openapi::document))
            .route("/healthz", get(health::healthz))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(SetResponseHeaderLayer::if_not_present(
                header::CACHE_CONTROL,
                HeaderValue::from_static("no-store"),
            ))
            .layer(CatchPanicLayer::custom(panicked))
            .with_state(self.clone())
    }
}
