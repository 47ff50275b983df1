//! What holds of every grant, and after every history of what a device is shown and what is done at it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn any_grantee() -> impl Strategy<Value = Grantee> {
    let their_genesis = key(40).public();
    prop_oneof![
        Just(Grantee::OwnHousehold),
        "[a-f0-9]{1,32}".prop_map(move |person| Grantee::Person {
            contact: CONTACT,
            their_genesis,
            person,
        }),
        // The friends' app is anna's.
        proptest::sample::subsequence(vec!["anna", "ben", "cara"], 1..=3).prop_map(move |people| {
            Grantee::Household {
                contact: CONTACT,
                their_genesis,
                people: people.into_iter().map(str::to_owned).collect(),
            }
        }),
    ]
}

fn any_hours() -> impl Strategy<Value = Option<Hours>> {
    let window =
        (1_u8..128, 0_u16..1440, 0_u16..1440).prop_map(|(days, from_minute, to_minute)| Window {
            days,
            from_minute,
            to_minute,
        });
    let hours = vec(window, 1..5)
        .prop_map(|windows| Hours::new("Europe/Berlin".to_owned(), windows).unwrap());
    proptest::option::weighted(0.4, hours)
}

prop_compose! {
    fn any_grant()(
        (number, revision, to) in (1_u8..4, 0_u64..6, any_grantee()),
        devices in proptest::sample::subsequence(vec![20_u8, 21, 22], 0..=2),
        hours in any_hours(),
        (picture, revoked, opening) in (any::<bool>(), any::<bool>(), 0_u8..3),
        (early, lasts) in (0..2 * DAY_MS, 1..=LIFETIME_MS_MAX),
    ) -> Grant {
        let mut devices: Vec<_> = devices.into_iter().map(|seed| key(seed).public()).collect();
        devices.sort();
        let signed_at = NOW.minus(early);
        Grant {
            genesis: key(10).public(),
            id: id(number),
            revision,
            to,
            devices,
            hours,
            picture,
            opening: [Opening::AtOnce, Opening::KnockUntilYes, Opening::KnockUnlessNo][usize::from(opening)],
            signed_at,
            expires_at: signed_at.plus(lasts),
            revoked,
        }
    }
}

/// What a server, time, and whoever stands at the device do.
#[derive(Debug, Clone)]
enum Step {
    /// Shows a statement of the pool, by whichever key.
    Take(usize, bool),
    Forget(u8),
    EndHere(u8),
    EveryoneOut,
    Pass(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_usize..8, proptest::bool::weighted(0.9)).prop_map(|(which, adult)| Step::Take(which, adult)),
        1 => (1_u8..4).prop_map(Step::Forget),
        1 => (1_u8..4).prop_map(Step::EndHere),
        1 => Just(Step::EveryoneOut),
        2 => (0..10 * DAY_MS).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_grant_comes_back_from_its_one_encoding(grant in any_grant()) {
        let scene = Scene::new();
        let signed = grant.sign(&scene.house.app);
        prop_assert!(Grant::open(&signed, &scene.house.roster) == Ok(grant.clone()));
        let again = Grant::read(&signed.body).unwrap().sign(&scene.house.app);
        prop_assert!(again == signed);
    }

    /// Whatever is shown in whatever order: a permit goes by the newest revision that the device was ever
    /// shown, which an adult signed, is not revoked, was not ended here, and covers what was asked for.
    #[test]
    fn a_permit_goes_by_the_newest_word_of_an_adult(
        pool in vec(any_grant(), 8),
        steps in vec(any_step(), 1..24),
    ) {
        let mut scene = Scene::new();
        let (mut now, mut out) = (NOW, UnixMs(0));
        let mut newest = BTreeMap::<GrantId, u64>::new();
        let mut ended = BTreeSet::new();
        for step in steps {
            match step {
                Step::Take(which, adult) => {
                    let grant = &pool[which];
                    let by = if adult { scene.house.app.clone() } else { scene.kitchen.clone() };
                    let taken = scene.held.take(now, &grant.sign(&by), &scene.house.roster);
                    if taken.is_ok() {
                        prop_assert!(adult);
                        let before = newest.insert(grant.id, grant.revision);
                        prop_assert!(before.is_none_or(|before| before <= grant.revision));
                    }
                }
                Step::Forget(number) => scene.held.forget(id(number)),
                Step::EndHere(number) => {
                    scene.held.end_here(id(number));
                    ended.insert(id(number));
                }
                Step::EveryoneOut => {
                    scene.held.everyone_out(now);
                    out = now;
                }
                Step::Pass(time) => now = now.plus(time),
            }
            // A chain that was renewed for this moment.
            let mut chain = scene.friends.certificate(scene.friends.app.public(), Kind::App, Rights::ADULT);
            (chain.not_before, chain.not_after) = (now, now.plus(DAY_MS));
            let chain = Chain(vec![chain.sign(&scene.friends.genesis)]);
            for shown in std::iter::once(None).chain(pool.iter().map(Some)) {
                let signed = shown.map(|grant| grant.sign(&scene.house.app));
                let Ok(permit) = scene.ask(now, &chain, signed.as_ref()) else { continue };
                let by: Vec<&Grant> = pool
                    .iter()
                    .filter(|grant| grant.id == permit.grant && grant.revision == permit.revision)
                    .collect();
                let holds = |grant: &&Grant| {
                    !grant.revoked
                        && grant.picture
                        && grant.expires_at > now
                        && now.since(grant.signed_at) <= LIFETIME_MS_MAX
                        && grant.signed_at > out
                        && grant.covers(scene.kitchen.public())
                        && grant.to.their_genesis() == Some(scene.friends.genesis.public())
                        && grant.to.names("anna")
                        && grant.hours.as_ref().is_none_or(|hours| hours.are_open(now))
                };
                prop_assert!(by.iter().any(holds));
                prop_assert!(!ended.contains(&permit.grant));
                let newest = newest.get(&permit.grant).copied().unwrap_or_default();
                let forgotten = !scene.held.seen.contains_key(&permit.grant);
                prop_assert!(permit.revision >= newest || forgotten);
            }
        }
    }
}
