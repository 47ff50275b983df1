//! More than two in a call, and a call that moves: whom this device lets in, and whom it takes out.

use homeline_e2ee::chain::Identity;
use homeline_e2ee::group::{Expect, Member};
use homeline_e2ee::introduction::{CallInvitation, Ringing};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member;
use homeline_e2ee::signed::Signed;
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{Callee, EndReason, Event, Participant, Request};
use homeline_protocol::{Blob, Handle};

use super::event::CallEvent;
use super::owner::Owner;
use super::run::{Phase, Run};
use crate::guest::Knock;
use crate::home::{Person, Trust};
use crate::session::RequestError;
use crate::time::now;

/// Somebody who is being added by this device.
pub(super) enum Adding {
    Person {
        handle: Handle,
        /// Their household: pinned, or the first that answers.
        expected: Option<PublicKey>,
    },
    /// A guest, of whom exactly the key is known.
    Guest(PublicKey),
}

impl Adding {
    /// Whether a device that answers is of the one who was meant. A guest is nobody's household.
    fn fits(&self, answering: &Identity) -> bool {
        match self {
            Self::Person { expected, .. } => {
                let genesis = answering.genesis;
                !answering.is_guest() && expected.unwrap_or(genesis) == genesis
            }
            Self::Guest(key) => answering.is_guest() && answering.genesis == *key,
        }
    }
}

impl Run {
    pub(super) async fn group_event(&mut self, event: Event) {
        if self.side.is_some() && !matches!(event, Event::MemberLeft { .. }) {
            return;
        }
        match event {
            Event::AddingRinging { .. } => self.say(CallEvent::AddingRings),
            Event::AddingAnswered {
                key_package,
                statement,
                ..
            } => {
                self.added_answers(key_package, statement).await;
            }
            Event::AddingEnded { reason, .. } => self.not_added(reason),
            Event::MemberLeft { device, .. } => {
                self.keys(member::Input::Remove { device }).await;
            }
            Event::MoveWanted { device, .. } => self.move_to(device).await,
            Event::MoveAccepted {
                from,
                key_package,
                statement,
                ..
            } => {
                self.keys(member::Input::Replace {
                    device: from,
                    key_package: key_package.0,
                    statement: statement.0,
                })
                .await;
            }
            Event::MoveEnded { device, reason, .. } => {
                self.say(CallEvent::NotMoved { device, reason });
            }
            _ => {}
        }
    }

    /// The own side, the one called or accepted, those that this device brings, and those it found in.
    pub(super) fn expect(&self) -> Expect {
        let called = self.expected.filter(|key| !self.guests.contains(key));
        let (own, expect) = match &self.owner {
            Owner::Member(shared) => {
                let state = shared.state();
                let own = state.household.roster().genesis_key();
                (own, state.household.expect(called))
            }
            Owner::Guest(visit) => {
                let own = visit.credential.identity().genesis;
                let expect = called.map_or_else(|| Expect::own_guest(own), |key| visit.expect(key));
                (own, expect)
            }
        };
        let brought = self.brought.iter().map(|(_, genesis)| *genesis);
        let expect = brought.fold(expect, Expect::and);
        let found = self.households.iter().filter(|genesis| **genesis != own);
        let expect = found.copied().fold(expect, Expect::and_whoever);
        let expect = self.guests.iter().copied().fold(expect, Expect::and_guest);
        self.between(expect)
    }

    /// Adds a contact by the family's name for them, or anybody by handle.
    pub(super) async fn add(&mut self, to: &str) {
        if self.phase != Phase::Answered || self.adding.is_some() {
            return self.say(CallEvent::NotAdded(EndReason::Cancelled));
        }
        let found = self.owner.member().and_then(|shared| {
            let state = shared.state();
            let card = state.household.find_contact(to);
            let handle = card.map_or(to, |card| card.handle.as_str());
            let handle = handle.parse::<Handle>().ok();
            handle.map(|handle| {
                let expected = state.household.pinned(handle.as_str(), &state.identity);
                (handle, expected)
            })
        });
        let Some((handle, expected)) = found else {
            return self.say(CallEvent::NotAdded(EndReason::Unreachable));
        };
        let to_handle = handle.to_string();
        let to = Callee::Person {
            handle: handle.clone(),
        };
        self.bring(Adding::Person { handle, expected }, to, &to_handle)
            .await;
    }

    /// Lets a guest in who knocks.
    pub(super) async fn add_guest(&mut self, knock: &Knock) {
        if self.phase != Phase::Answered || self.adding.is_some() {
            return self.say(CallEvent::NotAdded(EndReason::Cancelled));
        }
        let guest = knock.guest;
        let to = Callee::Guest { guest };
        self.bring(Adding::Guest(knock.key), to, &guest.to_string())
            .await;
    }

    async fn bring(&mut self, adding: Adding, to: Callee, to_handle: &str) {
        let Some(invitation) = self.invitation(to_handle) else {
            return self.say(CallEvent::NotAdded(EndReason::Unreachable));
        };
        self.adding = Some(adding);
        let call = self.id;
        let request = Request::AddToCall {
            call,
            to,
            invitation,
        };
        self.ask(request, super::run::Replied::Added).await;
    }

    pub(super) async fn stop_adding(&mut self) {
        if self.adding.is_some() {
            self.tell(Request::CancelAdding { call: self.id }).await;
        }
    }

    pub(super) fn denied(&mut self, error: &RequestError) {
        let words = error.to_string();
        self.say(CallEvent::Denied { words });
    }

    /// The person who is added does not come.
    pub(super) fn not_added(&mut self, reason: EndReason) {
        if self.adding.take().is_some() {
            self.say(CallEvent::NotAdded(reason));
        }
    }

    /// They answered: let them in, if the device is of the household that was meant.
    pub(super) async fn added_answers(&mut self, key_package: Blob, statement: Blob) {
        let Some(adding) = self.adding.take() else {
            return;
        };
        let introduced = self.introduced(&key_package, &statement);
        let Some(identity) = introduced.filter(|identity| adding.fits(identity)) else {
            tracing::warn!("somebody of another household answered for the person who is added");
            self.say(CallEvent::NotAdded(EndReason::EncryptionRefused));
            return self.tell(Request::CancelAdding { call: self.id }).await;
        };
        match adding {
            Adding::Person { handle, .. } => {
                self.brought.push((handle.to_string(), identity.genesis));
            }
            Adding::Guest(key) => {
                self.guests.insert(key);
            }
        }
        self.let_in(key_package, statement).await;
    }

    /// A page that was reloaded comes back: only of a household that is in the call.
    pub(super) async fn comes_back(&mut self, key_package: Blob, statement: Blob) {
        let Some(identity) = self.introduced(&key_package, &statement) else {
            return;
        };
        let genesis = identity.genesis;
        let known = self
            .frames
            .crypto()
            .members()
            .any(|one| one.identity.genesis == genesis);
        let brought = || self.brought.iter().any(|(_, one)| *one == genesis);
        let found = || self.households.contains(&genesis) || self.guests.contains(&genesis);
        if known || self.expected == Some(genesis) || brought() || found() {
            self.let_in(key_package, statement).await;
        }
    }

    async fn let_in(&mut self, key_package: Blob, statement: Blob) {
        let expect = self.expect();
        self.keys(member::Input::Expect(Box::new(expect))).await;
        let (key_package, statement) = (key_package.0, statement.0);
        self.keys(member::Input::Add {
            key_package,
            statement,
        })
        .await;
    }

    /// Asks to go on at another device of the household.
    pub(super) async fn move_to(&mut self, device: DeviceId) {
        let own = self.owner.member().and_then(|shared| {
            let state = shared.state();
            let here = state.household.devices().iter();
            let known = here.into_iter().any(|one| one.id == device);
            known.then(|| state.household.own().handle.clone())
        });
        let Some(own) = own.filter(|_| self.phase == Phase::Answered) else {
            let reason = EndReason::Unreachable;
            return self.say(CallEvent::NotMoved { device, reason });
        };
        let invitation = self.invitation(own.as_str());
        let (call, to) = (self.id, device);
        let request = Request::MoveCall {
            call,
            to,
            invitation,
        };
        self.ask(request, move |result| super::run::Replied::Moving {
            device,
            result,
        })
        .await;
    }

    /// Into this call, with the households that are in it. A guest invites nobody.
    fn invitation(&self, to_handle: &str) -> Option<Blob> {
        let state = self.owner.member()?.state();
        let own = state.household.roster().genesis_key();
        let crypto = self.frames.crypto();
        let mut households: Vec<PublicKey> = crypto
            .members()
            .map(|one| one.identity.genesis)
            .filter(|genesis| *genesis != own)
            .collect();
        households.sort();
        households.dedup();
        let name = state.household.own().display_name.as_str();
        let identity = &state.identity;
        let video = self.video;
        let invitation =
            CallInvitation::new(self.id, now(), to_handle, name, video, &identity.chain)
                .with_households(households);
        Some(Blob(invitation.sign(&identity.device_key).encode()))
    }

    /// Whose key package it is, if its statement holds.
    fn introduced(&self, key_package: &Blob, statement: &Blob) -> Option<Identity> {
        let signed = Signed::decode(&statement.0).ok()?;
        Ringing::open(&signed, self.id, &key_package.0, now()).ok()
    }

    /// Who takes part, as the server says: switches, and who came and went.
    pub(super) fn participants(&mut self, participants: &[Participant]) {
        if self.is_early(participants) {
            return;
        }
        let own = self.owner.device();
        let others = || participants.iter().filter(|one| one.device != own);
        let gone: Vec<_> = self
            .present
            .iter()
            .filter(|device| others().all(|one| one.device != **device))
            .copied()
            .collect();
        for device in gone {
            self.present.remove(&device);
            self.say(CallEvent::Left { device });
        }
        for one in others() {
            let (device, media) = (one.device, one.media);
            if self.present.insert(device) {
                let trust = if one.party.guest || self.is_guest(device) {
                    Trust::Guest
                } else {
                    Trust::FirstContact
                };
                let party = Person {
                    name: one.party.display_name.clone(),
                    handle: one.party.handle.to_string(),
                    trust,
                };
                self.say(CallEvent::Joined { device, party });
            }
            self.say(CallEvent::PartyMedia { device, media });
        }
    }

    /// Whether a member's certificate says that it is a guest, whatever the server says.
    fn is_guest(&self, device: DeviceId) -> bool {
        let crypto = self.frames.crypto();
        let mut members = crypto.members();
        members.any(|one| one.identity.device == device && one.identity.is_guest())
    }

    /// Under which handle a member's household was called, accepted or brought in by this device.
    pub(super) fn handle_of(&self, member: &Member) -> Option<String> {
        let genesis = member.identity.genesis;
        if self.expected == Some(genesis) {
            return Some(self.party.handle.clone());
        }
        let brought = self.brought.iter().find(|(_, one)| *one == genesis);
        brought.map(|(handle, _)| handle.clone())
    }
}
