//! Somebody asks to drop in: what this device makes of it, with nothing of it opened.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::chain::{Chain, Identity, verify_chain};
use homeline_e2ee::drop_in::ledger::Who;
use homeline_e2ee::drop_in::{
    Asking, Expected, Live, Permit, Refusal, Request as Question, Standing, TargetInput, judge,
};
use homeline_e2ee::signed::Signed;
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{CameraSwitch, DropInGrant, DropInRefusal, Party, Request};

use super::book::named_grant;
use super::desk::Desk;
use super::running::Running;
use crate::client::{ClientEvent, State};
use crate::home::{Person, Trust};
use crate::time::now;

/// What the server says.
pub(super) struct AskedEvent {
    pub(super) call: CallId,
    pub(super) from: Party,
    pub(super) picture: bool,
    pub(super) asking: Blob,
    pub(super) key_package: Blob,
    pub(super) grant: DropInGrant,
}

/// How this device stands when it is asked.
struct Here {
    off: bool,
    quiet: bool,
    camera: bool,
    microphone: bool,
}

/// Why not, and who it was, as far as that could be verified.
type Refused = (DropInRefusal, Option<Box<Identity>>);

impl Desk {
    pub(super) async fn asked(&mut self, event: AskedEvent) {
        let (call, from) = (event.call, event.from.clone());
        match self.judged(event) {
            Ok((live, running)) => {
                self.running = Some(running);
                self.input(TargetInput::Permitted(live)).await;
            }
            Err((refusal, initiator)) => {
                let who = initiator.as_deref().map_or_else(Who::unverified, Who::of);
                self.book.refused(call, who, refusal);
                // It is refused whether or not it can be written down.
                self.book.save();
                self.tell(Request::RefuseDropIn { call, refusal }).await;
                let from = initiator.map(|one| visitor(&self.shared.state(), &one, &from));
                let event = ClientEvent::DropInRefused {
                    call,
                    from,
                    because: refusal,
                };
                self.events.try_send(event).ok();
            }
        }
    }

    fn judged(&mut self, event: AskedEvent) -> Result<(Live, Running), Refused> {
        let here = self.here();
        // What is shown counts from now on: nothing older does.
        let roster = self.shared.state().household.roster().clone();
        self.book.take(&event.grant.statement.0, &roster, true);
        let asking = self.checked(&event);
        let kept = self.book.save();
        let asking = asking.ok_or((DropInRefusal::Initiator, None))?;
        let initiator =
            verify_chain(&asking.chain, now()).map_err(|_| (DropInRefusal::Initiator, None))?;
        let refuse = |refusal| (refusal, Some(Box::new(initiator.clone())));
        if here.off {
            return Err(refuse(DropInRefusal::Off));
        }
        let shown =
            Signed::decode(&event.grant.statement.0).map_err(|_| refuse(DropInRefusal::Forged))?;
        let permit = self
            .verdict(&asking.chain, event.picture, &shown)
            .map_err(|refusal| refuse(named(refusal)))?;
        // One that was not taken, since there is no room, is none to go by.
        if self.book.kept().held.statements.get(&permit.grant) != Some(&shown) {
            return Err(refuse(DropInRefusal::NoGrant));
        }
        if self.running.is_some() || !self.shared.calls_are_none() {
            return Err(refuse(DropInRefusal::Busy));
        }
        if here.quiet {
            return Err(refuse(DropInRefusal::Quiet));
        }
        // What the grant does not cover is refused by name, and the rest opens.
        if event.picture && !permit.picture {
            let who = Who::of(&initiator);
            self.book.refused(event.call, who, DropInRefusal::SoundOnly);
        }
        // Nobody is let in whose visit could not be written down.
        if !kept || !self.book.kept().ledger.has_room() {
            return Err(refuse(DropInRefusal::Unavailable));
        }
        let state = self.shared.state();
        let live = Live {
            call: event.call,
            permit,
            own: initiator.genesis == state.household.roster().genesis_key(),
            picture: permit.picture && here.camera,
            frosted_ms: self.frosted_ms,
        };
        let party = visitor(&state, &initiator, &event.from);
        let (key_package, chain) = (event.key_package, asking.chain);
        let microphone = here.microphone;
        let running = Running::new(party, initiator, chain, key_package, microphone);
        Ok((live, running))
    }

    fn checked(&self, event: &AskedEvent) -> Option<Asking> {
        let at = now();
        let expected = Expected {
            call: event.call,
            genesis: self.book.owner().genesis,
            key_package: &event.key_package.0,
            picture: event.picture,
        };
        let opened = Signed::decode(&event.asking.0)
            .ok()
            .map(|signed| Asking::open(&signed, expected, at))?;
        match opened {
            Ok(asking) => self
                .book
                .kept()
                .asked
                .note(event.call, at)
                .then_some(asking),
            Err(error) => {
                tracing::warn!(%error, "an asking to drop in is not taken");
                None
            }
        }
    }

    /// A picture that is not granted is left out, and the rest begins all the same.
    pub(super) fn verdict(
        &self,
        chain: &Chain,
        picture: bool,
        shown: &Signed,
    ) -> Result<Permit, Refusal> {
        let state = self.shared.state();
        let pinned: Vec<_> = state
            .household
            .contacts()
            .filter_map(|card| card.pin.key().map(|key| (card.id, key)))
            .collect();
        let standing = Standing {
            device: self.book.owner().device,
            roster: state.household.roster(),
            pinned: &pinned,
        };
        let kept = self.book.kept();
        let ask = |picture| {
            let question = Question {
                initiator: chain,
                picture,
                shown: Some(shown),
            };
            judge(now(), &kept.held, standing, question)
        };
        match ask(picture) {
            Err(Refusal::SoundOnly) => ask(false),
            verdict => verdict,
        }
    }

    fn here(&self) -> Here {
        let device = self.shared.device();
        let state = self.shared.state();
        let mut devices = state.household.devices().iter();
        let settings = devices
            .find(|known| known.id == device)
            .map(|known| &known.settings);
        // A device that the server does not show is as it says of nothing.
        Here {
            off: settings.is_none_or(|settings| !settings.drop_in),
            quiet: settings.is_none_or(|settings| settings.do_not_disturb),
            camera: settings.is_some_and(|settings| {
                settings.capabilities.camera && settings.switches.camera == CameraSwitch::On
            }),
            microphone: settings.is_some_and(|settings| settings.switches.microphone),
        }
    }

    /// Whether an adult's app, or this device, has switched drop-in off in the household.
    pub(super) fn is_off_in_household(&self) -> bool {
        self.here().off
    }
}

/// By their certificates; the server's word is shown only for what somebody of a known household calls
/// themself.
fn visitor(state: &State, who: &Identity, from: &Party) -> Person {
    let household = &state.household;
    if who.genesis == household.roster().genesis_key() {
        let mut devices = household.devices().iter();
        let room = devices
            .find(|device| device.id == who.device && who.kind == Kind::HomeDevice)
            .map(|device| &device.label);
        let mut members = household.members().iter();
        let member = members.find(|member| member.id.to_string() == who.person);
        let name = room.or(member.map(|member| &member.display_name));
        let handle = member.map_or(&from.handle, |member| &member.handle);
        return Person {
            name: name.unwrap_or(&who.label).clone(),
            handle: handle.to_string(),
            trust: Trust::Family,
        };
    }
    let handle = from.handle.as_str();
    let theirs = || {
        household
            .contacts()
            .filter(|card| card.pin.key() == Some(who.genesis))
    };
    let exact = theirs().find(|card| card.handle == handle);
    let known = exact.or_else(|| theirs().next());
    let name = match (exact, known) {
        (Some(card), _) => card.name.clone(),
        (None, Some(card)) => format!("{} of {}'s household", from.display_name, card.name),
        (None, None) => from.display_name.clone(),
    };
    let verified = |pin| matches!(pin, homeline_e2ee::contact::Pin::Verified(_));
    let trust = match known.is_some_and(|card| verified(card.pin)) {
        true => Trust::Verified,
        false => Trust::Unverified,
    };
    Person {
        name,
        handle: handle.to_owned(),
        trust,
    }
}

pub(super) fn named(refusal: Refusal) -> DropInRefusal {
    match refusal {
        Refusal::Off => DropInRefusal::Off,
        Refusal::Initiator(_) => DropInRefusal::Initiator,
        Refusal::NotInHousehold => DropInRefusal::NotInHousehold,
        Refusal::NoGrant => DropInRefusal::NoGrant,
        Refusal::Forged(error) => named_grant(error),
        Refusal::OtherHousehold => DropInRefusal::OtherHousehold,
        Refusal::SignerMayNot => DropInRefusal::SignerMayNot,
        Refusal::Replayed => DropInRefusal::Replayed,
        Refusal::Revoked => DropInRefusal::Revoked,
        Refusal::EndedHere => DropInRefusal::EndedHere,
        Refusal::NotYet => DropInRefusal::NotYet,
        Refusal::Expired => DropInRefusal::Expired,
        Refusal::NotAContact => DropInRefusal::NotAContact,
        Refusal::NewMember => DropInRefusal::NewMember,
        Refusal::OtherDevice => DropInRefusal::OtherDevice,
        Refusal::OutsideHours => DropInRefusal::OutsideHours,
        Refusal::SoundOnly => DropInRefusal::SoundOnly,
    }
}
