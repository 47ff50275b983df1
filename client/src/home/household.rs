//! The own household as its signed statements show it; what the server says beyond them is a hint.

use std::collections::BTreeMap;

use homeline_e2ee::chain::{Chain, verify_chain, verify_chain_bytes};
use homeline_e2ee::contact::{self, Pin};
use homeline_e2ee::encoding::DecodeError;
use homeline_e2ee::group::Expect;
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::policy::{AnswerPolicy, Mode};
use homeline_e2ee::roster::{Rollback, Roster, RosterError};
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::{ContactId, DeviceId};
use homeline_protocol::session::{
    self, Account, Contact, Device, Event, Home, Member, PersonSettings,
};

use crate::store::{self, Identity};

/// More contacts than a household has; further ones are not taken in.
pub const CONTACTS_MAX: usize = 4_096;

/// What is known of the own household. Everything that decides who is let in was verified.
#[derive(Debug, Clone)]
pub struct Household {
    roster: Roster,
    own: Account,
    members: Vec<Member>,
    settings: PersonSettings,
    devices: Vec<Device>,
    contacts: BTreeMap<ContactId, contact::Contact>,
    /// Who signed each of them.
    signers: BTreeMap<ContactId, PublicKey>,
    policy: Option<AnswerPolicy>,
    /// Cards and policies that did not hold and were left out.
    refused: u32,
}

/// Why what the server shows is not the household that was pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    #[error("an adult of the household has not let this app in yet")]
    NotAdmitted,
    #[error("the server shows another household than the one pinned")]
    OtherHousehold,
    #[error("the server shows an older or different roster than before: {0}")]
    Rollback(#[from] Rollback),
    #[error("the roster does not hold: {0}")]
    Roster(#[from] RosterError),
    #[error("a roster entry can't be read: {0}")]
    Unreadable(#[from] DecodeError),
    #[error("this device was removed from the household")]
    Removed,
}

/// How sure it is who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The own household.
    Family,
    /// Pinned by a link, or the call code was compared.
    Verified,
    /// Pinned at first contact, never compared.
    Unverified,
    /// Never seen before.
    FirstContact,
    /// A guest who came by a call link: of no household, for this call only.
    Guest,
}

/// Somebody of another household, or of the own one, by the best name there is.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub handle: String,
    pub trust: Trust,
}

impl std::fmt::Debug for Person {
    /// Names stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// The household that is pinned for a handle is another one than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the household that was pinned for this contact")]
pub struct KeyChanged;

impl Household {
    /// Verifies a whole home against what is pinned, and moves the pins on.
    ///
    /// # Errors
    /// When the household is another one, was rolled back, or does not hold.
    pub fn open(home: &Home, identity: &mut Identity, now: UnixMs) -> Result<Self, HomeError> {
        let shown = home.household.as_ref().ok_or(HomeError::NotAdmitted)?;
        let roster = Roster::from_entries(&shown.roster)?;
        if roster.genesis_key() != identity.genesis {
            return Err(HomeError::OtherHousehold);
        }
        roster.check_against(identity.roster_pin)?;
        identity.roster_pin = roster.pin();
        let mut household = Self {
            roster,
            own: home.account.clone(),
            members: shown.members.clone(),
            settings: home.settings.clone(),
            devices: shown.devices.clone(),
            contacts: BTreeMap::new(),
            signers: BTreeMap::new(),
            policy: None,
            refused: 0,
        };
        household.check_own(identity)?;
        for device in &shown.devices {
            household.take_chain(identity, device.id, &device.chain, now);
        }
        for card in &home.contacts {
            household.take_card(identity, card);
        }
        for policy in &home.answer_policies {
            household.take_policy(identity, policy);
        }
        Ok(household)
    }

    /// Takes an event in. `false`: it was no event of the household, or changed nothing.
    ///
    /// # Errors
    /// When a roster entry does not hold, or this device was removed.
    pub fn apply(
        &mut self,
        event: &Event,
        identity: &mut Identity,
        now: UnixMs,
    ) -> Result<bool, HomeError> {
        match event {
            Event::RosterGrew {
                entries,
                members,
                devices,
            } => {
                for entry in entries {
                    match self.roster.append(&Signed::decode(&entry.0)?) {
                        // Told twice: once in the home that was fetched, once as news.
                        Err(RosterError::Sequence { expected, found }) if found < expected => {}
                        appended => appended?,
                    }
                }
                identity.roster_pin = self.roster.pin();
                self.members.clone_from(members);
                self.devices.clone_from(devices);
                self.check_own(identity)?;
            }
            Event::CertificateRenewed { device, chain } => {
                self.take_chain(identity, *device, chain, now);
                if let Some(known) = self.devices.iter_mut().find(|known| known.id == *device) {
                    known.chain = chain.clone();
                }
            }
            Event::PresenceChanged { device, presence } => {
                if let Some(known) = self.devices.iter_mut().find(|known| known.id == *device) {
                    known.presence = *presence;
                }
            }
            Event::MemberChanged(member) => {
                if member.id == self.own.id {
                    self.own.handle.clone_from(&member.handle);
                    self.own.display_name.clone_from(&member.display_name);
                }
                match self.members.iter_mut().find(|known| known.id == member.id) {
                    Some(known) => *known = member.clone(),
                    None => self.members.push(member.clone()),
                }
            }
            Event::DeviceSettingsChanged {
                device,
                label,
                settings,
            } => {
                if let Some(known) = self.devices.iter_mut().find(|known| known.id == *device) {
                    known.label.clone_from(label);
                    known.settings.clone_from(settings);
                }
            }
            Event::DoNotDisturbChanged(now) => self.settings.do_not_disturb.clone_from(now),
            Event::BlocksChanged { blocked } => self.settings.blocked.clone_from(blocked),
            Event::TopContactChanged { top_contact } => {
                self.settings.top_contact.clone_from(top_contact);
            }
            Event::ContactPut(card) => self.take_card(identity, card),
            Event::ContactDeleted { contact } => {
                self.contacts.remove(contact);
                self.signers.remove(contact);
            }
            Event::AnswerPolicyPut(policy) => self.take_policy(identity, policy),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check_own(&self, identity: &Identity) -> Result<(), HomeError> {
        match self
            .roster
            .devices()
            .contains_key(&identity.device_key.public())
        {
            true => Ok(()),
            false => Err(HomeError::Removed),
        }
    }

    /// The own chain is taken over when it is newer and holds.
    fn take_chain(&self, identity: &mut Identity, device: DeviceId, chain: &Blob, now: UnixMs) {
        let own = identity.device_key.public();
        if device != homeline_e2ee::ids::device_id(own) {
            return;
        }
        // A chain that hangs on a removed device counts no more, however long it would last.
        let ends = verify_chain(&identity.chain, now)
            .ok()
            .filter(|known| self.roster.admits(known))
            .map(|known| known.not_after);
        if let Ok(newer) = verify_chain_bytes(&chain.0, now)
            && self.roster.admits(&newer)
            && newer.device_key == own
            && ends.is_none_or(|ends| newer.not_after > ends)
            && let Ok(chain) = Chain::decode(&chain.0)
        {
            identity.chain = chain;
        }
    }

    fn take_card(&mut self, identity: &mut Identity, shown: &Contact) {
        let seen = identity.seen(store::Signed::Contact(shown.id));
        let opened = Signed::decode(&shown.card.0).ok().and_then(|signed| {
            let card = contact::Contact::open(&signed, &self.roster, seen).ok()?;
            Some((card, signed.signer))
        });
        let room = self.contacts.len() < CONTACTS_MAX || self.contacts.contains_key(&shown.id);
        match opened.filter(|(card, _)| card.id == shown.id && room) {
            Some((card, signer)) => {
                identity.saw(store::Signed::Contact(card.id), card.revision);
                self.signers.insert(card.id, signer);
                match card.pin {
                    Pin::Deleted => self.contacts.remove(&card.id),
                    _ => self.contacts.insert(card.id, card),
                };
            }
            None => self.refused += 1,
        }
    }

    fn take_policy(&mut self, identity: &mut Identity, shown: &session::AnswerPolicy) {
        let own = identity.device_key.public();
        if shown.device != homeline_e2ee::ids::device_id(own) {
            return;
        }
        let seen = identity.seen(store::Signed::OwnAnswerPolicy);
        let opened = Signed::decode(&shown.policy.0)
            .ok()
            .and_then(|signed| AnswerPolicy::open(&signed, &self.roster, own, seen).ok());
        match opened {
            Some(policy) => {
                identity.saw(store::Signed::OwnAnswerPolicy, policy.revision);
                self.policy = Some(policy);
            }
            None => self.refused += 1,
        }
    }
}

/// What the household says.
impl Household {
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The person this client speaks for.
    pub fn own(&self) -> &Account {
        &self.own
    }

    /// What this person has set for themself: do not disturb, blocks, the top contact.
    pub fn settings(&self) -> &PersonSettings {
        &self.settings
    }

    pub fn members(&self) -> &[Member] {
        &self.members
    }

    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    pub fn contacts(&self) -> impl Iterator<Item = &contact::Contact> {
        self.contacts.values()
    }

    /// Cards that somebody signed who may no more: an adult's app that knows them from before signs them
    /// anew, since they would not hold for whoever opens them next.
    pub(crate) fn orphans(&self) -> Vec<contact::Contact> {
        let orphaned = |card: &&contact::Contact| {
            let signer = self.signers.get(&card.id);
            signer.is_some_and(|signer| !self.roster.is_adult(*signer))
        };
        self.contacts.values().filter(orphaned).cloned().collect()
    }

    /// Signed statements that did not hold and were left out.
    pub fn refused(&self) -> u32 {
        self.refused
    }

    /// A contact by the name the family uses, or by handle.
    pub fn find_contact(&self, wanted: &str) -> Option<&contact::Contact> {
        let named = |card: &&contact::Contact| card.name.to_lowercase() == wanted.to_lowercase();
        let handle = wanted.trim_start_matches('@').to_lowercase();
        self.contacts()
            .find(named)
            .or_else(|| self.by_handle(&handle))
    }

    fn by_handle(&self, handle: &str) -> Option<&contact::Contact> {
        self.contacts().find(|card| card.handle == handle)
    }

    /// Whose household may be at the other end of a call with this handle.
    pub fn pinned(&self, handle: &str, identity: &Identity) -> Option<PublicKey> {
        if self
            .members
            .iter()
            .any(|member| member.handle.as_str() == handle)
        {
            return Some(self.roster.genesis_key());
        }
        let card = self.by_handle(handle).and_then(|card| card.pin.key());
        card.or_else(|| identity.first_contact(handle))
    }

    /// Who it is that calls from `genesis` under `handle`, by the family's own name for them.
    ///
    /// # Errors
    /// When another household is pinned for the handle.
    pub fn person(
        &self,
        genesis: PublicKey,
        handle: &str,
        display_name: &str,
        identity: &Identity,
    ) -> Result<Person, KeyChanged> {
        let pinned = self.pinned(handle, identity);
        if pinned.is_some_and(|pinned| pinned != genesis) {
            return Err(KeyChanged);
        }
        let card = self.by_handle(handle);
        let trust = match card.map(|card| card.pin) {
            _ if genesis == self.roster.genesis_key() => Trust::Family,
            Some(Pin::Verified(_)) => Trust::Verified,
            _ if pinned.is_some() => Trust::Unverified,
            _ => Trust::FirstContact,
        };
        let name = card
            .map_or(display_name, |card| card.name.as_str())
            .to_owned();
        Ok(Person {
            name,
            handle: handle.to_owned(),
            trust,
        })
    }

    /// Own household, and one other.
    pub fn expect(&self, other: Option<PublicKey>) -> Expect {
        let own = Expect::own_household(self.roster.clone());
        match other {
            Some(genesis) if genesis != self.roster.genesis_key() => own.and(genesis),
            _ => own,
        }
    }

    /// Whether this device may answer by itself; `None`: it asks.
    pub fn answer_mode(&self, genesis: PublicKey, person: &str) -> Option<Mode> {
        self.policy
            .as_ref()
            .and_then(|policy| policy.mode_for(genesis, person))
    }
}
