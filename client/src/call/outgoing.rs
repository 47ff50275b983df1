//! Calling somebody: the signed invitation, whose household may answer, and its device let into the group.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_e2ee::group::{Credential, CredentialError};
use homeline_e2ee::introduction::{CallInvitation, Ringing};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::{self, CallCrypto};
use homeline_e2ee::signed::Signed;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Callee, Request};
use homeline_protocol::{Blob, Handle};

use super::event::{CallEvent, RefusedBecause};
use super::handle::{Call, Outgoing};
use super::owner::Owner;
use super::run::{Phase, Replied, Run};
use super::seat::Seat;
use super::side::Side;
use crate::chance;
use crate::client::{Shared, State};
use crate::guest::Knock;
use crate::home::{Person, Trust};
use crate::media::PeerError;
use crate::time::now;

/// Why a call can't even be tried.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("there is no contact and no handle of that name")]
    UnknownName,
    #[error("this device's own certificate does not hold: {0}")]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Media(#[from] PeerError),
}

/// Whom a call is for.
pub(crate) enum Callable<'a> {
    /// A contact by the family's name for them, or anybody by handle.
    Named(&'a str),
    /// A guest who knocks at a link of this app's.
    Guest(&'a Knock),
}

/// Calls somebody.
pub(crate) async fn start(
    shared: Arc<Shared>,
    to: Callable<'_>,
    with: Outgoing,
) -> Result<Call, CallError> {
    let id = CallId(chance::bytes());
    let video = with.camera.is_some();
    let Plan {
        party,
        expected,
        guests,
        crypto,
        invitation,
        to,
    } = match to {
        Callable::Named(name) => plan(&shared.state(), id, name, video)?,
        Callable::Guest(knock) => guest_plan(&shared.state(), id, knock, video)?,
    };
    let seat = Seat {
        owner: Owner::Member(shared.clone()),
        id,
        phase: Phase::Calling,
        party,
        expected,
        guests,
        households: BTreeSet::new(),
        video,
        camera: video,
        crypto,
        side: None,
    };
    let (mut run, call) = seat.take(|| shared.new_call(id)).await?;
    run.give(with);
    run.keys(member::Input::Create).await;
    let request = Request::StartCall {
        call: id,
        to,
        video,
        invitation,
    };
    run.ask(request, Replied::Started).await;
    tokio::spawn(run.run());
    Ok(call)
}

/// Whom to call, what to tell them, and whose devices may answer.
struct Plan {
    party: Person,
    expected: Option<PublicKey>,
    guests: BTreeSet<PublicKey>,
    crypto: CallCrypto,
    invitation: Blob,
    to: Callee,
}

fn plan(state: &State, id: CallId, to: &str, video: bool) -> Result<Plan, CallError> {
    let at = now();
    let (household, identity) = (&state.household, &state.identity);
    let card = household.find_contact(to);
    let handle: Handle = card
        .map_or(to, |card| card.handle.as_str())
        .parse()
        .map_err(|_| CallError::UnknownName)?;
    let expected = household.pinned(handle.as_str(), identity);
    let name = card.map_or(handle.as_str(), |card| card.name.as_str());
    let known = expected.and_then(|genesis| {
        household
            .person(genesis, handle.as_str(), name, identity)
            .ok()
    });
    let party = known.unwrap_or_else(|| Person {
        name: name.to_owned(),
        handle: handle.to_string(),
        trust: Trust::FirstContact,
    });
    let credential = Credential::new(identity.device_key.clone(), identity.chain.clone(), at)?;
    let crypto = CallCrypto::new(credential, id, household.expect(expected), at);
    Ok(Plan {
        party,
        expected,
        guests: BTreeSet::new(),
        crypto,
        invitation: invitation(state, id, handle.as_str(), video),
        to: Callee::Person { handle },
    })
}

/// A guest's key is known from the knock: nobody else may answer.
fn guest_plan(state: &State, id: CallId, knock: &Knock, video: bool) -> Result<Plan, CallError> {
    let at = now();
    let identity = &state.identity;
    let credential = Credential::new(identity.device_key.clone(), identity.chain.clone(), at)?;
    let expect = state.household.expect(None).and_guest(knock.key);
    let crypto = CallCrypto::new(credential, id, expect, at);
    let guest = knock.guest;
    Ok(Plan {
        party: knock.person(),
        expected: Some(knock.key),
        guests: BTreeSet::from([knock.key]),
        crypto,
        invitation: invitation(state, id, &guest.to_string(), video),
        to: Callee::Guest { guest },
    })
}

fn invitation(state: &State, id: CallId, to_handle: &str, video: bool) -> Blob {
    let identity = &state.identity;
    let own = state.household.own().display_name.as_str();
    let invitation = CallInvitation::new(id, now(), to_handle, own, video, &identity.chain);
    Blob(invitation.sign(&identity.device_key).encode())
}

impl Run {
    pub(super) fn give(&mut self, with: Outgoing) {
        self.transport
            .sound(with.sound, self.microphone.subscribe());
        self.transport
            .pictures(with.camera, with.screen, self.camera.subscribe());
    }

    /// A device of the callee says that it rings. Its household is checked before anybody hears of it.
    pub(super) async fn device_rings(&mut self, key_package: &Blob, statement: &Blob) {
        if self.phase == Phase::Calling && self.expects(key_package, statement).await {
            self.say(CallEvent::Ringing);
        }
    }

    /// It answered: let it into the group.
    pub(super) async fn answered_there(&mut self, key_package: Blob, statement: Blob) {
        match &self.side {
            Some(Side::Announcer { .. }) => return self.let_hear(key_package, statement).await,
            Some(_) => return self.admit().await,
            None => {}
        }
        if self.phase == Phase::Answered {
            return self.comes_back(key_package, statement).await;
        }
        if self.phase != Phase::Calling || !self.expects(&key_package, &statement).await {
            return;
        }
        self.phase = Phase::Answered;
        self.say(CallEvent::Answered);
        let expect = self.expect();
        self.keys(member::Input::Expect(Box::new(expect))).await;
        let (key_package, statement) = (key_package.0, statement.0);
        self.keys(member::Input::Add {
            key_package,
            statement,
        })
        .await;
        // The switches as they are now: they may have been set while it rang.
        self.tell(Request::SetMedia {
            call: self.id,
            media: self.media,
        })
        .await;
    }

    /// Whether a device is of the household that was called. With nothing pinned the first that rings
    /// is taken for it, shown as unverified; any other is an impostor.
    async fn expects(&mut self, key_package: &Blob, statement: &Blob) -> bool {
        let opened = Signed::decode(&statement.0)
            .ok()
            .and_then(|signed| Ringing::open(&signed, self.id, &key_package.0, now()).ok());
        let Some(identity) = opened else {
            self.refuse(RefusedBecause::WrongKey).await;
            return false;
        };
        // A guest is never met at a first contact, and nobody else answers for one.
        if identity.is_guest() != self.guests.contains(&identity.genesis) {
            self.refuse(RefusedBecause::NotInvited).await;
            return false;
        }
        let expected = *self.expected.get_or_insert(identity.genesis);
        if identity.genesis == expected {
            return true;
        }
        self.refuse_changed_key().await;
        false
    }
}
