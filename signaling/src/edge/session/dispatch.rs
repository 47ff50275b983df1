//! Hands each request to the service that it is for, and the answer back.

use std::sync::Arc;

use homeline_protocol::session::{ApiError, Contact, ErrorCode, Outcome, Presence, Reply, Request};

use super::words;
use crate::domain::accounts::Accounts;
use crate::domain::calls::{Act, ActReply, Calls, NewCall, Offer};
use crate::domain::contacts::Contacts;
use crate::domain::devices::Devices;
use crate::domain::households::Households;
use crate::domain::invitations::{Admission, Invitations};
use crate::domain::keys::SentCommit;
use crate::domain::pairing::{Certification, Pairings};
use crate::domain::presence::PresenceService;
use crate::model::Speaker;

/// What sessions speak to.
#[derive(Debug, Clone)]
pub struct Services {
    /// People.
    pub accounts: Arc<Accounts>,
    /// Households.
    pub households: Arc<Households>,
    /// Apps and home devices.
    pub devices: Arc<Devices>,
    /// Address books.
    pub contacts: Arc<Contacts>,
    /// Pairings.
    pub pairings: Arc<Pairings>,
    /// Further members.
    pub invitations: Arc<Invitations>,
    /// Who can be reached.
    pub presence: PresenceService,
    /// Calls.
    pub calls: Calls,
}

type Answer = Result<Reply, ApiError>;

/// Carries out one request.
pub(super) async fn dispatch(services: &Services, speaker: &Speaker, request: Request) -> Outcome {
    let answer = match request {
        Request::ListenForPairing { .. }
        | Request::AcceptPairing { .. }
        | Request::RevealPairing { .. }
        | Request::CertifyPairing { .. }
        | Request::RefusePairing { .. } => pairing(services, speaker, request).await,
        Request::CreateInvitation
        | Request::CancelInvitation { .. }
        | Request::AdmitMember { .. }
        | Request::RefuseMember { .. } => members(services, speaker, request).await,
        Request::StartCall { .. } | Request::ListCalls | Request::ListHistory { .. } => {
            calls(services, speaker, request).await
        }
        Request::GetHome
        | Request::SetDisplayName { .. }
        | Request::SetPresence { .. }
        | Request::RenewCertificate { .. }
        | Request::RemoveDevice { .. }
        | Request::PutAnswerPolicy { .. }
        | Request::PutContact { .. }
        | Request::DeleteContact { .. } => home(services, speaker, request).await,
        _ => in_call(services, speaker, request).await,
    };
    match answer {
        Ok(reply) => Outcome::Ok(Box::new(reply)),
        Err(error) => Outcome::Error(error),
    }
}

async fn home(services: &Services, speaker: &Speaker, request: Request) -> Answer {
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

async fn pairing(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let pairings = &services.pairings;
    match request {
        Request::ListenForPairing { on } => pairings.listen(speaker, on)?,
        Request::AcceptPairing { pairing, commit } => pairings.accept(speaker, pairing, commit)?,
        Request::RevealPairing {
            pairing,
            genesis,
            app_key,
            nonce,
        } => {
            pairings.reveal_app(speaker, pairing, (genesis, app_key, nonce))?;
        }
        Request::CertifyPairing {
            pairing,
            device,
            account,
            kind,
            label,
            adult,
            entry,
            chain,
        } => {
            let said = Certification {
                pairing,
                device,
                account,
                kind,
                label: &label,
                adult,
                entry: &entry,
                chain: &chain,
            };
            pairings.certify(speaker, said).await?;
        }
        Request::RefusePairing { pairing } => pairings.refuse(speaker, pairing)?,
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}

async fn members(services: &Services, speaker: &Speaker, request: Request) -> Answer {
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
        } => {
            let (entry, chain) = (&entry, &chain);
            let admission = Admission {
                invitation,
                account,
                device,
                adult,
                entry,
                chain,
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

async fn calls(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let calls = &services.calls;
    match request {
        Request::StartCall {
            call,
            to,
            video,
            invitation,
        } => {
            let new = NewCall {
                call,
                to: to.handle,
                video,
                invitation,
            };
            calls.call(speaker, new).await?;
            Ok(Reply::Done)
        }
        Request::ListCalls => Ok(Reply::Calls {
            calls: calls.list(speaker),
        }),
        Request::ListHistory { before_ms, limit } => {
            let calls = calls
                .history()
                .list(speaker.account, before_ms, limit)
                .await?;
            Ok(Reply::History { calls })
        }
        _ => Err(misplaced()),
    }
}

async fn in_call(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    let (call, act) = match request {
        Request::Ringing {
            call,
            key_package,
            statement,
        } => (
            call,
            Act::Ringing {
                key_package,
                statement,
            },
        ),
        Request::RefuseInvitation { call } => (call, Act::RefuseInvitation),
        Request::Answer { call, media } => (call, Act::Answer { media }),
        Request::Decline { call } => (call, Act::Decline),
        Request::Cancel { call } => (call, Act::Cancel),
        Request::HangUp { call, reason } => (call, Act::HangUp { reason }),
        Request::SetMedia { call, media } => (call, Act::SetMedia { media }),
        Request::OfferMedia {
            call,
            sdp,
            publish,
            subscribe,
        } => (
            call,
            Act::Offer(Offer {
                sdp,
                publish,
                subscribe,
            }),
        ),
        Request::GetQuality { call } => (call, Act::Quality),
        Request::SendCommit {
            call,
            epoch,
            commit,
            welcome,
            removed,
        } => (
            call,
            Act::Commit(SentCommit {
                epoch,
                commit,
                welcome,
                removed,
            }),
        ),
        Request::EpochReady { call, epoch } => (call, Act::EpochReady { epoch }),
        Request::SendGroupMessage { call, message } => (call, Act::GroupMessage { message }),
        _ => return Err(misplaced()),
    };
    Ok(match services.calls.act(speaker, call, act).await? {
        ActReply::Done => Reply::Done,
        ActReply::Media { sdp, tracks } => Reply::MediaAnswer { sdp, tracks },
        ActReply::Quality(quality) => Reply::Quality(quality),
    })
}

/// A request in the wrong part of this file: a fault of ours.
fn misplaced() -> ApiError {
    tracing::error!("a request was dispatched to the wrong service");
    words::internal()
}
