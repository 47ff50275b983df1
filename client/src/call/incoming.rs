//! Being called: the invitation is checked, a key package offered, and media connected before the answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_e2ee::chain::Identity;
use homeline_e2ee::group::{Credential, CredentialError, Expect, GroupError};
use homeline_e2ee::introduction::{CallInvitation, InvitationError};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::CallCrypto;
use homeline_e2ee::policy::Mode;
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Account, Event, Party, Request};
use tokio::sync::mpsc;

use super::handle::{Call, IncomingCall, Outgoing};
use super::owner::{Owner, Visit};
use super::run::{Answer, Command, Input, Phase, Replied, Run};
use super::seat::Seat;
use crate::client::{Shared, State};
use crate::home::{KeyChanged, Person, Trust};
use crate::media::PeerError;
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
    #[error("a device that is not of this household's person would hand a call over")]
    NotOurs,
    #[error(transparent)]
    KeyChanged(#[from] KeyChanged),
    #[error("this device's own certificate does not hold: {0}")]
    Credential(#[from] CredentialError),
    #[error("no key package can be made: {0}")]
    Keys(#[from] GroupError),
    #[error(transparent)]
    Media(#[from] PeerError),
}

/// Why this device is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Somebody calls.
    Called,
    /// Somebody calls while this device is in another call.
    Waits,
    /// A call of the household goes on here.
    Moves,
}

/// What an event says that asks this device to take a call.
pub(crate) struct Invited {
    pub(crate) asked: Asked,
    pub(crate) call: CallId,
    pub(crate) from: Party,
    pub(crate) to: Account,
    pub(crate) video: bool,
    pub(crate) invitation: Blob,
}

impl Invited {
    pub(crate) fn of(event: Event) -> Option<Self> {
        let asked = match &event {
            Event::CallWaiting { .. } => Asked::Waits,
            Event::MoveOffered { .. } => Asked::Moves,
            _ => Asked::Called,
        };
        match event {
            Event::IncomingCall {
                call,
                from,
                to,
                video,
                invitation,
                ..
            }
            | Event::CallWaiting {
                call,
                from,
                to,
                video,
                invitation,
                ..
            }
            | Event::MoveOffered {
                call,
                party: from,
                to,
                video,
                invitation,
                ..
            } => Some(Self {
                asked,
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

/// Who asks, and who is in the call.
struct Caller {
    party: Person,
    expected: Option<PublicKey>,
    households: BTreeSet<PublicKey>,
    mode: Option<Mode>,
}

impl Caller {
    /// This device's part in the keys of the call: it expects those whom the invitation names.
    fn keys(&self, state: &State, call: CallId) -> Result<CallCrypto, CredentialError> {
        let at = now();
        let identity = &state.identity;
        let credential = Credential::new(identity.device_key.clone(), identity.chain.clone(), at)?;
        let own = state.household.roster().genesis_key();
        let expect = state.household.expect(self.expected);
        let others = self.households.iter().filter(|genesis| **genesis != own);
        let expect = others.copied().fold(expect, Expect::and_whoever);
        Ok(CallCrypto::new(credential, call, expect, at))
    }
}

/// Checks an invitation and begins to ring.
pub(crate) async fn receive(
    shared: Arc<Shared>,
    invited: Invited,
) -> Result<IncomingCall, InvitationRefused> {
    let id = invited.call;
    let (caller, crypto) = {
        let state = shared.state();
        let caller = check(&state, &invited)?;
        let crypto = caller.keys(&state, id)?;
        (caller, crypto)
    };
    let Caller {
        party,
        expected,
        households,
        mode,
    } = caller;
    let seat = Seat {
        owner: Owner::Member(shared.clone()),
        id,
        phase: Phase::Ringing,
        party: party.clone(),
        expected,
        guests: BTreeSet::new(),
        households,
        video: invited.video,
        camera: false,
        crypto,
        side: None,
    };
    let call = ring(seat, || shared.new_call(id)).await?;
    Ok(IncomingCall {
        call,
        from: party,
        to: invited.to,
        video: invited.video,
        mode,
    })
}

/// Begins to ring: the key package goes out, and media connects.
async fn ring(
    seat: Seat,
    inputs: impl FnOnce() -> mpsc::Receiver<Input>,
) -> Result<Call, InvitationRefused> {
    let id = seat.id;
    let offer = seat.crypto.key_package(now())?;
    let (mut run, call) = seat.take(inputs).await?;
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
    Ok(call)
}

/// Who lets a guest in: proven by the link's fingerprint.
pub(crate) struct VisitedBy {
    pub(crate) party: Person,
    pub(crate) genesis: PublicKey,
    pub(crate) households: BTreeSet<PublicKey>,
}

/// Rings for a guest who was let in.
pub(crate) async fn visit(
    visit: Arc<Visit>,
    by: VisitedBy,
    (call, video): (CallId, bool),
    inputs: mpsc::Receiver<Input>,
) -> Result<Call, InvitationRefused> {
    let others = by.households.iter().copied();
    let expect = others.fold(visit.expect(by.genesis), Expect::and_whoever);
    let crypto = CallCrypto::new(visit.credential.clone(), call, expect, now());
    let seat = Seat {
        owner: Owner::Guest(visit),
        id: call,
        phase: Phase::Ringing,
        party: by.party,
        expected: Some(by.genesis),
        guests: BTreeSet::new(),
        households: by.households,
        video,
        camera: false,
        crypto,
        side: None,
    };
    ring(seat, || inputs).await
}

/// Who signed the invitation, and by which name the family knows them.
fn check(state: &State, invited: &Invited) -> Result<Caller, InvitationRefused> {
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
    let households: BTreeSet<_> = invitation.households.iter().copied().collect();
    if invited.asked == Asked::Moves {
        return moves(state, invited, &invitation, &caller);
    }
    let from = invited.from.handle.as_str();
    let party = household.person(
        caller.genesis,
        from,
        &invitation.display_name,
        &state.identity,
    )?;
    Ok(Caller {
        party,
        expected: Some(caller.genesis),
        households,
        mode: household.answer_mode(caller.genesis, &caller.person),
    })
}

/// A device of the own household hands its call over. It says so by inviting its own person and naming
/// the households in the call: no other invitation does both, so none can be passed off as one to move.
fn moves(
    state: &State,
    invited: &Invited,
    invitation: &CallInvitation,
    caller: &Identity,
) -> Result<Caller, InvitationRefused> {
    let household = &state.household;
    let members = household.members().iter();
    let people = members.map(|member| (member.id, &member.handle));
    let own = household.own();
    let mut people = people.chain([(own.id, &own.handle)]);
    let own_handle = people.any(|(id, handle)| {
        id.to_string() == caller.person && handle.as_str() == invitation.to_handle
    });
    if caller.genesis != household.roster().genesis_key() || !own_handle {
        return Err(InvitationRefused::NotOurs);
    }
    let from = &invited.from;
    let known = invitation.households.iter().find_map(|genesis| {
        let (handle, name) = (from.handle.as_str(), from.display_name.as_str());
        let person = household.person(*genesis, handle, name, &state.identity);
        Some((*genesis, person.ok()?))
    });
    let (expected, party) = match known {
        Some((genesis, party)) => (Some(genesis), party),
        None => (
            None,
            Person {
                name: from.display_name.clone(),
                handle: from.handle.to_string(),
                trust: Trust::Family,
            },
        ),
    };
    Ok(Caller {
        party,
        expected,
        households: invitation.households.iter().copied().collect(),
        mode: household.answer_mode(caller.genesis, &caller.person),
    })
}

/// Answers a call that rings by this handle.
pub(crate) async fn answer(call: Call, with: Outgoing) -> Call {
    let Outgoing {
        sound,
        camera,
        screen,
    } = with;
    let answer = Box::new(Answer {
        sound,
        camera,
        screen,
    });
    call.tell(Command::Answer(answer)).await;
    call
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
        // A call that is taken over has tracks already.
        self.offer().await;
    }
}
