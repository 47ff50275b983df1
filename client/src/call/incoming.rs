//! Being called: the invitation is checked, a key package offered, and media connected before the answer.

use std::sync::Arc;

use homeline_e2ee::group::{Credential, CredentialError, GroupError};
use homeline_e2ee::introduction::{CallInvitation, InvitationError};
use homeline_e2ee::member::CallCrypto;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Account, Event, MediaState, Party, Request, Source};
use tokio::sync::{mpsc, watch};

use super::handle::{Call, IncomingCall, Outgoing};
use super::run::{Answer, EVENTS_MAX, INPUTS_MAX, Phase, Replied, Run};
use super::transport::Transport;
use crate::client::{Shared, State};
use crate::home::{KeyChanged, Person};
use crate::media::{Frames, PeerError};
use crate::time::now;

/// Why this device does not ring.
#[derive(Debug, thiserror::Error)]
pub enum InvitationRefused {
    #[error("the invitation can't be read")]
    Unreadable,
    #[error("the invitation does not hold: {0}")]
    Invitation(#[from] InvitationError),
    #[error("the caller's device was removed from this household")]
    Removed,
    #[error(transparent)]
    KeyChanged(#[from] KeyChanged),
    #[error("this device's own certificate does not hold: {0}")]
    Credential(#[from] CredentialError),
    #[error("no key package can be made: {0}")]
    Keys(#[from] GroupError),
    #[error(transparent)]
    Media(#[from] PeerError),
}

/// What an `incoming_call` event says.
pub(crate) struct Invited {
    pub(crate) call: CallId,
    pub(crate) from: Party,
    pub(crate) to: Account,
    pub(crate) video: bool,
    pub(crate) invitation: Blob,
}

impl Invited {
    pub(crate) fn of(event: Event) -> Option<Self> {
        match event {
            Event::IncomingCall {
                call,
                from,
                to,
                video,
                invitation,
                ..
            } => Some(Self {
                call,
                from,
                to,
                video,
                invitation,
            }),
            _ => None,
        }
    }
}

/// Checks an invitation and begins to ring.
pub(crate) async fn receive(
    shared: Arc<Shared>,
    invited: Invited,
) -> Result<IncomingCall, InvitationRefused> {
    let id = invited.call;
    let (caller, crypto, mode) = {
        let state = shared.state();
        let (caller, genesis) = check(&state, &invited)?;
        let mode = state
            .household
            .answer_mode(genesis.genesis, &genesis.person);
        let at = now();
        let identity = &state.identity;
        let credential = Credential::new(identity.device_key.clone(), identity.chain.clone(), at)?;
        let expect = state.household.expect(Some(genesis.genesis));
        let crypto = CallCrypto::new(credential, id, expect, at);
        ((caller, genesis.genesis), crypto, mode)
    };
    let (party, genesis) = caller;
    let offer = crypto.key_package(now())?;
    let frames = Frames::new(crypto);
    #[cfg(feature = "plaintext-control")]
    let frames = frames.under(shared.control());
    let mut sources = vec![Source::Microphone];
    sources.extend(invited.video.then_some(Source::Camera));
    let transport = Transport::new(sources, shared.server().is_local(), frames.clone()).await?;
    let (events, told) = mpsc::channel(EVENTS_MAX);
    let (commands, commanded) = mpsc::channel(INPUTS_MAX);
    let mut run = Run {
        id,
        phase: Phase::Ringing,
        party: party.clone(),
        expected: Some(genesis),
        frames,
        transport,
        media: MediaState {
            microphone: true,
            camera: false,
        },
        microphone: watch::Sender::new(true),
        camera: watch::Sender::new(false),
        inputs: shared.new_call(id),
        commands: commanded,
        replies: mpsc::channel(INPUTS_MAX),
        events,
        shared,
    };
    let (key_package, statement) = (Blob(offer.key_package), Blob(offer.statement));
    run.tell(Request::Ringing {
        call: id,
        key_package,
        statement,
    })
    .await;
    // Connected while it rings, and held by the server: an answer is heard at once.
    run.offer().await;
    tokio::spawn(run.run());
    let call = Call {
        id,
        commands,
        events: told,
    };
    Ok(IncomingCall {
        call,
        from: party,
        to: invited.to,
        video: invited.video,
        mode,
    })
}

/// Who signed the invitation, and by which name the family knows them.
fn check(
    state: &State,
    invited: &Invited,
) -> Result<(Person, homeline_e2ee::chain::Identity), InvitationRefused> {
    let household = &state.household;
    let signed =
        Signed::decode(&invited.invitation.0).map_err(|_| InvitationRefused::Unreadable)?;
    let mut handles: Vec<&str> = household
        .members()
        .iter()
        .map(|member| member.handle.as_str())
        .collect();
    handles.push(household.own().handle.as_str());
    let (invitation, caller) = CallInvitation::open(&signed, invited.call, &handles, now())?;
    if caller.genesis == household.roster().genesis_key() && !household.roster().admits(&caller) {
        return Err(InvitationRefused::Removed);
    }
    let from = invited.from.handle.as_str();
    let person = household.person(
        caller.genesis,
        from,
        &invitation.display_name,
        &state.identity,
    )?;
    Ok((person, caller))
}

impl Run {
    pub(super) async fn answer(&mut self, answer: Answer) {
        if self.phase != Phase::Ringing {
            return;
        }
        self.phase = Phase::Answering;
        let Answer {
            sound,
            camera,
            screen,
        } = answer;
        self.give(Outgoing {
            sound,
            camera,
            screen,
        });
        self.media.camera = self.transport.has_camera();
        self.camera.send_replace(self.media.camera);
        let request = Request::Answer {
            call: self.id,
            media: self.media,
        };
        self.ask(request, Replied::Answered).await;
    }
}
