//! Calling somebody: the signed invitation, whose household may answer, and its device let into the group.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_e2ee::group::{Credential, CredentialError};
use homeline_e2ee::introduction::{CallInvitation, Ringing};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::{self, CallCrypto};
use homeline_e2ee::signed::Signed;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Callee, MediaState, Request, Source};
use homeline_protocol::{Blob, Handle};
use tokio::sync::{mpsc, watch};

use super::event::{CallEvent, RefusedBecause};
use super::handle::{Call, Outgoing};
use super::run::{EVENTS_MAX, INPUTS_MAX, Phase, Replied, Run};
use super::transport::Transport;
use crate::chance;
use crate::client::{Shared, State};
use crate::home::{Person, Trust};
use crate::media::{Frames, PeerError};
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

/// Calls a contact by the family's name for them, or anybody by handle.
pub(crate) async fn start(
    shared: Arc<Shared>,
    to: &str,
    with: Outgoing,
) -> Result<Call, CallError> {
    let id = CallId(chance::bytes());
    let video = with.camera.is_some();
    let Plan {
        party,
        expected,
        crypto,
        invitation,
        handle,
    } = plan(&shared.state(), id, to, video)?;
    let frames = Frames::new(crypto);
    #[cfg(feature = "plaintext-control")]
    let frames = frames.under(shared.control());
    let mut sources = vec![Source::Microphone];
    sources.extend(video.then_some(Source::Camera));
    let transport = Transport::new(sources, shared.server().is_local(), frames.clone()).await?;
    let (events, told) = mpsc::channel(EVENTS_MAX);
    let (commands, commanded) = mpsc::channel(INPUTS_MAX);
    let mut run = Run {
        id,
        phase: Phase::Calling,
        party,
        expected,
        households: BTreeSet::new(),
        brought: Vec::new(),
        adding: None,
        present: BTreeSet::new(),
        video,
        frames,
        transport,
        media: MediaState {
            microphone: true,
            camera: video,
        },
        microphone: watch::Sender::new(true),
        camera: watch::Sender::new(video),
        inputs: shared.new_call(id),
        commands: commanded,
        replies: mpsc::channel(INPUTS_MAX),
        events,
        shared,
    };
    run.give(with);
    run.keys(member::Input::Create).await;
    let request = Request::StartCall {
        call: id,
        to: Callee::Person { handle },
        video,
        invitation,
    };
    run.ask(request, Replied::Started).await;
    tokio::spawn(run.run());
    Ok(Call {
        id,
        commands,
        events: told,
    })
}

/// Whom to call, what to tell them, and whose devices may answer.
struct Plan {
    party: Person,
    expected: Option<PublicKey>,
    crypto: CallCrypto,
    invitation: Blob,
    handle: Handle,
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
    let own = household.own().display_name.as_str();
    let invitation = CallInvitation::new(id, at, handle.as_str(), own, video, &identity.chain);
    let invitation = Blob(invitation.sign(&identity.device_key).encode());
    Ok(Plan {
        party,
        expected,
        crypto,
        invitation,
        handle,
    })
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
        let expected = *self.expected.get_or_insert(identity.genesis);
        if identity.genesis == expected {
            return true;
        }
        self.refuse_changed_key().await;
        false
    }
}
