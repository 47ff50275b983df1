//! Call links and guests; and what a guest's own session may ask for.

use homeline_protocol::session::{ApiError, ErrorCode, Reply, Request};

use super::{Answer, Services, misplaced};
use crate::model::{Speaker, UnixMillis};

/// Whether a guest may ask for this: only what a member of the one call needs.
pub(super) fn may_ask(request: &Request) -> bool {
    matches!(
        request,
        Request::Ringing { .. }
            | Request::RefuseInvitation { .. }
            | Request::Answer { .. }
            | Request::Decline { .. }
            | Request::HangUp { .. }
            | Request::SetMedia { .. }
            | Request::ListCalls
            | Request::OfferMedia { .. }
            | Request::GetQuality { .. }
            | Request::SetViews { .. }
            | Request::SendCommit { .. }
            | Request::EpochReady { .. }
            | Request::SendGroupMessage { .. }
            | Request::GetRelays
    )
}

pub(super) fn not_for_guests() -> ApiError {
    ApiError::new(
        ErrorCode::Forbidden,
        "A guest can only take part in the call. Sign up here to do more.",
    )
}

pub(super) async fn guests(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let guests = &services.guests;
    match request {
        Request::MakeCallLink {
            link,
            label,
            expires_at_ms,
        } => {
            let expires_at = UnixMillis(expires_at_ms);
            guests.make_link(speaker, link, &label, expires_at).await?;
        }
        Request::ListCallLinks => {
            let links = guests.links(speaker).await?;
            return Ok(Reply::CallLinks { links });
        }
        Request::RevokeCallLink { link } => guests.revoke_link(speaker, link).await?,
        Request::RefuseGuest { guest } => guests.refuse(speaker, guest).await?,
        Request::RemoveGuest { call, guest } => {
            services.calls.remove_guest(speaker, call, guest).await?;
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
