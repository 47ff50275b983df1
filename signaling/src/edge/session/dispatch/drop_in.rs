//! Who may drop in.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::model::Speaker;

/// Whether a request belongs here.
pub(super) const fn takes(request: &Request) -> bool {
    matches!(
        request,
        Request::PutDropInGrant { .. } | Request::SetDropIn { .. } | Request::MayDropIn { .. }
    )
}

pub(super) async fn drop_in(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let drop_in = &services.drop_in;
    match request {
        Request::PutDropInGrant { grant, statement } => {
            drop_in.put(speaker, grant, &statement).await?;
        }
        Request::SetDropIn { device, on } => drop_in.set_device(speaker, device, on).await?,
        Request::MayDropIn { to } => drop_in.may(speaker, &to).await?,
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
