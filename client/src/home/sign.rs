//! What an adult's app signs for its household: certificates, cards, policies.

use homeline_e2ee::certificate::{Certificate, Kind, Rights};
use homeline_e2ee::chain::{Chain, verify_chain};
use homeline_e2ee::contact::{Contact, Pin};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::pairing::DeviceToAdd;
use homeline_e2ee::policy::{AnswerPolicy, Rule};
use homeline_e2ee::roster::Change;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, ContactId, DeviceId};

use super::Household;
use crate::store::{self, Identity};

/// A roster entry and a certificate that let a device in.
pub(crate) struct Admission {
    pub(crate) entry: Blob,
    pub(crate) chain: Blob,
}

impl Household {
    /// Whether this client may sign for its household.
    pub fn may_sign(&self, identity: &Identity) -> bool {
        self.roster().is_adult(identity.device_key.public())
    }

    pub(crate) fn admit(
        &self,
        device: &DeviceToAdd,
        account: AccountId,
        identity: &Identity,
        now: UnixMs,
    ) -> Admission {
        let rights = Rights {
            adult: device.kind == Kind::App,
        };
        let added = Change::AddDevice {
            device: device.device_key,
            kind: device.kind,
            rights,
            person: account.to_string(),
            label: device.label.clone(),
        };
        let entry = self.roster().next_entry(added, now, &identity.device_key);
        let (not_before, not_after) = Certificate::validity(device.kind, now);
        let leaf = Certificate {
            genesis: self.roster().genesis_key(),
            subject: device.device_key,
            kind: device.kind,
            rights,
            person: account.to_string(),
            label: device.label.clone(),
            not_before,
            not_after,
            roster_seq: self.roster().seq() + 1,
        };
        let chain = identity.chain.extended(leaf.sign(&identity.device_key));
        Admission {
            entry: Blob(entry.encode()),
            chain: Blob(chain.encode()),
        }
    }

    /// New chains for devices of the household whose certificates end soon, or hang on somebody who was
    /// removed. Only an adult's app has any, and only while its own chain holds, or it founded the
    /// household.
    pub(crate) fn renewals(&self, identity: &Identity, now: UnixMs) -> Vec<(DeviceId, Blob)> {
        let holds = |chain: &Chain| {
            let known = verify_chain(chain, now);
            known.is_ok_and(|known| self.roster().admits(&known))
        };
        let founded = identity.genesis_key.is_some();
        if !self.may_sign(identity) || !(founded || holds(&identity.chain)) {
            return Vec::new();
        }
        let own = homeline_e2ee::ids::device_id(identity.device_key.public());
        // The own chain first, since the others build on it; the founder renews it with genesis.
        let renewed = |shown: &homeline_protocol::session::Device| {
            let chain = Chain::decode(&shown.chain.0).ok()?;
            let leaf = Certificate::open(chain.0.first()?).ok()?;
            let known = self.roster().devices().get(&leaf.subject)?;
            if !leaf.needs_renewal(now) && holds(&chain) {
                return None;
            }
            let (not_before, not_after) = Certificate::validity(known.kind, now);
            let fresh = Certificate {
                rights: known.rights,
                kind: known.kind,
                not_before,
                not_after,
                roster_seq: self.roster().seq(),
                ..leaf
            };
            let chain = if shown.id == own {
                Chain(vec![fresh.sign(identity.genesis_key.as_ref()?)])
            } else {
                identity.chain.extended(fresh.sign(&identity.device_key))
            };
            Some((shown.id, Blob(chain.encode())))
        };
        self.devices().iter().filter_map(renewed).collect()
    }

    /// A card for a contact, one revision on.
    pub(crate) fn card(
        &self,
        id: ContactId,
        name: &str,
        handle: &str,
        pin: Pin,
        identity: &Identity,
    ) -> Blob {
        let contact = Contact {
            genesis: self.roster().genesis_key(),
            id,
            revision: identity.seen(store::Signed::Contact(id)) + 1,
            name: name.to_owned(),
            handle: handle.to_owned(),
            pin,
        };
        Blob(contact.sign(&identity.device_key).encode())
    }

    /// A roster entry that removes a device.
    pub(crate) fn removal(&self, device: PublicKey, identity: &Identity, now: UnixMs) -> Signed {
        self.roster()
            .next_entry(Change::RemoveDevice { device }, now, &identity.device_key)
    }

    /// An answer policy. Its revision is the time, which grows whichever adult's app signs.
    pub(crate) fn policy(
        &self,
        device: PublicKey,
        rules: Vec<Rule>,
        identity: &Identity,
        now: UnixMs,
    ) -> Blob {
        let genesis = self.roster().genesis_key();
        let policy = AnswerPolicy {
            genesis,
            device,
            revision: now.0,
            rules,
        };
        Blob(policy.sign(&identity.device_key).encode())
    }
}
