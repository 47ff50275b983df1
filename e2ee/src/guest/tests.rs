//! What a guest's certificate, proof and link show, and what they never pass for.

use super::*;
use crate::certificate::{CertificateError, GUEST_LIFETIME_MS};
use crate::chain::verify_chain;
use crate::group::Expect;
use crate::introduction::{CallInvitation, InvitationError};
use crate::roster::{Change, RosterError};
use crate::testkit::{House, NOW, key};
use crate::time::CLOCK_SKEW_MS;
use homeline_protocol::id::CallId;

const LINK: CallLinkId = CallLinkId([6; 16]);

fn certificate(key: &PrivateKey, label: &str) -> Certificate {
    Certificate::open(&guest_chain(key, label, NOW).0[0]).unwrap()
}

fn verified(certificate: &Certificate, signer: &PrivateKey) -> Result<Identity, ChainError> {
    verify_chain(&Chain(vec![certificate.sign(signer)]), NOW)
}

#[test]
fn a_guest_is_a_household_of_one_for_a_day() {
    let bob = key(80);
    let chain = guest_chain(&bob, "Uncle Bob", NOW);
    let identity = verify_chain_bytes(&chain.encode(), NOW).unwrap();
    assert!(identity.is_guest());
    assert_eq!(identity.label, "Uncle Bob");
    assert_eq!(
        (identity.genesis, identity.device_key),
        (bob.public(), bob.public())
    );
    assert_eq!(identity.household, ids::household_id(bob.public()));
    assert_eq!(identity.device, ids::device_id(bob.public()));
    let last = NOW.plus(GUEST_LIFETIME_MS + CLOCK_SKEW_MS);
    assert!(verify_chain(&chain, last).is_ok());
    let expired = Err(ChainError::Expired { link: 0 });
    assert_eq!(verify_chain(&chain, last.plus(1)), expired);
}

#[test]
fn anything_else_of_kind_four_is_refused() {
    let (bob, other) = (key(80), key(81));
    let good = certificate(&bob, "Bob");
    assert!(verified(&good, &bob).is_ok());
    let form = |error| Err(ChainError::Certificate { link: 0, error });
    type Change = fn(&mut Certificate);
    let changes: [(Change, CertificateError); 8] = [
        (
            |one| one.rights = Rights::ADULT,
            CertificateError::GuestForm,
        ),
        (
            |one| one.person = "anna".to_owned(),
            CertificateError::GuestForm,
        ),
        (|one| one.label = String::new(), CertificateError::GuestForm),
        (
            |one| one.label = "ü".repeat(41),
            CertificateError::GuestForm,
        ),
        (|one| one.roster_seq = 1, CertificateError::GuestForm),
        (
            |one| one.subject = key(81).public(),
            CertificateError::GuestForm,
        ),
        (
            |one| one.genesis = key(81).public(),
            CertificateError::GuestForm,
        ),
        (
            |one| one.not_after = one.not_after.plus(1),
            CertificateError::TooLong,
        ),
    ];
    for (change, error) in changes {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(verified(&changed, &bob), form(error));
    }
    assert_eq!(verified(&good, &other), form(CertificateError::GuestForm));
    let mut longest = good.clone();
    longest.label = "ü".repeat(40);
    assert!(verified(&longest, &bob).is_ok());
}

#[test]
fn a_guest_certifies_nobody_and_is_certified_by_nobody() {
    let house = House::new(10);
    let bob = key(80);
    let guest = guest_chain(&bob, "Bob", NOW).0[0].clone();
    let mut device = house.certificate(key(81).public(), Kind::App, Rights::NONE);
    device.genesis = bob.public();
    let above = house.app_chain().0[0].clone();
    for chain in [
        vec![device.sign(&bob), guest.clone()],
        vec![guest.clone(), guest.clone()],
        vec![guest, above],
    ] {
        assert_eq!(
            verify_chain(&Chain(chain), NOW),
            Err(ChainError::GuestChain)
        );
    }
}

#[test]
fn a_guest_is_never_of_a_household() {
    let mut house = House::new(10);
    let bob = key(80);
    let identity = verify_chain(&guest_chain(&bob, "Bob", NOW), NOW).unwrap();
    assert!(!house.roster.admits(&identity));
    let (kind, rights) = (Kind::Guest, Rights::NONE);
    let (device, app) = (bob.public(), house.app.clone());
    let (person, label) = ("anna".to_owned(), "Bob".to_owned());
    let entry = house.roster.next_entry(
        Change::AddDevice {
            device,
            kind,
            rights,
            person,
            label,
        },
        NOW,
        &app,
    );
    assert_eq!(house.roster.append(&entry), Err(RosterError::NotADevice));
    // Not even one who holds the household's own key.
    let own = verify_chain(&guest_chain(&house.genesis, "Bob", NOW), NOW).unwrap();
    assert!(!house.roster.admits(&own));
    let expect = Expect::own_household(house.roster.clone());
    assert!(expect.allows(&own).is_err() && expect.allows(&identity).is_err());
}

#[test]
fn who_is_expected_as_a_household_is_refused_as_a_guest_and_the_other_way_round() {
    let house = House::new(10);
    let bob = key(80);
    let guest = verify_chain(&guest_chain(&bob, "Bob", NOW), NOW).unwrap();
    let mut app = house.certificate(key(81).public(), Kind::App, Rights::ADULT);
    app.genesis = bob.public();
    let app = verified(&app, &bob).unwrap();
    let own = || Expect::own_household(house.roster.clone());
    let (household, exactly) = (own().and(bob.public()), own().and_guest(bob.public()));
    assert!(household.allows(&app).is_ok() && household.allows(&guest).is_err());
    assert!(exactly.allows(&guest).is_ok() && exactly.allows(&app).is_err());
    // What is known stays known, whoever vouches for the key besides.
    let (household, exactly) = (
        household.and_whoever(bob.public()),
        exactly.and_whoever(bob.public()).and(bob.public()),
    );
    assert!(household.allows(&guest).is_err() && exactly.allows(&app).is_err());
    let whoever = own().and_whoever(bob.public());
    assert!(whoever.allows(&guest).is_ok() && whoever.allows(&app).is_ok());
    let alone = Expect::own_guest(bob.public());
    assert!(alone.allows(&guest).is_ok() && alone.allows(&app).is_err());
}

#[test]
fn a_guest_can_call_nobody() {
    let (bob, call) = (key(80), CallId([3; 16]));
    let chain = guest_chain(&bob, "Bob", NOW);
    let signed = CallInvitation::new(call, NOW, "anna", "Bob", false, &chain).sign(&bob);
    let opened = CallInvitation::open(&signed, call, &["anna"], NOW);
    assert_eq!(opened.err(), Some(InvitationError::Guest));
}

#[test]
fn a_knock_is_proven_by_the_links_secret() {
    let (secret, other) = (GuestSecret([1; 32]), GuestSecret([2; 32]));
    let bob = key(80);
    let chain = guest_chain(&bob, "Bob", NOW).encode();
    let proof = secret.proof(LINK, bob.public());
    let opened = secret.open_knock(LINK, &chain, &proof, NOW).unwrap();
    assert_eq!(opened.label, "Bob");
    let wrong = |secret: &GuestSecret, link, chain: &[u8], proof: &[u8]| {
        secret.open_knock(link, chain, proof, NOW).err()
    };
    let wrong_proof = Some(KnockError::WrongProof);
    assert_eq!(wrong(&other, LINK, &chain, &proof), wrong_proof);
    assert_eq!(wrong(&secret, LINK, &chain, &proof[..31]), wrong_proof);
    let elsewhere = CallLinkId([7; 16]);
    assert_eq!(wrong(&secret, elsewhere, &chain, &proof), wrong_proof);
    let mallory = guest_chain(&key(81), "Bob", NOW).encode();
    assert_eq!(wrong(&secret, LINK, &mallory, &proof), wrong_proof);
    let house = House::new(10);
    let proof = secret.proof(LINK, house.app.public());
    let app = house.app_chain().encode();
    assert_eq!(
        wrong(&secret, LINK, &app, &proof),
        Some(KnockError::NotAGuest)
    );
}

#[test]
fn a_link_survives_its_text_and_knows_its_household() {
    let house = House::new(10);
    let link = GuestLink {
        link: LINK,
        secret: GuestSecret([7; 32]),
        fingerprint: ids::fingerprint(house.genesis.public()),
    };
    let text = format!("https://home.example/{}", *link.fragment());
    assert!(GuestLink::parse(&text).unwrap() == link);
    let caller = verify_chain(&house.app_chain(), NOW).unwrap();
    assert!(link.is_from(&caller));
    let other = verify_chain(&House::new(40).app_chain(), NOW).unwrap();
    assert!(!link.is_from(&other));
    let guest = verify_chain(&guest_chain(&house.genesis, "Bob", NOW), NOW).unwrap();
    assert!(!link.is_from(&guest));
    for text in ["", "#guest/", "#guest/a/b/c", "#join/a/b/c", "#guest/06/x"] {
        assert!(GuestLink::parse(text).is_err(), "{text}");
    }
}
