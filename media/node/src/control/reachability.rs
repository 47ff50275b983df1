//! Whether the home can be reached from outside, as whoever runs the node finds out (docs/networks.md).
//!
//! The node does not know: it passes the question on, since routers and results of tests are not its affair.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use homeline_protocol::media_control::MediaError;
use homeline_protocol::media_http::{AskReachability, OutsideTest};
use homeline_protocol::session::{ApiError, OutsideState};
use tokio::sync::{mpsc, oneshot};

use super::answer::Refusal;
use super::request::Body;
use super::state::Control;

/// How long an answer may take: a look at the network takes up to ten seconds, and one may be under way.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Questions that may wait; who asks more waits.
pub const QUESTIONS_MAX: usize = 4;

/// A question, with what a test found if there was one, and the place for its answer.
pub type ReachabilityQuestion = (
    Option<OutsideTest>,
    oneshot::Sender<Result<OutsideState, ReachabilityError>>,
);

/// Where questions go.
pub type ReachabilityQuestions = mpsc::Sender<ReachabilityQuestion>;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachabilityError {
    /// The test has no entry, more than there are ways, or one twice.
    #[error("the test has no entry, too many, or one twice")]
    BadTest,
    /// The result can't be kept.
    #[error("the result can't be kept")]
    NotKept,
}

/// Looks whether this home can be reached from outside.
///
/// Asks the home's router and looks at the machine's networks, which takes some seconds where nobody answers; keeps
/// what a test from outside found, if one comes along; and says what all of it means and what to do.
#[utoipa::path(
    post, path = "/v1/reachability", tag = "node", security(("token" = [])),
    request_body = AskReachability,
    responses(
        (status = 200, description = "What is known.", body = OutsideState),
        (status = 400, description = "`bad_request`: also a test with no entry, too many, or one twice", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 500, description = "`internal`: the result could not be kept", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn reachability(
    State(control): State<Control>,
    Body(ask): Body<AskReachability>,
) -> Result<Json<OutsideState>, Refusal> {
    let exchange = async {
        let (reply, answer) = oneshot::channel();
        let sent = control.inner.reachability.send((ask.test, reply)).await;
        sent.ok()?;
        answer.await.ok()
    };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, exchange).await;
    match answer.ok().flatten() {
        Some(Ok(state)) => Ok(Json(state)),
        Some(Err(ReachabilityError::NotKept)) => Err(Refusal::internal()),
        Some(Err(ReachabilityError::BadTest)) => Err(Refusal::bad_request(
            "A test has one entry for each way at most, and at least one.",
        )),
        None => Err(MediaError::Gone.into()),
    }
}
