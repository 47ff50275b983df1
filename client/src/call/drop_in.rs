//! A drop-in's call, on both of its sides: one that the target began and the initiator has answered. Nobody
//! but these two devices is ever let in, and it moves nowhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use homeline_e2ee::chain::Identity;
use homeline_e2ee::drop_in::Asking;
use homeline_e2ee::group::{Credential, CredentialError, GroupError};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::{self, CallCrypto};
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{
    Callee, DeviceKind, DropInRefusal, DropInStage, EndReason, Event, MediaState, Request,
};
use homeline_protocol::{Blob, Handle};
use tokio::task::JoinHandle;

use super::event::CallEvent;
use super::handle::{Call, Outgoing};
use super::owner::Owner;
use super::run::{Command, Phase, Replied, Run};
use super::seat::Seat;
use super::side::Side;
use crate::chance;
use crate::client::{Shared, State};
use crate::home::{Person, Trust};
use crate::media::{Frames, PeerError};
use crate::time::now;

/// So long an end may take whose keys are gone already.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// Why a drop-in can't even be asked for.
#[derive(Debug, thiserror::Error)]
pub enum DropInError {
    #[error("there is no device, no contact and no handle of that name")]
    UnknownName,
    #[error("this contact's household is not known yet: call them first, or use their link")]
    NotPinned,
    #[error("this device's own certificate does not hold: {0}")]
    Credential(#[from] CredentialError),
    #[error("no key package can be made: {0}")]
    Keys(#[from] GroupError),
    #[error(transparent)]
    Media(#[from] PeerError),
}

/// Whether the target's microphone is open, and the initiator is played.
pub(crate) fn is_heard(stage: DropInStage) -> bool {
    matches!(stage, DropInStage::Frosted | DropInStage::Clear)
}

/// Asks to drop in on somebody.
pub(crate) async fn drop_in(
    shared: Arc<Shared>,
    to: &str,
    with: Outgoing,
) -> Result<Call, DropInError> {
    let id = CallId(chance::bytes());
    let picture = with.camera.is_some() || with.screen.is_some();
    let (seat, request) = plan(&shared, (id, to), picture, with.camera.is_some())?;
    let (mut run, call) = seat.take(|| shared.new_call(id)).await?;
    run.give(with);
    run.ask(request, Replied::DroppedIn).await;
    tokio::spawn(run.run());
    Ok(call)
}

fn plan(
    shared: &Arc<Shared>,
    (id, to): (CallId, &str),
    picture: bool,
    camera: bool,
) -> Result<(Seat, Request), DropInError> {
    let at = now();
    let state = shared.state();
    let Meant {
        party,
        genesis,
        callee,
    } = meant(&state, to)?;
    let identity = &state.identity;
    let (key, chain) = (&identity.device_key, &identity.chain);
    let credential = Credential::new(key.clone(), chain.clone(), at)?;
    let expect = state.household.expect(Some(genesis));
    let expect = expect.only_target(key.public(), genesis);
    let crypto = CallCrypto::new(credential, id, expect, at);
    // For this drop-in alone.
    let key_package = crypto.key_package(at)?.key_package;
    let asking = Asking::new(id, at, genesis, picture, &key_package, chain);
    let request = Request::DropIn {
        call: id,
        to: callee,
        picture,
        asking: Blob(asking.sign(key).encode()),
        key_package: Blob(key_package),
    };
    let seat = Seat {
        owner: Owner::Member(shared.clone()),
        id,
        phase: Phase::Calling,
        party,
        expected: Some(genesis),
        guests: BTreeSet::new(),
        households: BTreeSet::new(),
        video: picture,
        camera,
        crypto,
        side: Some(Side::Initiator { genesis }),
    };
    Ok((seat, request))
}

/// On whom.
struct Meant {
    party: Person,
    genesis: PublicKey,
    callee: Callee,
}

/// A home device of the own household by its label, else a contact by the family's name for them or by
/// handle, else somebody of the own household by handle.
fn meant(state: &State, to: &str) -> Result<Meant, DropInError> {
    let household = &state.household;
    let own = household.roster().genesis_key();
    let mut devices = household.devices().iter();
    let room = devices.find(|device| {
        device.kind == DeviceKind::HomeDevice && device.label.to_lowercase() == to.to_lowercase()
    });
    if let Some(room) = room {
        let party = Person {
            name: room.label.clone(),
            handle: household.own().handle.to_string(),
            trust: Trust::Family,
        };
        let callee = Callee::Device { device: room.id };
        return Ok(Meant {
            party,
            genesis: own,
            callee,
        });
    }
    let card = household.find_contact(to);
    let handle: Handle = card
        .map_or(to, |card| card.handle.as_str())
        .parse()
        .map_err(|_| DropInError::UnknownName)?;
    let mut members = household.members().iter();
    let genesis = match members.any(|member| member.handle == handle) {
        true => own,
        // Whom nobody has pinned can't be dropped in on.
        false => card
            .and_then(|card| card.pin.key())
            .ok_or(DropInError::NotPinned)?,
    };
    let name = card.map_or(handle.as_str(), |card| card.name.as_str());
    let party = household
        .person(genesis, handle.as_str(), name, &state.identity)
        .map_err(|_| DropInError::NotPinned)?;
    Ok(Meant {
        party,
        genesis,
        callee: Callee::Person { handle },
    })
}

/// What is known at the target when it opens.
pub(crate) struct TargetPlan {
    pub(crate) id: CallId,
    pub(crate) party: Person,
    pub(crate) initiator: Identity,
    pub(crate) key_package: Blob,
    pub(crate) media: MediaState,
    pub(crate) video: bool,
    pub(crate) stage: DropInStage,
}

/// The call at the target. Its keys are forgotten with `close`, before anything else.
pub(crate) struct TargetCall {
    pub(crate) call: Call,
    frames: Frames,
}

/// Makes the group, alone in it, and opens the media; the initiator is added when the server says that
/// it is there.
pub(crate) async fn open_target(
    shared: Arc<Shared>,
    plan: TargetPlan,
    with: Outgoing,
) -> Result<TargetCall, DropInError> {
    let (id, at) = (plan.id, now());
    let (crypto, initiator) = {
        let state = shared.state();
        let identity = &state.identity;
        let (own, initiator) = (&identity.device_key, plan.initiator.device_key);
        let credential = Credential::new(own.clone(), identity.chain.clone(), at)?;
        let expect = state.household.expect(Some(plan.initiator.genesis));
        let expect = expect.only(own.public(), initiator);
        (CallCrypto::new(credential, id, expect, at), initiator)
    };
    let seat = Seat {
        owner: Owner::Member(shared.clone()),
        id,
        phase: Phase::Calling,
        party: plan.party,
        expected: Some(plan.initiator.genesis),
        guests: BTreeSet::new(),
        households: BTreeSet::new(),
        video: plan.video,
        camera: plan.media.camera,
        crypto,
        side: Some(Side::Target {
            initiator,
            key_package: plan.key_package,
        }),
    };
    let (mut run, call) = seat.take(|| shared.new_call(id)).await?;
    let frames = run.frames.clone();
    run.media.microphone = plan.media.microphone;
    run.set_heard(is_heard(plan.stage));
    run.give(with);
    run.keys(member::Input::Create).await;
    let request = Request::OpenDropIn {
        call: id,
        media: plan.media,
        stage: plan.stage,
    };
    run.ask(request, Replied::Started).await;
    tokio::spawn(run.run());
    Ok(TargetCall { call, frames })
}

impl TargetCall {
    /// Opens or shuts the microphone, and what is played of the initiator, by what the stage says.
    pub(crate) async fn set_heard(&self, heard: bool) {
        self.call.tell(Command::Heard(heard)).await;
    }

    /// From here on nothing can be sent: the keys are gone. `tell`: the server does not know yet. What it
    /// gives is done when everything is shut.
    pub(crate) async fn close(mut self, tell: bool) -> JoinHandle<()> {
        self.frames.crypto().step(now(), member::Input::Leave);
        self.frames.set_sending(None);
        self.call.tell(Command::Close { tell }).await;
        tokio::spawn(async move {
            let ended = tokio::time::timeout(END_TIME_MAX, self.call.ended()).await;
            if ended.is_err() {
                tracing::warn!("a drop-in's media is slow to close");
            }
        })
    }
}

impl Run {
    pub(super) fn set_heard(&mut self, heard: bool) {
        self.heard = heard;
        self.microphone.send_replace(heard && self.media.microphone);
        self.transport.set_plays(heard);
    }

    /// The events that only drop-ins have.
    pub(super) async fn drop_in_event(&mut self, event: Event) {
        if !matches!(self.side, Some(Side::Initiator { .. })) {
            return;
        }
        match event {
            Event::DropInOpened { device, label, .. } => self.opened_there(device, label).await,
            Event::DropInStage { stage, .. } => self.say(CallEvent::DropInStage(stage)),
            Event::DropInRefused { refusal, .. } => {
                self.say(CallEvent::DropInRefused(refusal));
                self.over(match refusal {
                    DropInRefusal::Busy => EndReason::Busy,
                    DropInRefusal::TurnedAway => EndReason::Declined,
                    _ => EndReason::Unreachable,
                });
            }
            _ => {}
        }
    }

    /// The target has opened: its welcome follows, and media is offered.
    async fn opened_there(&mut self, device: DeviceId, label: String) {
        if self.phase != Phase::Calling {
            return;
        }
        self.phase = Phase::Answered;
        self.say(CallEvent::DropInOpened { device, label });
        self.offer().await;
    }

    /// The server says that the initiator is there: it is added with the key package that it asked with,
    /// whatever the server shows now. Once.
    pub(super) async fn admit(&mut self) {
        let Some(Side::Target {
            initiator,
            key_package,
        }) = &self.side
        else {
            return;
        };
        if self.phase != Phase::Calling {
            return;
        }
        let (device, key_package) = (*initiator, key_package.0.clone());
        self.phase = Phase::Answered;
        self.say(CallEvent::Answered);
        self.keys(member::Input::AddAsked {
            key_package,
            device,
        })
        .await;
    }
}
