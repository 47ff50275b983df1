//! A made-up household for the tests: keys from fixed seeds, chains and a roster.

use crate::certificate::{Certificate, Kind, Rights};
use crate::chain::Chain;
use crate::key::{PrivateKey, PublicKey};
use crate::recovery::RecoveryCode;
use crate::roster::{Change, Entry, Roster};
use crate::signed::Signed;
use crate::time::UnixMs;

pub(crate) const NOW: UnixMs = UnixMs(1_790_000_000_000);

pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

/// A household with its founder's app, all keys derived from one number.
pub(crate) struct House {
    pub(crate) genesis: PrivateKey,
    pub(crate) app: PrivateKey,
    pub(crate) entries: Vec<Signed>,
    pub(crate) roster: Roster,
}

impl House {
    pub(crate) fn new(seed: u8) -> Self {
        let genesis = key(seed);
        let app = key(seed + 1);
        let recovery = RecoveryCode::from_bytes([seed; 20]).signing_key().public();
        let change = Change::Genesis {
            household_name: "Family".to_owned(),
            recovery,
        };
        let first = Entry {
            genesis: genesis.public(),
            seq: 0,
            prev: [0; 32],
            at: NOW,
            change,
        };
        let first = first.sign(&genesis);
        let roster = Roster::genesis(&first).unwrap();
        let mut house = Self {
            genesis,
            app,
            entries: vec![first],
            roster,
        };
        let app = house.app.public();
        house.enter(app, Kind::App, Rights::ADULT, house.genesis.clone());
        house
    }

    pub(crate) fn enter(&mut self, device: PublicKey, kind: Kind, rights: Rights, by: PrivateKey) {
        let (person, label) = ("anna".to_owned(), "Phone".to_owned());
        self.change(
            Change::AddDevice {
                device,
                kind,
                rights,
                person,
                label,
            },
            &by,
        );
    }

    pub(crate) fn change(&mut self, change: Change, by: &PrivateKey) {
        let entry = self.roster.next_entry(change, NOW, by);
        self.roster.append(&entry).unwrap();
        self.entries.push(entry);
    }

    pub(crate) fn certificate(
        &self,
        subject: PublicKey,
        kind: Kind,
        rights: Rights,
    ) -> Certificate {
        let (not_before, not_after) = Certificate::validity(kind, NOW);
        Certificate {
            genesis: self.genesis.public(),
            subject,
            kind,
            rights,
            person: "anna".to_owned(),
            label: "Phone".to_owned(),
            not_before,
            not_after,
            roster_seq: self.roster.seq(),
        }
    }

    pub(crate) fn app_chain(&self) -> Chain {
        let leaf = self.certificate(self.app.public(), Kind::App, Rights::ADULT);
        Chain(vec![leaf.sign(&self.genesis)])
    }

    /// A home device, entered and certified by the founder's app.
    pub(crate) fn add_home_device(&mut self, device: &PrivateKey) -> Chain {
        let by = self.app.clone();
        self.enter(device.public(), Kind::HomeDevice, Rights::NONE, by);
        let leaf = self.certificate(device.public(), Kind::HomeDevice, Rights::NONE);
        self.app_chain().extended(leaf.sign(&self.app))
    }
}
