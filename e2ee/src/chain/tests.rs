//! What a chain proves, and everything that makes it prove nothing.

use super::*;
use crate::testkit::{House, NOW, key};
use crate::time::DAY_MS;

fn house_and_device() -> (House, Chain) {
    let mut house = House::new(10);
    let chain = house.add_home_device(&key(20));
    (house, chain)
}

#[test]
fn a_device_is_who_its_chain_says() {
    let (house, chain) = house_and_device();
    let identity = verify_chain_bytes(&chain.encode(), NOW).unwrap();
    assert_eq!(identity.genesis, house.genesis.public());
    assert_eq!(identity.device_key, key(20).public());
    assert_eq!(identity.device, ids::device_id(key(20).public()));
    assert_eq!(identity.kind, Kind::HomeDevice);
    assert_eq!(
        (identity.person.as_str(), identity.label.as_str()),
        ("anna", "Phone")
    );
    assert!(house.roster.admits(&identity));
}

#[test]
fn no_byte_of_a_chain_can_be_changed() {
    let (_, chain) = house_and_device();
    let bytes = chain.encode();
    for position in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[position] ^= 4;
        assert!(
            verify_chain_bytes(&tampered, NOW).is_err(),
            "byte {position}"
        );
    }
}

#[test]
fn a_chain_is_valid_from_its_start_to_its_end_give_or_take_the_skew() {
    let (_, chain) = house_and_device();
    let end = NOW.plus(30 * DAY_MS);
    let skew = CLOCK_SKEW_MS;
    assert!(verify_chain(&chain, NOW.minus(skew)).is_ok());
    let early = verify_chain(&chain, NOW.minus(skew + 1));
    assert_eq!(early, Err(ChainError::NotYet { link: 0 }));
    assert!(verify_chain(&chain, end.plus(skew)).is_ok());
    let late = verify_chain(&chain, end.plus(skew + 1));
    assert_eq!(late, Err(ChainError::Expired { link: 0 }));
}

#[test]
fn an_expired_signer_ends_the_chain_too() {
    let house = House::new(10);
    let mut old = house.certificate(house.app.public(), Kind::App, Rights::ADULT);
    old.not_before = NOW.minus(40 * DAY_MS);
    old.not_after = NOW.minus(10 * DAY_MS);
    let leaf = house.certificate(key(20).public(), Kind::HomeDevice, Rights::NONE);
    let chain = Chain(vec![leaf.sign(&house.app), old.sign(&house.genesis)]);
    assert_eq!(
        verify_chain(&chain, NOW),
        Err(ChainError::Expired { link: 1 })
    );
}

#[test]
fn only_an_adult_app_or_a_recovery_key_certifies() {
    let house = House::new(10);
    let child = key(30);
    let leaf = house
        .certificate(key(20).public(), Kind::HomeDevice, Rights::NONE)
        .sign(&child);
    let refused = Err(ChainError::SignerMayNot { link: 0 });
    for (kind, rights) in [(Kind::App, Rights::NONE), (Kind::HomeDevice, Rights::NONE)] {
        let signer = house
            .certificate(child.public(), kind, rights)
            .sign(&house.genesis);
        assert_eq!(
            verify_chain(&Chain(vec![leaf.clone(), signer]), NOW),
            refused
        );
    }
    let recovery = house.certificate(child.public(), Kind::RecoveryKey, Rights::ADULT);
    let recovery = recovery.sign(&house.genesis);
    assert!(verify_chain(&Chain(vec![leaf, recovery.clone()]), NOW).is_ok());
    assert_eq!(
        verify_chain(&Chain(vec![recovery]), NOW),
        Err(ChainError::NotADevice)
    );
}

#[test]
fn links_of_two_households_do_not_make_a_chain() {
    let (ours, theirs) = (House::new(10), House::new(40));
    let foreign = theirs.certificate(key(20).public(), Kind::HomeDevice, Rights::NONE);
    let chain = ours.app_chain().extended(foreign.sign(&ours.app));
    assert_eq!(
        verify_chain(&chain, NOW),
        Err(ChainError::OtherHousehold { link: 1 })
    );
    let usurped = ours.certificate(key(20).public(), Kind::App, Rights::ADULT);
    let chain = Chain(vec![usurped.sign(&theirs.genesis)]);
    assert_eq!(
        verify_chain(&chain, NOW),
        Err(ChainError::WrongSigner { link: 0 })
    );
    let skipped = ours.certificate(key(20).public(), Kind::App, Rights::ADULT);
    let chain = ours.app_chain().extended(skipped.sign(&key(21)));
    assert_eq!(
        verify_chain(&chain, NOW),
        Err(ChainError::WrongSigner { link: 0 })
    );
}

#[test]
fn an_adult_home_device_and_an_overlong_certificate_are_refused() {
    let house = House::new(10);
    let adult = house.certificate(key(20).public(), Kind::HomeDevice, Rights::ADULT);
    let chain = Chain(vec![adult.sign(&house.genesis)]);
    let error = CertificateError::AdultHomeDevice;
    assert_eq!(
        verify_chain(&chain, NOW),
        Err(ChainError::Certificate { link: 0, error })
    );
    let mut long = house.certificate(key(20).public(), Kind::App, Rights::NONE);
    long.not_after = NOW.plus(400 * DAY_MS);
    let chain = Chain(vec![long.sign(&house.genesis)]);
    let error = CertificateError::TooLong;
    assert_eq!(
        verify_chain(&chain, NOW),
        Err(ChainError::Certificate { link: 0, error })
    );
}

#[test]
fn a_chain_has_one_to_six_links() {
    let house = House::new(10);
    let one = house.app_chain().0[0].clone();
    assert_eq!(verify_chain(&Chain(vec![]), NOW), Err(ChainError::Length));
    assert_eq!(
        verify_chain(&Chain(vec![one.clone(); 7]), NOW),
        Err(ChainError::Length)
    );
    let seven = Chain(vec![one; 7]).encode();
    assert!(matches!(
        Chain::decode(&seven),
        Err(DecodeError::TooMany { .. })
    ));
}

#[test]
fn a_certificate_is_renewed_in_its_last_ten_days() {
    let certificate = House::new(10).certificate(key(20).public(), Kind::App, Rights::NONE);
    assert!(!certificate.needs_renewal(NOW.plus(20 * DAY_MS)));
    assert!(certificate.needs_renewal(NOW.plus(20 * DAY_MS + 1)));
}
