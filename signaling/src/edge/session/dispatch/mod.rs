//! Hands each request to the service that it is for, and the answer back. One file for each area.

mod address_book;
mod announcements;
mod call_changes;
mod calls;
mod drop_in;
mod dropping_in;
mod guardians;
mod guests;
mod home;
mod ledgers;
mod members;
mod outside;
mod pairing;
mod people;
mod push;
mod relays;
mod rules;

pub use rules::Rules;

use std::sync::Arc;

use homeline_protocol::session::{ApiError, Outcome, Reply, Request};

use super::words;
use crate::domain::accounts::Accounts;
use crate::domain::address_book::AddressBooks;
use crate::domain::announcements::Announcements;
use crate::domain::calls::Calls;
use crate::domain::contacts::Contacts;
use crate::domain::devices::Devices;
use crate::domain::drop_in::DropIn;
use crate::domain::dropping_in::DroppingIn;
use crate::domain::guardians::Guardians;
use crate::domain::guests::Guests;
use crate::domain::households::Households;
use crate::domain::invitations::Invitations;
use crate::domain::ledgers::Ledgers;
use crate::domain::limits::Origin;
use crate::domain::live::LiveAnnouncements;
use crate::domain::nearby::Nearby;
use crate::domain::numbers::Numbers;
use crate::domain::outside::Outside;
use crate::domain::pairing::Pairings;
use crate::domain::presence::PresenceService;
use crate::domain::push::Push;
use crate::domain::relays::Relays;
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
    /// Numbers, and whose they are.
    pub numbers: Arc<Numbers>,
    /// What people import, and numbers of contacts.
    pub address_books: Arc<AddressBooks>,
    /// Pairings.
    pub pairings: Arc<Pairings>,
    /// Further members.
    pub invitations: Arc<Invitations>,
    /// Who can be reached.
    pub presence: PresenceService,
    /// Who is woken.
    pub push: Push,
    /// Calls.
    pub calls: Calls,
    /// Roles, settings, children.
    pub rules: Rules,
    /// What adults do about children.
    pub guardians: Arc<Guardians>,
    /// Call links, and who comes by them.
    pub guests: Guests,
    /// Relays for hostile networks.
    pub relays: Arc<Relays>,
    /// Whether this home can be reached from outside.
    pub outside: Outside,
    /// Who may drop in.
    pub drop_in: Arc<DropIn>,
    /// Drop-ins, once through.
    pub dropping_in: DroppingIn,
    /// Near which devices somebody was.
    pub nearby: Nearby,
    /// What happened at home devices.
    pub ledgers: Arc<Ledgers>,
    /// What is announced.
    pub announcements: Arc<Announcements>,
    /// What is announced while it is spoken.
    pub live: Arc<LiveAnnouncements>,
}

type Answer = Result<Reply, ApiError>;

/// Carries out one request. Where it came from counts only where tries are counted.
pub(super) async fn dispatch(
    services: &Services,
    speaker: &Speaker,
    from: Origin,
    request: Request,
) -> Outcome {
    let answer = if speaker.guest && !guests::may_ask(&request) {
        Err(guests::not_for_guests())
    } else if drop_in::takes(&request) {
        drop_in::drop_in(services, speaker, request).await
    } else if dropping_in::takes(&request) {
        dropping_in::dropping_in(services, speaker, request).await
    } else if ledgers::takes(&request) {
        ledgers::ledgers(services, speaker, request).await
    } else if announcements::takes(&request) {
        announcements::announcements(services, speaker, request).await
    } else {
        route(services, speaker, from, request).await
    };
    match answer {
        Ok(reply) => Outcome::Ok(Box::new(reply)),
        Err(error) => Outcome::Error(error),
    }
}

async fn route(services: &Services, speaker: &Speaker, from: Origin, request: Request) -> Answer {
    match request {
        Request::ListenForPairing { .. }
        | Request::AcceptPairing { .. }
        | Request::RevealPairing { .. }
        | Request::CertifyPairing { .. }
        | Request::RefusePairing { .. } => pairing::pairing(services, speaker, request).await,
        Request::CreateInvitation
        | Request::CancelInvitation { .. }
        | Request::AdmitMember { .. }
        | Request::RefuseMember { .. } => members::members(services, speaker, request).await,
        Request::StartCall { .. } | Request::ListCalls | Request::ListHistory { .. } => {
            calls::calls(services, speaker, request).await
        }
        Request::AddToCall { .. }
        | Request::CancelAdding { .. }
        | Request::MoveCall { .. }
        | Request::EndForEveryone { .. }
        | Request::ListMissed
        | Request::MarkMissedSeen { .. } => {
            call_changes::call_changes(services, speaker, request).await
        }
        Request::GetHome
        | Request::SetDisplayName { .. }
        | Request::SetPresence { .. }
        | Request::RenewCertificate { .. }
        | Request::RemoveDevice { .. }
        | Request::PutAnswerPolicy { .. }
        | Request::PutContact { .. }
        | Request::DeleteContact { .. } => home::home(services, speaker, request).await,
        _ if rules::takes(&request) => rules::rules(services, speaker, request).await,
        Request::PutPushAddress(_) | Request::DeletePushAddress { .. } => {
            push::push(services, speaker, request).await
        }
        Request::GetAddressBook
        | Request::SetImport { .. }
        | Request::SetPhoneRegion { .. }
        | Request::BeginImport { .. }
        | Request::ImportBatch { .. }
        | Request::FinishImport { .. }
        | Request::ListImported { .. }
        | Request::HideEntry { .. }
        | Request::SetContactNumbers { .. }
        | Request::ListContactNumbers { .. }
        | Request::FindContact { .. } => {
            address_book::address_book(services, speaker, request).await
        }
        Request::StartNumberVerification { .. }
        | Request::ConfirmNumber { .. }
        | Request::ForgetNumber
        | Request::SetDiscoverable { .. } => {
            address_book::own_number(services, speaker, from, request).await
        }
        Request::GetConsent { .. }
        | Request::GiveConsent { .. }
        | Request::WithdrawConsent { .. }
        | Request::ListChildCalls { .. }
        | Request::DeleteChildData { .. } => guardians::guardians(services, speaker, request).await,
        Request::MakeCallLink { .. }
        | Request::ListCallLinks
        | Request::RevokeCallLink { .. }
        | Request::RefuseGuest { .. }
        | Request::RemoveGuest { .. } => guests::guests(services, speaker, request).await,
        Request::HandOverOwnership { .. } | Request::NoteNumberUsed { .. } => {
            people::people(services, speaker, request).await
        }
        _ if relays::takes(&request) => relays::networks(services, speaker, &request),
        _ => calls::in_call(services, speaker, request).await,
    }
}

/// A request in the wrong part of this file: a fault of ours.
fn misplaced() -> ApiError {
    tracing::error!("a request was dispatched to the wrong service");
    words::internal()
}
