//! A live announcement's call, on both of its sides: one that the announcing device began, and in which the
//! others hear it and send nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_e2ee::announcement::{LiveAnnouncement, LiveSayError};
use homeline_e2ee::group::{Credential, CredentialError, GroupError};
use homeline_e2ee::introduction::Ringing;
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member::{self, CallCrypto};
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{AnnounceTo, MediaState, Participant, Reply, Request};
use tokio::sync::mpsc;

use super::event::{CallEvent, RefusedBecause};
use super::handle::Call;
use super::owner::Owner;
use super::run::{Phase, Replied, Run};
use super::seat::Seat;
use super::side::Side;
use crate::chance;
use crate::client::Shared;
use crate::home::{Person, Trust};
use crate::media::{Heard, Pcm, PeerError};
use crate::session::RequestError;
use crate::time::now;

/// Why a live announcement can't even be tried.
#[derive(Debug, thiserror::Error)]
pub enum LiveCallError {
    #[error(transparent)]
    Say(#[from] LiveSayError),
    #[error("this device's own certificate does not hold: {0}")]
    Credential(#[from] CredentialError),
    #[error("no key package can be made: {0}")]
    Keys(#[from] GroupError),
    #[error(transparent)]
    Media(#[from] PeerError),
}

/// Announces live at these devices. What comes of it is told by the call.
pub(crate) async fn announce_live(
    shared: Arc<Shared>,
    (to, devices): (AnnounceTo, Vec<PublicKey>),
    microphone: mpsc::Receiver<Pcm>,
) -> Result<Call, LiveCallError> {
    let (id, at) = (CallId(chance::bytes()), now());
    let signed_at = shared.hearing().clock.time_of_day();
    let (said, statement) = {
        let state = shared.state();
        let identity = &state.identity;
        let key = &identity.device_key;
        let who = (key.public(), &identity.chain, identity.genesis);
        let said = LiveAnnouncement::new(who, id, signed_at, devices)?;
        let statement = Blob(said.sign(key).encode());
        (said, statement)
    };
    let devices: BTreeSet<_> = said.devices.into_iter().collect();
    let early = Some(Vec::new());
    let own = own_side(&shared, Side::Announcer { devices, early });
    let seat = own.seat(&shared, id, at)?;
    let (mut run, call) = seat.take(|| shared.new_call(id)).await?;
    run.transport.speak(microphone, run.microphone.subscribe());
    run.keys(member::Input::Create).await;
    let request = Request::AnnounceLive {
        call: id,
        to,
        statement,
    };
    run.ask(request, Replied::Announced).await;
    tokio::spawn(run.run());
    Ok(call)
}

/// Hears what was checked to be for this device. No microphone is opened.
pub(crate) async fn hear_live(
    shared: Arc<Shared>,
    (id, announcer, devices): (CallId, PublicKey, BTreeSet<PublicKey>),
    speaker: mpsc::Sender<Heard>,
) -> Result<Call, LiveCallError> {
    let at = now();
    let own = own_side(&shared, Side::Hearer { announcer, devices });
    let seat = own.seat(&shared, id, at)?;
    let offer = seat.crypto.key_package(at)?;
    let (mut run, call) = seat.take(|| shared.new_call(id)).await?;
    run.media = MediaState {
        microphone: false,
        camera: false,
    };
    run.microphone.send_replace(false);
    run.transport.listen(speaker);
    let request = Request::HearLive {
        call: id,
        key_package: Blob(offer.key_package),
        statement: Blob(offer.statement),
    };
    run.ask(request, Replied::Hears).await;
    tokio::spawn(run.run());
    Ok(call)
}

/// A side, and who is at the other end: the own household.
struct OwnSide {
    side: Side,
    party: Person,
    genesis: PublicKey,
}

fn own_side(shared: &Shared, side: Side) -> OwnSide {
    let state = shared.state();
    let own = state.household.own();
    OwnSide {
        side,
        party: Person {
            name: own.display_name.clone(),
            handle: own.handle.to_string(),
            trust: Trust::Family,
        },
        genesis: state.household.roster().genesis_key(),
    }
}

impl OwnSide {
    fn seat(
        self,
        shared: &Arc<Shared>,
        id: CallId,
        at: homeline_e2ee::time::UnixMs,
    ) -> Result<Seat, CredentialError> {
        let crypto = {
            let state = shared.state();
            let identity = &state.identity;
            let (key, chain) = (identity.device_key.clone(), identity.chain.clone());
            let own = key.public();
            let expect = self
                .side
                .narrow(own, state.household.expect(Some(self.genesis)));
            CallCrypto::new(Credential::new(key, chain, at)?, id, expect, at)
        };
        Ok(Seat {
            owner: Owner::Member(shared.clone()),
            id,
            phase: Phase::Answered,
            party: self.party,
            expected: Some(self.genesis),
            guests: BTreeSet::new(),
            households: BTreeSet::new(),
            video: false,
            camera: false,
            crypto,
            side: Some(self.side),
        })
    }
}

impl Run {
    /// The server has told the devices, or will not.
    pub(super) async fn announced(&mut self, result: Result<Reply, RequestError>) {
        match result {
            Ok(Reply::Announced { receivers }) => {
                self.say(CallEvent::Announced { receivers });
                self.tell_early();
                self.offer().await;
            }
            // Whether it is there is told with the new session.
            Ok(_) | Err(RequestError::Unknown) => self.tell_early(),
            Err(error) => {
                self.denied(&error);
                self.failed(&error);
            }
        }
    }

    /// True: who is there is told later, after whom the server told.
    pub(super) fn is_early(&mut self, participants: &[Participant]) -> bool {
        match &mut self.side {
            Some(Side::Announcer {
                early: Some(early), ..
            }) => {
                *early = participants.to_vec();
                true
            }
            _ => false,
        }
    }

    fn tell_early(&mut self) {
        if let Some(Side::Announcer { early, .. }) = &mut self.side
            && let Some(participants) = early.take()
        {
            self.participants(&participants);
        }
    }

    /// A device would hear it: let in, if it is one of those that were named. Any other is an impostor.
    pub(super) async fn let_hear(&mut self, key_package: Blob, statement: Blob) {
        let Some(Side::Announcer { devices, .. }) = &self.side else {
            return;
        };
        let opened = Signed::decode(&statement.0)
            .ok()
            .and_then(|signed| Ringing::open(&signed, self.id, &key_package.0, now()).ok());
        let because = match opened {
            Some(who) if devices.contains(&who.device_key) => None,
            Some(_) => Some(RefusedBecause::NotInvited),
            None => Some(RefusedBecause::WrongKey),
        };
        if let Some(because) = because {
            return self.refuse(because).await;
        }
        let (key_package, statement) = (key_package.0, statement.0);
        self.keys(member::Input::Add {
            key_package,
            statement,
        })
        .await;
    }
}
