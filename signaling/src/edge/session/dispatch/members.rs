//! Further members of a household.

use homeline_protocol::session::{Reply, Request, Role};

use super::{Answer, Services, misplaced};
use crate::domain::invitations::Admission;
use crate::model::Speaker;

pub(super) async fn members(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let invitations = &services.invitations;
    match request {
        Request::CreateInvitation => {
            return Ok(Reply::Invitation(invitations.create(speaker).await?));
        }
        Request::CancelInvitation { invitation } => invitations.cancel(speaker, invitation).await?,
        Request::AdmitMember {
            invitation,
            account,
            device,
            adult,
            entry,
            chain,
            role,
        } => {
            let (entry, chain) = (&entry, &chain);
            let admission = Admission {
                invitation,
                account,
                device,
                adult,
                entry,
                chain,
                role: role.unwrap_or(Role::Adult),
            };
            invitations.admit(speaker, admission).await?;
        }
        Request::RefuseMember {
            invitation,
            account,
        } => {
            invitations.refuse(speaker, invitation, account).await?;
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
