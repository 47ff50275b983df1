//! How a roster grows, and what it refuses.

use super::*;
use crate::certificate::{Kind, Rights};
use crate::chain::verify_chain;
use crate::key::PrivateKey;
use crate::recovery::RecoveryCode;
use crate::signed::Signed;
use crate::testkit::{House, NOW, key};

fn add(device: &PrivateKey, kind: Kind, rights: Rights) -> Change {
    let (person, label) = ("ben".to_owned(), "Tablet".to_owned());
    Change::AddDevice {
        device: device.public(),
        kind,
        rights,
        person,
        label,
    }
}

fn try_append(house: &House, change: Change, by: &PrivateKey) -> Result<(), RosterError> {
    let mut roster = house.roster.clone();
    let entry = roster.next_entry(change, NOW, by);
    roster.append(&entry)
}

#[test]
fn a_roster_folds_to_the_household_of_now() {
    let mut house = House::new(10);
    let (tablet, speaker) = (key(20), key(21));
    let app = house.app.clone();
    house.change(add(&tablet, Kind::App, Rights::NONE), &app);
    house.change(add(&speaker, Kind::HomeDevice, Rights::NONE), &app);
    house.change(
        Change::SetRights {
            device: tablet.public(),
            rights: Rights::ADULT,
        },
        &app,
    );
    house.change(
        Change::RemoveDevice {
            device: speaker.public(),
        },
        &tablet,
    );
    let entries = house.entries.iter().map(Signed::encode);
    let roster = Roster::from_entries(entries).unwrap();
    assert_eq!(roster, house.roster);
    assert_eq!((roster.name(), roster.seq()), ("Family", 5));
    assert!(roster.is_adult(tablet.public()));
    assert!(roster.has_removed(speaker.public()));
    assert_eq!(roster.devices().len(), 2);
}

#[test]
fn who_may_not_sign_changes_nothing() {
    let mut house = House::new(10);
    let (child, speaker, stranger) = (key(20), key(21), key(22));
    let app = house.app.clone();
    house.change(add(&child, Kind::App, Rights::NONE), &app);
    house.change(add(&speaker, Kind::HomeDevice, Rights::NONE), &app);
    let change = add(&key(30), Kind::App, Rights::NONE);
    for signer in [&child, &speaker, &stranger] {
        let refused = try_append(&house, change.clone(), signer);
        assert_eq!(refused, Err(RosterError::SignerMayNot));
    }
    house.change(
        Change::RemoveDevice {
            device: app.public(),
        },
        &house.genesis.clone(),
    );
    assert_eq!(
        try_append(&house, change, &app),
        Err(RosterError::SignerMayNot)
    );
}

#[test]
fn the_recovery_key_in_force_signs_and_the_one_before_does_not() {
    let mut house = House::new(10);
    let (first, second) = (
        RecoveryCode::from_bytes([10; 20]),
        RecoveryCode::from_bytes([99; 20]),
    );
    let change = add(&key(20), Kind::App, Rights::ADULT);
    assert_eq!(
        try_append(&house, change.clone(), &first.signing_key()),
        Ok(())
    );
    let app = house.app.clone();
    house.change(
        Change::RecoveryKey {
            recovery: second.signing_key().public(),
        },
        &app,
    );
    let refused = Err(RosterError::SignerMayNot);
    assert_eq!(
        try_append(&house, change.clone(), &first.signing_key()),
        refused
    );
    assert_eq!(try_append(&house, change, &second.signing_key()), Ok(()));
}

#[test]
fn entries_of_the_wrong_place_kind_or_household_are_refused() {
    let mut house = House::new(10);
    let app = house.app.clone();
    let same_again = add(&app, Kind::App, Rights::NONE);
    assert_eq!(
        try_append(&house, same_again.clone(), &app),
        Err(RosterError::KnownDevice)
    );
    let unknown = Change::RemoveDevice {
        device: key(50).public(),
    };
    assert_eq!(
        try_append(&house, unknown, &app),
        Err(RosterError::UnknownDevice)
    );
    let adult = add(&key(20), Kind::HomeDevice, Rights::ADULT);
    assert_eq!(
        try_append(&house, adult, &app),
        Err(RosterError::AdultHomeDevice)
    );
    let recovery = add(&key(20), Kind::RecoveryKey, Rights::ADULT);
    assert_eq!(
        try_append(&house, recovery, &app),
        Err(RosterError::NotADevice)
    );
    let genesis = house.entries[0].clone();
    let expected = Err(RosterError::Sequence {
        expected: 2,
        found: 0,
    });
    assert_eq!(house.roster.append(&genesis), expected);
    let other = House::new(40);
    let foreign = other.roster.next_entry(same_again, NOW, &other.app);
    assert_eq!(
        house.roster.append(&foreign),
        Err(RosterError::OtherHousehold)
    );
    house.change(
        Change::RemoveDevice {
            device: app.public(),
        },
        &house.genesis.clone(),
    );
    let back = add(&app, Kind::App, Rights::ADULT);
    let refused = try_append(&house, back, &house.genesis.clone());
    assert_eq!(refused, Err(RosterError::KnownDevice));
}

#[test]
fn a_forked_or_shortened_roster_is_a_rollback() {
    let mut house = House::new(10);
    let app = house.app.clone();
    let short = house.roster.clone();
    house.change(add(&key(20), Kind::App, Rights::NONE), &app);
    let seen = house.roster.pin();
    assert_eq!(short.check_against(seen), Err(Rollback));
    let mut fork = short;
    let entry = fork.next_entry(add(&key(21), Kind::App, Rights::NONE), NOW, &app);
    fork.append(&entry).unwrap();
    assert_eq!(fork.check_against(seen), Err(Rollback));
    house.change(add(&key(22), Kind::App, Rights::NONE), &app);
    assert_eq!(house.roster.check_against(seen), Ok(()));
}

#[test]
fn an_entry_that_skips_one_or_hangs_elsewhere_is_refused() {
    let mut house = House::new(10);
    let app = house.app.clone();
    let first = house
        .roster
        .next_entry(add(&key(20), Kind::App, Rights::NONE), NOW, &app);
    let rival = house
        .roster
        .next_entry(add(&key(21), Kind::App, Rights::NONE), NOW, &app);
    let mut ahead = house.roster.clone();
    ahead.append(&rival).unwrap();
    let on_the_rival = ahead.next_entry(add(&key(22), Kind::App, Rights::NONE), NOW, &app);
    let skipped = house.roster.append(&on_the_rival);
    assert_eq!(
        skipped,
        Err(RosterError::Sequence {
            expected: 2,
            found: 3
        })
    );
    house.roster.append(&first).unwrap();
    assert_eq!(
        house.roster.append(&on_the_rival),
        Err(RosterError::BrokenLink)
    );
}

#[test]
fn a_removed_device_or_one_certified_by_a_removed_app_is_not_admitted() {
    let mut house = House::new(10);
    let (helper, speaker) = (key(20), key(21));
    let app = house.app.clone();
    house.change(add(&helper, Kind::App, Rights::ADULT), &app);
    house.change(add(&speaker, Kind::HomeDevice, Rights::NONE), &helper);
    let middle = house
        .certificate(helper.public(), Kind::App, Rights::ADULT)
        .sign(&app);
    let leaf = house
        .certificate(speaker.public(), Kind::HomeDevice, Rights::NONE)
        .sign(&helper);
    let chain = house.app_chain().extended(middle).extended(leaf);
    let identity = verify_chain(&chain, NOW).unwrap();
    assert!(house.roster.admits(&identity));
    house.change(
        Change::RemoveDevice {
            device: helper.public(),
        },
        &app,
    );
    assert!(!house.roster.admits(&identity));
    let own = verify_chain(&house.app_chain(), NOW).unwrap();
    assert!(house.roster.admits(&own));
    house.change(
        Change::RemoveDevice {
            device: app.public(),
        },
        &house.genesis.clone(),
    );
    assert!(!house.roster.admits(&own));
}
