//! A pairing that works, and a server in between that gets nowhere.

use super::*;
use crate::certificate::{Kind, Rights};
use crate::chain::Chain;
use crate::key::PublicKey;
use crate::signed::Signed;
use crate::testkit::{House, NOW, key};

fn device() -> DevicePairing {
    DevicePairing::new(
        key(20).public(),
        Kind::HomeDevice,
        "Kitchen".to_owned(),
        [5; 32],
    )
}

fn app(house: &House, commit_d: [u8; 32]) -> AppPairing {
    AppPairing::new(
        house.genesis.public(),
        house.app.public(),
        [6; 32],
        commit_d,
    )
}

/// Both sides up to the digits.
fn up_to_digits(house: &House) -> (DevicePairing, AppPairing, Digits) {
    let mut device = device();
    let mut app = app(house, device.offer());
    let reveal = device.accepted(app.accept()).unwrap();
    assert_eq!(DeviceReveal::decode(&reveal.encode()), Ok(reveal.clone()));
    let answer = app.revealed(&reveal).unwrap();
    let digits = device.revealed(&answer).unwrap();
    (device, app, digits)
}

fn entries(house: &House) -> Vec<Vec<u8>> {
    house.entries.iter().map(Signed::encode).collect()
}

#[test]
fn a_device_pairs_and_pins_the_household() {
    let mut house = House::new(10);
    let (mut device, mut app, digits) = up_to_digits(&house);
    let typed = format!("{} {}", &digits.text()[..3], &digits.text()[3..]);
    let added = app.enter(&typed).unwrap();
    assert_eq!(
        (added.device_key, added.kind),
        (key(20).public(), Kind::HomeDevice)
    );
    assert_eq!(added.label, "Kitchen");
    let chain = house.add_home_device(&key(20));
    let paired = device.finish(&chain, entries(&house), NOW).unwrap();
    assert_eq!(paired.identity.genesis, house.genesis.public());
    assert_eq!(paired.roster, house.roster);
}

#[test]
fn there_is_one_try_at_the_digits() {
    let house = House::new(10);
    let (_, mut app, digits) = up_to_digits(&house);
    assert_eq!(app.enter("abc"), Err(PairingError::WrongDigits));
    assert_eq!(app.enter(&digits.text()), Err(PairingError::OutOfOrder));
}

#[test]
fn keys_swapped_after_the_commitment_stop_the_pairing() {
    let house = House::new(10);
    let mut device = device();
    let mut app = app(&house, device.offer());
    let mut reveal = device.accepted(app.accept()).unwrap();
    let mut answer = app.revealed(&reveal).unwrap();
    answer.genesis = key(77).public();
    assert!(matches!(
        device.revealed(&answer),
        Err(PairingError::BrokenCommitment)
    ));
    reveal.device_key = key(78).public();
    let mut late = self::app(&house, self::device().offer());
    assert_eq!(late.revealed(&reveal), Err(PairingError::BrokenCommitment));
}

#[test]
fn a_server_with_keys_of_its_own_on_both_sides_shows_other_digits() {
    let (house, evil) = (House::new(10), House::new(40));
    let mut device = device();
    let mut towards_device = app(&evil, device.offer());
    let mut posing = DevicePairing::new(
        key(66).public(),
        Kind::HomeDevice,
        "Kitchen".to_owned(),
        [7; 32],
    );
    let mut app = app(&house, posing.offer());
    let answer = app
        .revealed(&posing.accepted(app.accept()).unwrap())
        .unwrap();
    let digits_at_app = posing.revealed(&answer).unwrap();
    let reveal = device.accepted(towards_device.accept()).unwrap();
    let digits_at_device = device
        .revealed(&towards_device.revealed(&reveal).unwrap())
        .unwrap();
    assert_ne!(digits_at_device.text(), digits_at_app.text());
    assert_eq!(
        app.enter(&digits_at_device.text()),
        Err(PairingError::WrongDigits)
    );
}

#[test]
fn a_device_refuses_a_chain_or_roster_that_the_pairing_did_not_promise() {
    let mut house = House::new(10);
    let mut evil = House::new(40);
    let fresh = || up_to_digits(&House::new(10)).0;
    let chain = house.add_home_device(&key(20));
    let evil_chain = evil.add_home_device(&key(20));
    let refused = fresh().finish(&evil_chain, entries(&house), NOW);
    assert_eq!(refused, Err(PairedError::OtherHousehold));
    let refused = fresh().finish(&chain, entries(&evil), NOW);
    assert_eq!(refused, Err(PairedError::OtherHousehold));
    let refused = fresh().finish(&chain, entries(&House::new(10)), NOW);
    assert_eq!(refused, Err(PairedError::NotListed));
    let other = house.certificate(PublicKey([1; 32]), Kind::HomeDevice, Rights::NONE);
    let other = Chain(vec![other.sign(&house.genesis)]);
    let refused = fresh().finish(&other, entries(&house), NOW);
    assert_eq!(refused, Err(PairedError::OtherDevice));
}

#[test]
fn steps_out_of_order_are_refused() {
    let house = House::new(10);
    let mut early = device();
    let answer = AppReveal {
        genesis: house.genesis.public(),
        app_key: house.app.public(),
        nonce: [6; 32],
    };
    assert!(matches!(
        early.revealed(&answer),
        Err(PairingError::OutOfOrder)
    ));
    early.accepted(answer.commitment()).unwrap();
    assert!(matches!(
        early.accepted(answer.commitment()),
        Err(PairingError::OutOfOrder)
    ));
    let mut app = app(&house, early.offer());
    assert_eq!(app.enter("000000"), Err(PairingError::OutOfOrder));
}
