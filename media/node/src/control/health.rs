//! Whether the node lives: all of it, not only the thread that happens to answer.

use axum::extract::State;
use axum::http::StatusCode;
use homeline_protocol::id::RoomId;
use homeline_protocol::media_control::{MediaCommand, MediaError};

use super::state::Control;

/// Whether every media thread is alive.
///
/// A thread that has not been heard of for two seconds counts as one that does not answer.
#[utoipa::path(
    get, path = "/healthz", tag = "node",
    responses(
        (status = 200, description = "They all are: `live`.", body = String, content_type = "text/plain"),
        (status = 503, description = "So many are not, as `1 of 2 media threads do not answer`; or `gone`: the node takes no commands.", body = String, content_type = "text/plain"),
    )
)]
pub(super) async fn healthz(State(control): State<Control>) -> (StatusCode, String) {
    let (threads, silent) = control.inner.node.threads();
    if silent > 0 {
        let which = format!("{silent} of {threads} media threads do not answer\n");
        return (StatusCode::SERVICE_UNAVAILABLE, which);
    }
    // Nobody has this room, which whoever brings commands to the threads says by itself.
    let room = RoomId(rand::random());
    match control.send(MediaCommand::Statistics { room }).await {
        Err(MediaError::Gone) => (StatusCode::SERVICE_UNAVAILABLE, "gone\n".to_owned()),
        _ => (StatusCode::OK, "live\n".to_owned()),
    }
}
