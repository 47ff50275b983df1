//! The household, its devices and its address book.

use homeline_protocol::session::{ApiError, Contact, ErrorCode, Presence, Reply, Request};

use super::{Answer, Services, misplaced};
use crate::model::Speaker;

pub(super) async fn home(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    match request {
        Request::GetHome => {
            let mut home = services.households.home(speaker).await?;
            if let Some(household) = &mut home.household {
                services.presence.fill(&mut household.devices);
            }
            return Ok(Reply::Home(Box::new(home)));
        }
        Request::SetDisplayName { name } => {
            services.accounts.set_display_name(speaker, &name).await?;
        }
        Request::SetPresence { presence } => match presence {
            Presence::Online => services.presence.says(speaker, false),
            Presence::Asleep => services.presence.says(speaker, true),
            Presence::Offline => {
                let message = "A device that speaks is not offline.";
                return Err(ApiError::new(ErrorCode::BadRequest, message));
            }
        },
        Request::RenewCertificate { device, chain } => {
            services
                .devices
                .renew_certificate(speaker, device, &chain)
                .await?;
        }
        Request::RemoveDevice { device, entry } => {
            services.devices.remove(speaker, device, &entry).await?;
        }
        Request::PutAnswerPolicy { device, policy } => {
            services
                .devices
                .put_answer_policy(speaker, device, &policy)
                .await?;
        }
        Request::PutContact {
            contact,
            name,
            handle,
            card,
        } => {
            services
                .contacts
                .put(
                    speaker,
                    Contact {
                        id: contact,
                        name,
                        handle,
                        card,
                    },
                )
                .await?;
        }
        Request::DeleteContact { contact, card } => {
            services.contacts.delete(speaker, contact, &card).await?;
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
