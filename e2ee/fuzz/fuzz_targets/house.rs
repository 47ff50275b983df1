//! A household of one app, for targets that need a member.

use homeline_e2ee::certificate::{Certificate, Kind, Rights};
use homeline_e2ee::chain::Chain;
use homeline_e2ee::group::{Credential, Expect};
use homeline_e2ee::key::PrivateKey;
use homeline_e2ee::member::CallCrypto;
use homeline_e2ee::roster::{Change, Entry, Roster};
use homeline_e2ee::time::UnixMs;
use homeline_protocol::id::CallId;

pub const NOW: UnixMs = UnixMs(1_790_000_000_000);

pub fn member() -> CallCrypto {
    let genesis = PrivateKey::from_seed(&[1; 32]);
    let app = PrivateKey::from_seed(&[2; 32]);
    let recovery = PrivateKey::from_seed(&[3; 32]).public();
    let change = Change::Genesis {
        household_name: "Fuzz".to_owned(),
        recovery,
    };
    let first = Entry {
        genesis: genesis.public(),
        seq: 0,
        prev: [0; 32],
        at: NOW,
        change,
    };
    let mut roster = Roster::genesis(&first.sign(&genesis)).expect("a genesis entry");
    let (person, label) = ("anna".to_owned(), "Phone".to_owned());
    let (device, kind, rights) = (app.public(), Kind::App, Rights::ADULT);
    let change = Change::AddDevice {
        device,
        kind,
        rights,
        person,
        label,
    };
    let entry = roster.next_entry(change, NOW, &genesis);
    roster.append(&entry).expect("the genesis key signs");
    let (not_before, not_after) = Certificate::validity(kind, NOW);
    let certificate = Certificate {
        genesis: genesis.public(),
        subject: app.public(),
        kind,
        rights,
        person: "anna".to_owned(),
        label: "Phone".to_owned(),
        not_before,
        not_after,
        roster_seq: 1,
    };
    let chain = Chain(vec![certificate.sign(&genesis)]);
    let credential = Credential::new(app, chain, NOW).expect("key and chain fit");
    CallCrypto::new(
        credential,
        CallId([4; 16]),
        Expect::own_household(roster),
        NOW,
    )
}
