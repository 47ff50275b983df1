//! `/health/live`: the process answers. `/health/ready`: it can take calls.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use homeline_media_node::Node;
use homeline_signaling::Signaling;
use serde::Serialize;
use tokio::sync::watch;

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Health {
    /// The signaling service, which knows its store and its media node.
    pub(crate) signaling: Signaling,
    /// The media node, which knows its threads.
    pub(crate) node: Node,
    /// True from the moment a shutdown began.
    pub(crate) stopping: watch::Receiver<bool>,
}

#[derive(Serialize)]
struct Ready {
    store: bool,
    media: bool,
    stopping: bool,
}

pub(crate) fn router(health: Health) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> (StatusCode, Json<Ready>) {
    let (_, silent) = health.node.threads();
    let ready = Ready {
        store: health.signaling.store_answers().await,
        media: silent == 0 && health.signaling.media_answers().await,
        stopping: *health.stopping.borrow(),
    };
    let well = ready.store && ready.media && !ready.stopping;
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(ready))
}
