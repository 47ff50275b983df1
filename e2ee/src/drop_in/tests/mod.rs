//! One story for each reason to refuse; the laws over made-up grants and histories are in `laws`.

mod asking;
mod laws;
mod secrecy;
mod target;

use homeline_protocol::id::{ContactId, GrantId};

use super::*;
use crate::certificate::{Kind, Rights};
use crate::chain::Chain;
use crate::guest::guest_chain;
use crate::key::{PrivateKey, PublicKey};
use crate::roster::Change;
use crate::signed::{Context, Signed};
use crate::testkit::{House, NOW, key};
use crate::time::{CLOCK_SKEW_MS, DAY_MS, UnixMs};

const HOUR_MS: u64 = 60 * 60 * 1000;
const CONTACT: ContactId = ContactId([3; 16]);

fn id(number: u8) -> GrantId {
    GrantId([number; 16])
}

/// Two households that know each other; the device in question stands in the first.
struct Scene {
    house: House,
    friends: House,
    kitchen: PrivateKey,
    held: HeldGrants,
    pinned: Vec<(ContactId, PublicKey)>,
}

impl Scene {
    fn new() -> Self {
        let mut house = House::new(10);
        let friends = House::new(40);
        let kitchen = key(20);
        house.add_home_device(&kitchen);
        let pinned = vec![(CONTACT, friends.genesis.public())];
        Self {
            house,
            friends,
            kitchen,
            held: HeldGrants::default(),
            pinned,
        }
    }

    fn grant(&self, to: Grantee) -> Grant {
        Grant {
            genesis: self.house.genesis.public(),
            id: id(1),
            revision: 7,
            to,
            devices: vec![],
            hours: None,
            picture: true,
            opening: Opening::AtOnce,
            signed_at: NOW,
            expires_at: NOW.plus(LIFETIME_MS_MAX),
            revoked: false,
        }
    }

    fn to_friends(&self) -> Grant {
        let their_genesis = self.friends.genesis.public();
        self.grant(Grantee::Household {
            contact: CONTACT,
            their_genesis,
            people: vec!["anna".to_owned(), "ben".to_owned()],
        })
    }

    fn take(&mut self, grant: &Grant) -> Result<Grant, TakeError> {
        let signed = grant.sign(&self.house.app);
        self.held.take(NOW, &signed, &self.house.roster)
    }

    fn with(mut self, change: impl FnOnce(&mut Grant)) -> Self {
        let mut grant = self.to_friends();
        change(&mut grant);
        self.take(&grant).unwrap();
        self
    }

    fn ask(
        &self,
        now: UnixMs,
        initiator: &Chain,
        shown: Option<&Signed>,
    ) -> Result<Permit, Refusal> {
        let standing = Standing {
            device: self.kitchen.public(),
            roster: &self.house.roster,
            pinned: &self.pinned,
        };
        let request = Request {
            initiator,
            picture: true,
            shown,
        };
        judge(now, &self.held, standing, request)
    }

    /// The friends' app asks, with picture.
    fn friends_ask(&self, now: UnixMs) -> Result<Permit, Refusal> {
        self.ask(now, &self.friends.app_chain(), None)
    }
}

fn permit() -> Permit {
    Permit {
        grant: id(1),
        revision: 7,
        picture: true,
        opening: Opening::AtOnce,
        until: NOW.plus(LIFETIME_MS_MAX),
    }
}

#[test]
fn a_grant_lets_those_in_whom_it_names_and_nobody_else() {
    let mut scene = Scene::new();
    let friends = scene.friends.app_chain();
    let family = scene.house.app_chain();
    let strangers = House::new(70).app_chain();
    let ask = |scene: &Scene, who| scene.ask(NOW, who, None);
    assert_eq!(ask(&scene, &friends), Err(Refusal::NoGrant));
    assert_eq!(ask(&scene, &family), Err(Refusal::NoGrant));

    let household = scene.to_friends();
    scene.take(&household).unwrap();
    assert_eq!(ask(&scene, &friends), Ok(permit()));
    assert_eq!(ask(&scene, &family), Err(Refusal::NoGrant));
    assert_eq!(ask(&scene, &strangers), Err(Refusal::NoGrant));

    scene.held = HeldGrants::default();
    let own = scene.grant(Grantee::OwnHousehold);
    scene.take(&own).unwrap();
    assert_eq!(ask(&scene, &family), Ok(permit()));
    assert_eq!(ask(&scene, &friends), Err(Refusal::NoGrant));

    for (person, expected) in [("anna", Ok(permit())), ("ben", Err(Refusal::NoGrant))] {
        scene.held = HeldGrants::default();
        let one = scene.grant(Grantee::Person {
            contact: CONTACT,
            their_genesis: scene.friends.genesis.public(),
            person: person.to_owned(),
        });
        scene.take(&one).unwrap();
        assert_eq!(ask(&scene, &friends), expected, "{person}");
    }
}

#[test]
fn each_thing_that_a_grant_does_not_cover_is_refused_by_its_name() {
    let later = NOW.plus(LIFETIME_MS_MAX);
    let elsewhere = vec![key(21).public()];
    let window = |from_minute, to_minute| Window {
        days: 0b111_1111,
        from_minute,
        to_minute,
    };
    // It is Monday, 21 September 2026, 16:13 in Berlin.
    let hours =
        |from, to| Some(Hours::new("Europe/Berlin".to_owned(), vec![window(from, to)]).unwrap());
    type Narrow<'a> = Box<dyn FnOnce(&mut Grant) + 'a>;
    let cases: Vec<(&str, UnixMs, Narrow<'_>, Result<(), Refusal>)> = vec![
        ("as it is", NOW, Box::new(|_| {}), Ok(())),
        (
            "at the last moment",
            later.minus(1),
            Box::new(|_| {}),
            Ok(()),
        ),
        ("too late", later, Box::new(|_| {}), Err(Refusal::Expired)),
        (
            "for another device",
            NOW,
            Box::new(|grant| grant.devices = elsewhere),
            Err(Refusal::OtherDevice),
        ),
        (
            "for this device",
            NOW,
            Box::new(|grant| grant.devices = vec![key(20).public()]),
            Ok(()),
        ),
        (
            "within the hours",
            NOW,
            Box::new(|grant| grant.hours = hours(0, 0)),
            Ok(()),
        ),
        (
            "outside the hours",
            NOW,
            Box::new(|grant| grant.hours = hours(2 * 60, 3 * 60)),
            Err(Refusal::OutsideHours),
        ),
        (
            "sound only",
            NOW,
            Box::new(|grant| grant.picture = false),
            Err(Refusal::SoundOnly),
        ),
        (
            "revoked",
            NOW,
            Box::new(|grant| grant.revoked = true),
            Err(Refusal::Revoked),
        ),
    ];
    for (name, now, narrow, expected) in cases {
        let scene = Scene::new().with(narrow);
        // The certificate is a question of its own: it is renewed meanwhile.
        let asked = match scene.friends_ask(now) {
            Err(Refusal::Initiator(error)) => panic!("{name}: {error}"),
            asked => asked.map(drop),
        };
        assert_eq!(asked, expected, "{name}");
    }
}

#[test]
fn a_server_that_shows_what_does_not_hold_is_refused_by_name() {
    let mut scene = Scene::new();
    let friends = scene.friends.app_chain();
    let grant = scene.to_friends();
    let shown = |scene: &Scene, signed: &Signed| scene.ask(NOW, &friends, Some(signed)).map(drop);

    let genuine = grant.sign(&scene.house.app);
    assert_eq!(shown(&scene, &genuine), Ok(()));
    let mut tampered = genuine.clone();
    tampered.body[20] ^= 1;
    assert!(matches!(shown(&scene, &tampered), Err(Refusal::Forged(_))));
    let other_purpose = Signed::sign(
        Context::AnswerPolicy,
        genuine.body.clone(),
        &scene.house.app,
    );
    assert!(matches!(
        shown(&scene, &other_purpose),
        Err(Refusal::Forged(_))
    ));
    let by_a_device = grant.sign(&scene.kitchen);
    assert_eq!(shown(&scene, &by_a_device), Err(Refusal::SignerMayNot));
    let by_them = grant.sign(&scene.friends.app);
    assert_eq!(shown(&scene, &by_them), Err(Refusal::SignerMayNot));
    let theirs = Grant {
        genesis: scene.friends.genesis.public(),
        to: Grantee::OwnHousehold,
        ..grant.clone()
    };
    let theirs = theirs.sign(&scene.friends.app);
    assert_eq!(shown(&scene, &theirs), Err(Refusal::OtherHousehold));

    scene.take(&grant.ended(NOW)).unwrap();
    assert_eq!(shown(&scene, &genuine), Err(Refusal::Replayed));
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::Revoked));
}

#[test]
fn who_signed_it_must_be_an_adult_when_somebody_drops_in() {
    let mut scene = Scene::new();
    let (other, by) = (key(12), scene.house.app.clone());
    scene
        .house
        .enter(other.public(), Kind::App, Rights::ADULT, by);
    let signed = scene.to_friends().sign(&other);
    scene.held.take(NOW, &signed, &scene.house.roster).unwrap();
    assert_eq!(scene.friends_ask(NOW), Ok(permit()));
    let gone = Change::RemoveDevice {
        device: other.public(),
    };
    let app = scene.house.app.clone();
    scene.house.change(gone, &app);
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::SignerMayNot));
}

#[test]
fn who_is_no_contact_any_more_or_has_another_key_is_refused() {
    let mut scene = Scene::new().with(|_| {});
    scene.pinned = vec![(CONTACT, key(99).public())];
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::NotAContact));
    scene.pinned.clear();
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::NotAContact));
}

#[test]
fn who_is_new_in_a_contacts_household_needs_an_adults_word_first() {
    let named = |people: &[&str]| {
        let people = people.iter().map(|&person| person.to_owned()).collect();
        move |grant: &mut Grant| {
            if let Grantee::Household { people: all, .. } = &mut grant.to {
                *all = people;
            }
        }
    };
    let mut scene = Scene::new().with(named(&["ben"]));
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::NewMember));
    // Why it would not count for anybody comes first, what else it does not cover later.
    let elsewhere = |grant: &mut Grant| grant.devices = vec![key(21).public()];
    let other = Scene::new().with(|grant| {
        named(&["ben"])(grant);
        elsewhere(grant);
    });
    assert_eq!(other.friends_ask(NOW), Err(Refusal::NewMember));
    scene.pinned.clear();
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::NotAContact));
    scene.pinned = vec![(CONTACT, scene.friends.genesis.public())];

    // An adult agrees: the next revision names them too.
    let mut agreed = scene.to_friends().renewed(NOW);
    named(&["anna", "ben"])(&mut agreed);
    scene.take(&agreed).unwrap();
    let permitted = scene.friends_ask(NOW).map(|permit| permit.revision);
    assert_eq!(permitted, Ok(agreed.revision));
}

#[test]
fn what_is_ended_at_the_device_needs_no_server_and_no_renewal_revives_it() {
    let mut scene = Scene::new().with(|_| {});
    let grant = scene.to_friends();
    scene.held.end_here(grant.id);
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::EndedHere));
    scene.take(&grant.renewed(NOW.plus(1))).unwrap();
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::EndedHere));

    let mut scene = Scene::new().with(|_| {});
    scene.held.everyone_out(NOW.plus(1));
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::EndedHere));
    // What was signed before and arrives later counts no more either; what an adult gives anew does.
    let withheld = Grant {
        id: id(2),
        ..grant.clone()
    };
    scene.take(&withheld).unwrap();
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::EndedHere));
    let anew = Grant {
        id: id(3),
        signed_at: NOW.plus(2),
        ..grant
    };
    scene.take(&anew).unwrap();
    assert_eq!(
        scene.friends_ask(NOW.plus(2)).map(|permit| permit.grant),
        Ok(id(3))
    );

    scene.held.off = true;
    assert_eq!(scene.friends_ask(NOW.plus(2)), Err(Refusal::Off));
}

#[test]
fn guests_removed_devices_and_broken_chains_never_drop_in() {
    let mut scene = Scene::new();
    let own = scene.grant(Grantee::OwnHousehold);
    scene.take(&own).unwrap();
    let guest = guest_chain(&key(80), "Bob", NOW);
    assert_eq!(scene.ask(NOW, &guest, None), Err(Refusal::NoGrant));
    let bedroom = scene.house.add_home_device(&key(22));
    assert_eq!(scene.ask(NOW, &bedroom, None), Ok(permit()));
    let device = key(22).public();
    let app = scene.house.app.clone();
    scene.house.change(Change::RemoveDevice { device }, &app);
    assert_eq!(scene.ask(NOW, &bedroom, None), Err(Refusal::NotInHousehold));
    let late = NOW.plus(31 * DAY_MS);
    let chain = scene.house.app_chain();
    assert!(matches!(
        scene.ask(late, &chain, None),
        Err(Refusal::Initiator(_))
    ));
}

#[test]
fn of_several_grants_one_that_permits_is_enough_and_else_the_nearest_says_why() {
    let mut scene = Scene::new().with(|grant| grant.devices = vec![key(21).public()]);
    let sound = Grant {
        id: id(2),
        picture: false,
        ..scene.to_friends()
    };
    scene.take(&sound).unwrap();
    assert_eq!(scene.friends_ask(NOW), Err(Refusal::SoundOnly));
    let whole = Grant {
        id: id(3),
        ..scene.to_friends()
    };
    scene.take(&whole).unwrap();
    assert_eq!(scene.friends_ask(NOW).map(|permit| permit.grant), Ok(id(3)));
}

#[test]
fn a_revision_is_taken_once_and_never_an_older_one() {
    let mut scene = Scene::new();
    let grant = scene.to_friends();
    scene.take(&grant).unwrap();
    scene.take(&grant).unwrap();
    let other = Grant {
        picture: false,
        ..grant.clone()
    };
    let replayed = |seen, found| Err(TakeError::Replayed { seen, found });
    assert_eq!(scene.take(&other), replayed(7, 7));
    let older = Grant {
        revision: 6,
        ..grant.clone()
    };
    assert_eq!(scene.take(&older), replayed(7, 6));
    let early = Grant {
        id: id(2),
        signed_at: NOW.plus(CLOCK_SKEW_MS + 1),
        ..grant.clone()
    };
    assert_eq!(scene.take(&early), Err(TakeError::NotYet));
    // The server's word that it is gone makes no older one newer.
    scene.held.forget(grant.id);
    assert_eq!(scene.take(&older), replayed(7, 6));
}

#[test]
fn a_revocation_is_final_even_for_an_app_that_renews_and_has_not_heard() {
    let mut scene = Scene::new().with(|_| {});
    let grant = scene.to_friends();
    scene.take(&grant.ended(NOW)).unwrap();
    let renewed = grant.renewed(NOW.plus(5));
    assert_eq!(scene.take(&renewed), Err(TakeError::Revoked));
    let shown = renewed.sign(&scene.house.app);
    let asked = scene.ask(NOW, &scene.friends.app_chain(), Some(&shown));
    assert_eq!(asked, Err(Refusal::Revoked));
    scene.take(&grant.ended(NOW.plus(9))).unwrap();
}

#[test]
fn a_device_holds_so_many_grants_and_forgets_those_that_have_ended() {
    let mut scene = Scene::new();
    let ends_soon = NOW.plus(HOUR_MS);
    let numbered = |scene: &Scene, number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        Grant {
            id: GrantId(id),
            expires_at: ends_soon,
            ..scene.to_friends()
        }
    };
    for number in 0..HELD_MAX as u16 {
        let grant = numbered(&scene, number);
        scene.take(&grant).unwrap();
    }
    let further = numbered(&scene, 9999);
    assert_eq!(scene.take(&further), Err(TakeError::Full));
    let signed = further.sign(&scene.house.app);
    let taken = scene.held.take(ends_soon, &signed, &scene.house.roster);
    assert_eq!(taken, Ok(further));
    assert_eq!(scene.held.statements.len(), 1);
    assert_eq!(scene.held.seen.len(), HELD_MAX + 1);
}

#[test]
fn hours_follow_the_wall_clock_of_their_zone_over_midnight_and_the_week() {
    // Sunday, 25 October 2026, 00:30 UTC: half past two in Berlin, for the first time that night.
    let night = UnixMs(1_792_888_200_000);
    let open = |zone: &str, days, from_minute, to_minute| {
        let window = Window {
            days,
            from_minute,
            to_minute,
        };
        let hours = Hours::new(zone.to_owned(), vec![window]).unwrap();
        hours.are_open(night)
    };
    let (saturday, sunday) = (32, 64);
    assert!(open("Europe/Berlin", sunday, 150, 151));
    assert!(!open("Europe/Berlin", sunday, 30, 31));
    assert!(open("UTC", sunday, 30, 31));
    assert!(open("America/New_York", saturday, 20 * 60, 21 * 60));
    assert!(open("Europe/Berlin", saturday, 22 * 60, 3 * 60));
    assert!(!open("Europe/Berlin", sunday, 22 * 60, 3 * 60));
    assert!(open("Europe/Berlin", saturday, 151, 151));
    assert!(!open("Europe/Berlin", saturday, 150, 150));
    assert!(!open("Nowhere/Atall", 127, 0, 0));
}

#[test]
fn hours_end_where_no_window_goes_on_also_when_clocks_are_changed() {
    let window = |from_minute, to_minute| Window {
        days: 127,
        from_minute,
        to_minute,
    };
    let end = |now, windows| {
        let hours = Hours::new("Europe/Berlin".to_owned(), windows).unwrap();
        hours.end_within(UnixMs(now), 1440)
    };
    // Sunday, 25 October 2026, 00:00 UTC: two o'clock in Berlin, and again an hour later.
    let two = 1_792_886_400_000;
    let minutes = |count: u64| Some(UnixMs(two + count * 60_000));
    assert_eq!(end(two, vec![window(60, 150)]), minutes(30));
    assert_eq!(
        end(two + 30 * 60_000, vec![window(60, 150)]),
        minutes(60 + 30)
    );
    assert_eq!(end(two, vec![window(60, 240)]), minutes(60 + 120));
    assert_eq!(
        end(two, vec![window(60, 240), window(200, 300)]),
        minutes(60 + 180)
    );
    // One that has not begun yet; one that never ends; none in a zone that is not known.
    assert_eq!(
        end(two, vec![window(20 * 60, 21 * 60)]),
        minutes(60 + 19 * 60)
    );
    assert_eq!(end(two, vec![window(0, 0)]), None);
    let nowhere = Hours::new("Nowhere/Atall".to_owned(), vec![window(60, 150)]).unwrap();
    assert_eq!(nowhere.end_within(UnixMs(two), 1440), None);
}

#[test]
fn hours_out_of_their_bounds_are_none() {
    let window = |days, from_minute, to_minute| Window {
        days,
        from_minute,
        to_minute,
    };
    let hours = |zone: &str, windows| Hours::new(zone.to_owned(), windows).map(drop);
    assert_eq!(hours("", vec![window(1, 0, 1)]), Err(BadHours::Zone));
    assert_eq!(hours("UTC", vec![]), Err(BadHours::Windows));
    let many = vec![window(1, 0, 1); WINDOWS_MAX + 1];
    assert_eq!(hours("UTC", many), Err(BadHours::Windows));
    for bad in [
        window(0, 0, 1),
        window(128, 0, 1),
        window(1, 1440, 1),
        window(1, 0, 1440),
    ] {
        assert_eq!(hours("UTC", vec![bad]), Err(BadHours::Window));
    }
}

#[test]
fn a_grant_that_was_signed_for_less_than_thirty_days_ends_and_is_not_renewed() {
    let ends = NOW.plus(20 * DAY_MS);
    let grant = Grant {
        expires_at: ends,
        ..Scene::new().to_friends()
    };
    assert_eq!(grant.ends_at(), Some(ends));
    for days in [0, 1, 13, 19] {
        assert!(!grant.should_renew(NOW.plus(days * DAY_MS)));
    }
    // A change keeps its end, and taking it back lasts as long as any revision before could.
    let changed = grant.renewed(NOW.plus(DAY_MS));
    assert_eq!((changed.expires_at, changed.ends_at()), (ends, Some(ends)));
    let taken_back = grant.ended(NOW.plus(DAY_MS));
    assert_eq!(taken_back.expires_at, NOW.plus(DAY_MS + LIFETIME_MS_MAX));
    assert_eq!(Scene::new().to_friends().ends_at(), None);
}

#[test]
fn a_grant_is_renewed_when_a_week_of_its_month_is_gone() {
    let grant = Scene::new().to_friends();
    assert!(!grant.should_renew(NOW.plus(7 * DAY_MS)));
    assert!(grant.should_renew(NOW.plus(7 * DAY_MS + 1)));
    assert!(!grant.should_renew(grant.expires_at));
    let renewed = grant.renewed(NOW.plus(8 * DAY_MS));
    assert_eq!(renewed.expires_at, NOW.plus(38 * DAY_MS));
    assert!(renewed.revision > grant.revision);
    assert!(!grant.ended(NOW).should_renew(NOW.plus(8 * DAY_MS)));
}
