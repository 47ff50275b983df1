//! The checks against what clients make: ids, rosters, chains, cards, and damage to all of them.

use homeline_e2ee::certificate::{Certificate, Kind as ClientKind, Rights};
use homeline_e2ee::chain::Chain as ClientChain;
use homeline_e2ee::key::{PrivateKey, PublicKey as ClientKey};
use homeline_e2ee::pairing::DevicePairing;
use homeline_e2ee::recovery_proof::RecoveryProof;
use homeline_e2ee::roster::{Change as ClientChange, Entry as ClientEntry, Roster as ClientRoster};
use homeline_e2ee::time::UnixMs;
use homeline_e2ee::{ids, signed};
use homeline_protocol::session::DeviceKind;

use super::*;
use crate::model::UnixMillis;

const NOW: u64 = 1_795_305_600_000;

fn key(byte: u8) -> PrivateKey {
    PrivateKey::from_seed(&[byte; 32])
}

fn public(byte: u8) -> PublicKey {
    PublicKey(key(byte).public().0)
}

fn add(device: u8, kind: ClientKind, adult: bool) -> ClientChange {
    ClientChange::AddDevice {
        device: key(device).public(),
        kind,
        rights: Rights { adult },
        person: "anna".to_owned(),
        label: "phone".to_owned(),
    }
}

fn genesis() -> signed::Signed {
    let change = ClientChange::Genesis {
        household_name: "home".to_owned(),
        recovery: key(2).public(),
    };
    let genesis = key(1).public();
    ClientEntry {
        genesis,
        seq: 0,
        prev: [0; 32],
        at: UnixMs(NOW),
        change,
    }
    .sign(&key(1))
}

/// A household with an adult app (key 3): what a client holds, and the bytes.
fn household() -> (ClientRoster, Vec<Vec<u8>>) {
    let first = genesis();
    let mut roster = ClientRoster::genesis(&first).unwrap();
    let second = roster.next_entry(add(3, ClientKind::App, true), UnixMs(NOW), &key(1));
    roster.append(&second).unwrap();
    (roster, vec![first.encode(), second.encode()])
}

fn certificate(subject: ClientKey, kind: ClientKind, adult: bool) -> Certificate {
    let (not_before, not_after) = Certificate::validity(kind, UnixMs(NOW));
    Certificate {
        genesis: key(1).public(),
        subject,
        kind,
        rights: Rights { adult },
        person: "anna".to_owned(),
        label: "phone".to_owned(),
        not_before,
        not_after,
        roster_seq: 1,
    }
}

fn app_chain() -> ClientChain {
    ClientChain(vec![
        certificate(key(3).public(), ClientKind::App, true).sign(&key(1)),
    ])
}

#[test]
fn ids_and_commitments_are_those_of_clients() {
    let genesis = key(1).public();
    assert_eq!(
        household_id(PublicKey(genesis.0)),
        ids::household_id(genesis)
    );
    assert_eq!(device_id(PublicKey(genesis.0)), ids::device_id(genesis));
    let machine = DevicePairing::new(genesis, ClientKind::HomeDevice, "Küche".to_owned(), [7; 32]);
    let ours = pairing_commit(
        PublicKey(genesis.0),
        &[7; 32],
        DeviceKind::HomeDevice,
        "Küche",
    );
    assert_eq!(ours, machine.offer());
}

#[test]
fn a_roster_folds_as_it_does_for_clients() {
    let (client, entries) = household();
    let roster = Roster::from_stored(&entries).unwrap();
    assert_eq!(roster.seq(), client.seq());
    assert_eq!(
        (roster.genesis(), roster.recovery()),
        (public(1), public(2))
    );
    assert!(roster.is_adult(public(3)));
    assert!(!roster.is_adult(public(4)));
}

#[test]
fn an_entry_is_taken_from_those_who_may_and_on_the_head_only() {
    let (client, entries) = household();
    let entry = |signer: u8, change| {
        client
            .next_entry(change, UnixMs(NOW), &key(signer))
            .encode()
    };
    let kitchen = || add(4, ClientKind::HomeDevice, false);
    let not_allowed = Err(RosterError::Statement(StatementError::SignerMayNot));
    let cases = [
        ("genesis key", entry(1, kitchen()), Ok(())),
        ("recovery key", entry(2, kitchen()), Ok(())),
        ("adult app", entry(3, kitchen()), Ok(())),
        ("stranger", entry(9, kitchen()), not_allowed),
        (
            "adult home device",
            entry(3, add(4, ClientKind::HomeDevice, true)),
            Err(RosterError::DoesNotFit),
        ),
        (
            "recovery key as device",
            entry(3, add(4, ClientKind::RecoveryKey, false)),
            Err(RosterError::DoesNotFit),
        ),
        (
            "who is there",
            entry(3, add(3, ClientKind::App, false)),
            Err(RosterError::DoesNotFit),
        ),
        (
            "another genesis",
            genesis().encode(),
            Err(RosterError::Moved),
        ),
        ("an old entry", entries[1].clone(), Err(RosterError::Moved)),
    ];
    for (what, bytes, expected) in cases {
        let mut roster = Roster::from_stored(&entries).unwrap();
        let before = roster.clone();
        let result = roster.append(&bytes).map(|_| ());
        assert_eq!(result, expected, "{what}");
        assert!(
            result.is_ok() || roster == before,
            "{what}: a refused entry changes nothing"
        );
    }
}

#[test]
fn a_removed_device_never_comes_back_and_signs_nothing() {
    let (mut client, mut entries) = household();
    let push = |client: &mut ClientRoster, entries: &mut Vec<Vec<u8>>, change, signer: u8| {
        let entry = client.next_entry(change, UnixMs(NOW), &key(signer));
        client.append(&entry).unwrap();
        entries.push(entry.encode());
    };
    push(&mut client, &mut entries, add(4, ClientKind::App, true), 3);
    let removal = ClientChange::RemoveDevice {
        device: key(3).public(),
    };
    push(&mut client, &mut entries, removal, 4);
    let mut roster = Roster::from_stored(&entries).unwrap();
    let again = client
        .next_entry(add(3, ClientKind::App, true), UnixMs(NOW), &key(4))
        .encode();
    assert_eq!(roster.append(&again), Err(RosterError::DoesNotFit));
    let by_removed = client.next_entry(add(5, ClientKind::App, true), UnixMs(NOW), &key(3));
    let refused = RosterError::Statement(StatementError::SignerMayNot);
    assert_eq!(roster.append(&by_removed.encode()), Err(refused));

    // What the removed app certified is vouched for no more.
    let leaf = certificate(key(5).public(), ClientKind::HomeDevice, false).sign(&key(3));
    let chain = app_chain().extended(leaf).encode();
    let identity = Chain::verify(&chain, UnixMillis(NOW)).unwrap();
    assert!(!roster.vouches_for(&identity));
    let (_, before) = household();
    assert!(Roster::from_stored(&before).unwrap().vouches_for(&identity));
}

#[test]
fn a_chain_leads_from_the_device_to_the_genesis_key() {
    let app = Chain::verify(&app_chain().encode(), UnixMillis(NOW)).unwrap();
    assert_eq!(
        (app.genesis, app.key, app.adult),
        (public(1), public(3), true)
    );
    let leaf =
        |signer: u8, kind, adult| certificate(key(4).public(), kind, adult).sign(&key(signer));
    let child = app_chain().extended(leaf(3, ClientKind::HomeDevice, false));
    let identity = Chain::verify(&child.encode(), UnixMillis(NOW)).unwrap();
    assert_eq!(identity.issuers, [public(3)]);

    let not_adult = ClientChain(vec![
        certificate(key(5).public(), ClientKind::App, false).sign(&key(4)),
        leaf(1, ClientKind::App, false),
    ]);
    let by_stranger = app_chain().extended(leaf(9, ClientKind::HomeDevice, false));
    let recovery_leaf = certificate(key(2).public(), ClientKind::RecoveryKey, false).sign(&key(1));
    let recovery = ClientChain(vec![recovery_leaf.clone()]);
    let long = ClientChain(vec![recovery_leaf; 7]);
    for (what, chain) in [
        ("an issuer without the right", not_adult),
        ("an issuer not in the chain", by_stranger),
        ("a recovery key as device", recovery),
        ("too long", long),
        ("empty", ClientChain(vec![])),
    ] {
        let refused = Chain::verify(&chain.encode(), UnixMillis(NOW));
        assert_eq!(refused, Err(ChainError::Broken), "{what}");
    }
    let late = UnixMillis(NOW + 31 * 24 * 3600 * 1000);
    assert_eq!(
        Chain::verify(&app_chain().encode(), late),
        Err(ChainError::Expired)
    );
    let early = UnixMillis(NOW - 6 * 60 * 1000);
    assert_eq!(
        Chain::verify(&app_chain().encode(), early),
        Err(ChainError::Expired)
    );
}

#[test]
fn a_recovery_key_and_its_household_name_each_other() {
    let certificate = certificate(key(2).public(), ClientKind::RecoveryKey, false).sign(&key(1));
    let proof = |genesis: u8, by: u8| {
        RecoveryProof::new(certificate.clone(), key(genesis).public(), &key(by)).encode()
    };
    let genuine = proof(1, 2);
    let verify = |bytes: &[u8]| Chain::verify_recovery(bytes, public(1));
    assert_eq!(verify(&genuine), Ok(public(2)));
    for (what, bytes) in [
        ("bound to another genesis key", proof(9, 2)),
        ("bound by another key", proof(1, 9)),
        ("one statement", [&[0, 1], &genuine[2..]].concat()),
    ] {
        assert_eq!(verify(&bytes), Err(ChainError::Broken), "{what}");
    }
    for at in 0..genuine.len() {
        let mut damaged = genuine.clone();
        damaged[at] ^= 0x41;
        assert!(verify(&damaged).is_err(), "byte {at}");
        assert!(verify(&genuine[..at]).is_err(), "cut at {at}");
    }
    assert!(verify(&certificate.encode()).is_err());
}

#[test]
fn damage_anywhere_is_noticed_and_nothing_panics() {
    let (client, entries) = household();
    let entry = client
        .next_entry(add(4, ClientKind::App, true), UnixMs(NOW), &key(3))
        .encode();
    let chain = app_chain().encode();
    let roster = Roster::from_stored(&entries).unwrap();
    for (bytes, what) in [(&entry, "entry"), (&chain, "chain")] {
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            let taken = roster.clone().append(&damaged).is_ok()
                || Chain::verify(&damaged, UnixMillis(NOW)).is_ok();
            assert!(!taken, "{what}, byte {at}");
            let cut = &bytes[..at];
            assert!(roster.clone().append(cut).is_err(), "{what} cut at {at}");
            assert!(
                Chain::verify(cut, UnixMillis(NOW)).is_err(),
                "{what} cut at {at}"
            );
            assert!(ContactCard::open(cut, &roster).is_err());
            assert!(PolicyStatement::open(&damaged, &roster).is_err());
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(roster.clone().append(&longer).is_err());
        assert!(Chain::verify(&longer, UnixMillis(NOW)).is_err());
    }
}

#[test]
fn a_guests_chain_is_its_own_certificate_alone_and_no_households() {
    let (bob, now) = (key(80), UnixMillis(NOW));
    let chain = homeline_e2ee::guest::guest_chain(&bob, "Bob", UnixMs(NOW));
    let bytes = chain.encode();
    let guest = GuestIdentity::verify(&bytes, now).unwrap();
    assert_eq!((guest.key, guest.label.as_str()), (public(80), "Bob"));
    assert!(Chain::verify(&bytes, now).is_err());
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        assert!(GuestIdentity::verify(&damaged, now).is_err(), "byte {at}");
    }
    let app = client_chain_of_an_app();
    assert!(GuestIdentity::verify(&app, now).is_err());
    let changed = |change: fn(&mut Certificate)| {
        let mut certificate = Certificate::open(&chain.0[0]).unwrap();
        change(&mut certificate);
        ClientChain(vec![certificate.sign(&bob)]).encode()
    };
    for bytes in [
        changed(|one| one.rights = Rights::ADULT),
        changed(|one| one.person = "anna".to_owned()),
        changed(|one| one.roster_seq = 1),
        changed(|one| one.label = "b".repeat(41)),
        changed(|one| one.label = " ".to_owned()),
        changed(|one| one.subject = key(81).public()),
        changed(|one| one.not_after = one.not_after.plus(1)),
        changed(|one| one.kind = ClientKind::App),
    ] {
        assert!(GuestIdentity::verify(&bytes, now).is_err());
    }
}

fn client_chain_of_an_app() -> Vec<u8> {
    let (not_before, not_after) = Certificate::validity(ClientKind::App, UnixMs(NOW));
    let certificate = Certificate {
        genesis: key(1).public(),
        subject: key(3).public(),
        kind: ClientKind::App,
        rights: Rights::NONE,
        person: "anna".to_owned(),
        label: "phone".to_owned(),
        not_before,
        not_after,
        roster_seq: 1,
    };
    ClientChain(vec![certificate.sign(&key(1))]).encode()
}
