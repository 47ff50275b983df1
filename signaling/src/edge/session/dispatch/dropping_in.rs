//! A drop-in, once through, and near which devices somebody was.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, calls, misplaced};
use crate::domain::dropping_in::NewAsking;
use crate::model::Speaker;

/// Whether a request belongs here. What hangs up ends a drop-in that is asked for, or a call.
pub(super) const fn takes(request: &Request) -> bool {
    matches!(
        request,
        Request::DropIn { .. }
            | Request::RefuseDropIn { .. }
            | Request::OpenDropIn { .. }
            | Request::SetDropInStage { .. }
            | Request::HangUp { .. }
            | Request::ReportActivity { .. }
            | Request::SetRecentlyActive { .. }
            | Request::GetRecentlyActive
            | Request::ContactPeople { .. }
    )
}

pub(super) async fn dropping_in(
    services: &Services,
    speaker: &Speaker,
    request: Request,
) -> Answer {
    let drop_ins = &services.dropping_in;
    match request {
        Request::DropIn {
            call,
            to,
            picture,
            asking,
            key_package,
        } => {
            let new = NewAsking {
                call,
                to,
                picture,
                asking,
                key_package,
            };
            drop_ins.ask(speaker, new).await?;
        }
        Request::RefuseDropIn { call, refusal } => drop_ins.refuse(speaker, call, refusal).await?,
        Request::OpenDropIn { call, media, stage } => {
            drop_ins.open(speaker, call, media, stage).await?;
        }
        Request::SetDropInStage { call, stage } => drop_ins.set_stage(speaker, call, stage)?,
        Request::HangUp { call, .. } if drop_ins.hang_up(speaker, call) => {}
        Request::HangUp { .. } => return calls::in_call(services, speaker, request).await,
        Request::ReportActivity { activity } => services.nearby.report(speaker, activity).await?,
        Request::SetRecentlyActive { device, on } => {
            services.nearby.set_device(speaker, device, on).await?;
        }
        Request::GetRecentlyActive => {
            let devices = services.nearby.list(speaker).await?;
            return Ok(Reply::RecentlyActive { devices });
        }
        Request::ContactPeople { contact } => {
            let (person, household) = services.drop_in.people(speaker, contact).await?;
            return Ok(Reply::ContactPeople { person, household });
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
