//! Adding somebody to a call, moving it, ending it for everyone, and missed calls.

use homeline_protocol::session::{Reply, Request};

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
            to,
            invitation,
        } => calls.add(speaker, call, to, invitation).await?,
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
