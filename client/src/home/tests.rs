//! Rollbacks, foreign households, forged cards: none of them gets in.

use homeline_e2ee::contact::Pin;
use homeline_e2ee::drop_in::{Grant, Grantee, LIFETIME_MS_MAX, Opening};
use homeline_e2ee::key::PublicKey;
use homeline_e2ee::roster::Change;
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::{ContactId, GrantId};
use homeline_protocol::session::{Contact, DropInGrant, Event, Home};

use super::*;
use crate::store::Identity;
use crate::testkit::{self, Founder};

const BEN: ContactId = ContactId([2; 16]);

fn open(founder: &mut Founder) -> Result<Household, HomeError> {
    let home = founder.home();
    Household::open(&home, &mut founder.identity, founder.now)
}

fn contact(household: &Household, identity: &Identity, pin: Pin) -> Contact {
    let card = household.card(BEN, "Ben", "ben", pin, identity);
    Contact {
        id: BEN,
        name: "ignored".to_owned(),
        handle: "other".parse().unwrap(),
        card,
    }
}

#[test]
fn a_household_opens_and_its_pin_moves_on() {
    let mut founder = testkit::founder("anna");
    let mut household = open(&mut founder).unwrap();
    assert!(household.may_sign(&founder.identity));
    let recovery = PublicKey([9; 32]);
    let next = Change::RecoveryKey { recovery };
    let entry = household
        .roster()
        .next_entry(next, founder.now, &founder.identity.device_key);
    let grew = Event::RosterGrew {
        entries: vec![Blob(entry.encode())],
        members: vec![],
        devices: vec![],
    };
    assert_eq!(
        household.apply(&grew, &mut founder.identity, founder.now),
        Ok(true)
    );
    assert_eq!(founder.identity.roster_pin.seq, 2);
    // The old roster is a rollback now.
    assert_eq!(
        open(&mut founder).err(),
        Some(HomeError::Rollback(homeline_e2ee::roster::Rollback))
    );
}

#[test]
fn another_household_is_refused() {
    let mut anna = testkit::founder("anna");
    let ben = testkit::founder("ben");
    let home: Home = ben.home();
    let opened = Household::open(&home, &mut anna.identity, anna.now);
    assert_eq!(opened.err(), Some(HomeError::OtherHousehold));
}

#[test]
fn only_the_signed_card_counts_and_never_an_older_one() {
    let mut founder = testkit::founder("anna");
    let mut household = open(&mut founder).unwrap();
    let them = PublicKey([7; 32]);
    let first = contact(&household, &founder.identity, Pin::NoneYet);
    let identity = &mut founder.identity;
    assert_eq!(
        household.apply(&Event::ContactPut(first.clone()), identity, founder.now),
        Ok(true)
    );
    let second = contact(&household, identity, Pin::Verified(them));
    household
        .apply(&Event::ContactPut(second), identity, founder.now)
        .unwrap();
    assert_eq!(
        household.find_contact("ben").map(|card| card.pin),
        Some(Pin::Verified(them))
    );
    // The server serves the older card again, and one that nobody signed.
    household
        .apply(&Event::ContactPut(first.clone()), identity, founder.now)
        .unwrap();
    let mut forged = first;
    forged.card.0[70] ^= 1;
    household
        .apply(&Event::ContactPut(forged), identity, founder.now)
        .unwrap();
    assert_eq!(household.refused(), 2);
    assert_eq!(household.pinned("ben", identity), Some(them));
}

#[test]
fn a_changed_key_is_told_from_a_first_contact() {
    let mut founder = testkit::founder("anna");
    let mut household = open(&mut founder).unwrap();
    let (them, other) = (PublicKey([7; 32]), PublicKey([8; 32]));
    let person = |household: &Household, identity: &Identity, genesis| {
        household
            .person(genesis, "ben", "Benjamin", identity)
            .map(|person| person.trust)
    };
    let identity = &mut founder.identity;
    assert_eq!(person(&household, identity, them), Ok(Trust::FirstContact));
    identity.meet("ben", them);
    assert_eq!(person(&household, identity, them), Ok(Trust::Unverified));
    assert_eq!(person(&household, identity, other), Err(KeyChanged));
    let card = contact(&household, identity, Pin::Verified(other));
    household
        .apply(&Event::ContactPut(card), identity, founder.now)
        .unwrap();
    // What an adult signed outranks what this device met.
    assert_eq!(person(&household, identity, other), Ok(Trust::Verified));
    assert_eq!(person(&household, identity, them), Err(KeyChanged));
}

#[test]
fn certificates_that_end_soon_are_renewed_by_an_adult() {
    let mut founder = testkit::founder("anna");
    let household = open(&mut founder).unwrap();
    assert!(
        household
            .renewals(&founder.identity, founder.now)
            .is_empty()
    );
    let later = UnixMs(founder.now.0 + 21 * 24 * 60 * 60 * 1000);
    let renewals = household.renewals(&founder.identity, later);
    assert_eq!(renewals.len(), 1);
    let (device, chain) = &renewals[0];
    let mut household = household;
    let event = Event::CertificateRenewed {
        device: *device,
        chain: chain.clone(),
    };
    household
        .apply(&event, &mut founder.identity, later)
        .unwrap();
    assert_eq!(founder.identity.chain.encode(), chain.0);
}

#[test]
fn grants_that_end_soon_are_renewed_by_an_adult_unless_an_older_revision_is_shown() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let mut founder = testkit::founder("anna");
    let household = open(&mut founder).unwrap();
    let now = founder.now;
    let grant = |number: u8, lasts_ms| Grant {
        genesis: household.roster().genesis_key(),
        id: GrantId([number; 16]),
        revision: now.0,
        to: Grantee::OwnHousehold,
        devices: vec![],
        hours: None,
        picture: true,
        opening: Opening::AtOnce,
        signed_at: now,
        expires_at: now.plus(lasts_ms),
        revoked: false,
    };
    let identity = &mut founder.identity;
    let key = identity.device_key.clone();
    let show = |grant: &Grant| DropInGrant {
        id: grant.id,
        statement: Blob(grant.sign(&key).encode()),
    };
    let (month, ends) = (grant(1, LIFETIME_MS_MAX), grant(2, 20 * DAY_MS));
    let later = now.plus(8 * DAY_MS);
    let shown = [show(&month), show(&ends)];
    assert!(household.grants_renewed(identity, &shown, now).is_empty());
    let renewed = household.grants_renewed(identity, &shown, later);
    let [(id, statement)] = &renewed[..] else {
        panic!("one is renewed");
    };
    assert_eq!(*id, month.id);
    let opened = Grant::open(&Signed::decode(&statement.0).unwrap(), household.roster()).unwrap();
    assert!(opened == month.renewed(later));

    // Sound alone from the next revision on: the one before, shown again, is not made to count again.
    let narrower = Grant {
        picture: false,
        ..month.renewed(now.plus(1))
    };
    household.grants_renewed(identity, &[show(&narrower)], now);
    let again = household.grants_renewed(identity, &[show(&month)], later);
    assert!(again.is_empty());
    // What nobody of the household signed is none.
    let forged = DropInGrant {
        id: month.id,
        statement: Blob(
            month
                .sign(&testkit::founder("ben").identity.device_key)
                .encode(),
        ),
    };
    assert!(
        household
            .grants_renewed(identity, &[forged], later)
            .is_empty()
    );
}
