//! Adding somebody to a call, moving it, ending it for everyone, and missed calls.

use homeline_protocol::session::{ApiError, Callee, ErrorCode, Reply, Request};

use super::{Answer, Services, misplaced};
use crate::domain::calls::Act;
use crate::model::Speaker;

pub(super) async fn call_changes(
    services: &Services,
    speaker: &Speaker,
    request: Request,
) -> Answer {
    let calls = &services.calls;
    match request {
        Request::AddToCall {
            call,
            to: Callee::Person { handle },
            invitation,
        } => calls.add(speaker, call, handle, invitation).await?,
        Request::AddToCall { .. } => {
            let message = "A person is added to a call, by handle; a device is moved to.";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        Request::CancelAdding { call } => {
            calls.act(speaker, call, Act::CancelAdding).await?;
        }
        Request::MoveCall {
            call,
            to,
            invitation,
        } => calls.move_call(speaker, call, to, invitation).await?,
        Request::EndForEveryone { call } => {
            calls.act(speaker, call, Act::EndForEveryone).await?;
        }
        Request::ListMissed => {
            let calls = calls.missed(speaker).await?;
            return Ok(Reply::Missed { calls });
        }
        Request::MarkMissedSeen { until_ms } => calls.mark_missed_seen(speaker, until_ms).await?,
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
