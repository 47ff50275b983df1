//! Laws over generated worlds.

use std::collections::BTreeSet;

use homeline_protocol::id::HouseholdId;
use homeline_protocol::session::{CameraSwitch, DeviceKind};
use proptest::prelude::*;

use super::world::{NAMES, handle, person, target, world};
use crate::domain::reach::{
    ChildFacts, Companion, PersonFacts, Plan, StrangerCalls, Target, Way, World, reach,
};

const WAYS: [&str; 4] = ["calls", "writes", "drops-in", "announces"];
const ASKERS: [&str; 4] = ["anna", "mia", "ben", "kitchen"];
const TARGETS: [&str; 9] = [
    "anna",
    "mia",
    "ben",
    "nobody",
    "kitchen",
    "nursery",
    "hall",
    "home",
    "bens-home",
];

prop_compose! {
    fn child_facts()(
        consented in prop::bool::weighted(0.8),
        calling: bool,
        messaging: bool,
        drop_in: bool,
        contacts in prop::sample::subsequence(NAMES.to_vec(), 0..=3),
    ) -> ChildFacts {
        let contacts = contacts.into_iter().map(handle).collect();
        ChildFacts { consented, calling, messaging, drop_in, contacts }
    }
}

/// What differs from one person to the other.
#[derive(Debug, Clone)]
struct Ways {
    child: Option<ChildFacts>,
    blocks: bool,
    knows: bool,
    everywhere: bool,
    scheduled: bool,
    excepted: bool,
    calls: (u32, u32),
    admitted: bool,
    devices: Vec<[bool; 6]>,
}

prop_compose! {
    fn ways()(
        child in prop::option::of(child_facts()),
        blocks in prop::bool::weighted(0.2),
        knows: bool,
        everywhere in prop::bool::weighted(0.3),
        scheduled in prop::bool::weighted(0.2),
        excepted in prop::bool::weighted(0.3),
        calls in (0..7_u32, 0..25_u32),
        admitted in prop::bool::weighted(0.9),
        devices in prop::collection::vec(any::<[bool; 6]>(), 2),
    ) -> Ways {
        Ways { child, blocks, knows, everywhere, scheduled, excepted, calls, admitted, devices }
    }
}

prop_compose! {
    fn companion()(
        guest in prop::bool::weighted(0.2),
        name in prop::sample::select(vec!["mia", "ben", "zoe", "kim"]),
        household in 1..4_u8,
        child in prop::option::weighted(0.5, child_facts()),
        blocked in prop::bool::weighted(0.2),
    ) -> Companion {
        if guest {
            return Companion::guest();
        }
        let household = Some(HouseholdId([household; 16]));
        Companion { handle: handle(name), household, child, blocked, guest: false }
    }
}

prop_compose! {
    fn any_world()(
        way in prop::sample::select(&WAYS[..]),
        from in prop::sample::select(&ASKERS[..]),
        to in prop::sample::select(&TARGETS[..]),
        asking_child in child_facts(),
        ways in prop::collection::vec(ways(), 2),
        granted in prop::sample::subsequence(NAMES.to_vec(), 0..=3),
        company in prop::collection::vec(companion(), 0..3),
    ) -> World {
        let mut world = world(way, from, to);
        world.company = company;
        if world.asker.child.is_some() {
            world.asker.child = Some(asking_child);
        }
        let asker = world.asker.handle.clone();
        for (person, ways) in world.people_mut().iter_mut().zip(ways) {
            if person.child.is_some() || person.account == super::world::account("ben") {
                person.child = ways.child;
            }
            person.blocks_asker = ways.blocks;
            person.knows_asker = ways.knows;
            person.quiet.everywhere = ways.everywhere;
            person.quiet.schedule = ways.scheduled.then(super::quiet::sundays);
            person.quiet.exceptions.extend(ways.excepted.then(|| asker.clone()));
            let (from_asker, from_all) = ways.calls;
            person.stranger_calls = StrangerCalls { from_asker, from_all };
            if !ways.admitted {
                person.household = None;
            }
            for (device, flags) in person.devices.iter_mut().zip(ways.devices) {
                let [quiet, session, push, speaker, microphone, camera] = flags;
                (device.quiet, device.session, device.push) = (quiet, session, push);
                device.capabilities.speaker = speaker;
                device.switches.microphone = microphone;
                device.switches.camera = if camera { CameraSwitch::On } else { CameraSwitch::Shutter };
            }
        }
        for by in granted {
            world.grant(by);
        }
        world
    }
}

fn reached(world: &World) -> Plan {
    reach(world).unwrap_or_default()
}

fn rings(plan: &Plan) -> Vec<homeline_protocol::id::DeviceId> {
    let all = plan.ring.iter().chain(&plan.push).chain(&plan.later);
    all.map(|one| one.device).collect()
}

fn people(world: &World) -> Vec<PersonFacts> {
    let mut copy = world.clone();
    copy.people_mut().to_vec()
}

/// The person that a stranger of the world asks for, if it is one person.
fn to_one_outside(world: &World) -> bool {
    let one = matches!(
        &world.target,
        Target::Person {
            person: Some(_),
            ..
        }
    );
    one && people(world)
        .iter()
        .all(|one| !one.is_family_of(&world.asker))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_024,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_child_never_reaches_a_stranger_nor_a_stranger_a_child(world in any_world()) {
        let plan = reached(&world);
        for person in people(&world) {
            if person.is_family_of(&world.asker) || !plan.people.contains(&person.account) {
                continue;
            }
            if let Some(child) = &person.child {
                prop_assert!(child.consented && child.contacts.contains(&world.asker.handle));
            }
            if let Some(child) = &world.asker.child {
                prop_assert!(child.consented);
                let Target::Person { handle, .. } = &world.target else {
                    panic!("a child reached a whole household outside");
                };
                prop_assert!(child.contacts.contains(handle));
            }
        }
    }

    #[test]
    fn nobody_meets_in_a_call_who_may_not_whoever_brings_them(world in any_world()) {
        let plan = reached(&world);
        let Target::Person { handle, person: Some(person) } = &world.target else {
            return Ok(());
        };
        if !plan.people.contains(&person.account) {
            return Ok(());
        }
        for one in &world.company {
            prop_assert!(!one.blocked);
            if one.household == person.household {
                continue;
            }
            if let Some(child) = &one.child {
                prop_assert!(child.contacts.contains(handle));
            }
            if let Some(child) = &person.child {
                prop_assert!(child.contacts.contains(&one.handle));
            }
        }
    }

    #[test]
    fn a_child_and_a_guest_are_never_in_one_call(mut world in any_world(), to_guest: bool) {
        if to_guest {
            world.target = target("guest");
        }
        let plan = reached(&world);
        if plan.people.is_empty() {
            return Ok(());
        }
        match &world.target {
            Target::Guest { guest: Some(guest) } => {
                prop_assert_eq!(guest.maker, world.asker.account);
                prop_assert!(world.asker.child.is_none());
                prop_assert!(world.company.iter().all(|one| one.child.is_none()));
            }
            Target::Person { person: Some(person), .. } if person.child.is_some() => {
                prop_assert!(world.company.iter().all(|one| !one.guest));
            }
            _ => {}
        }
    }

    #[test]
    fn do_not_disturb_everywhere_rings_nothing(mut world in any_world()) {
        let asker = world.asker.account;
        for person in world.people_mut() {
            person.quiet.everywhere = true;
            person.quiet.exceptions.clear();
        }
        // Own devices are one's own affair: nobody else is let through.
        let plan = reached(&world);
        let mut all = plan.ring.iter().chain(&plan.push).chain(&plan.later);
        prop_assert!(all.all(|one| one.whose == asker));
    }

    #[test]
    fn a_silent_device_never_rings(world in any_world()) {
        let ringing = rings(&reached(&world));
        let devices = world.devices().filter(|device| device.quiet);
        for device in devices {
            prop_assert!(!ringing.contains(&device.device));
        }
    }

    #[test]
    fn without_a_grant_nobody_is_dropped_in_on(mut world in any_world()) {
        if world.way == Way::DropIn {
            world.grants.clear();
            prop_assert!(reach(&world).is_err());
        }
    }

    #[test]
    fn to_a_stranger_blocked_away_limited_and_nobody_are_the_same(world in any_world()) {
        if !to_one_outside(&world) || world.way == Way::DropIn {
            return Ok(());
        }
        let seen = |world: &World| reach(world).map(|plan| (plan.ring, plan.push, plan.family));
        let mut nobody = world.clone();
        if let Target::Person { person, .. } = &mut nobody.target {
            *person = None;
        }
        let mut away = world.clone();
        for device in away.people_mut().iter_mut().flat_map(|person| &mut person.devices) {
            (device.session, device.push) = (false, false);
        }
        let mut blocked = world.clone();
        blocked.people_mut().iter_mut().for_each(|person| person.blocks_asker = true);
        let mut quiet = world.clone();
        for person in quiet.people_mut() {
            person.quiet.everywhere = true;
            person.quiet.exceptions.clear();
        }
        let mut limited = world.clone();
        for person in limited.people_mut() {
            person.knows_asker = false;
            person.stranger_calls = StrangerCalls { from_asker: 5, from_all: 20 };
        }
        let expected = seen(&nobody);
        prop_assert_eq!(seen(&away), expected.clone());
        prop_assert_eq!(seen(&blocked), expected.clone());
        prop_assert_eq!(seen(&quiet), expected.clone());
        if world.way == Way::Call {
            prop_assert_eq!(seen(&limited), expected);
        }
        // Whatever else stands in the way: refused aloud only if nobody would be refused as well.
        prop_assert_eq!(reach(&world).err(), reach(&nobody).err());
    }

    #[test]
    fn nothing_outside_the_question_rings_and_nothing_twice(world in any_world()) {
        let plan = reached(&world);
        let ringing = rings(&plan);
        let different: BTreeSet<_> = ringing.iter().collect();
        prop_assert_eq!(different.len(), ringing.len());
        let asked: BTreeSet<_> = world.devices().map(|one| one.device).collect();
        for device in &ringing {
            prop_assert!(asked.contains(device) && Some(*device) != world.asker.device);
        }
        let all = plan.ring.iter().chain(&plan.push).chain(&plan.later);
        for one in all {
            let owners = people(&world);
            let owner = owners.iter().find(|person| person.account == one.whose).unwrap();
            prop_assert!(owner.devices.iter().any(|device| device.device == one.device));
            prop_assert!(plan.people.contains(&one.whose));
        }
        if let Target::Device { device, .. } = world.target {
            prop_assert!(ringing.iter().all(|one| *one == device));
        }
        if matches!(world.target, Target::Home { .. }) || world.way == Way::DropIn {
            let apps = world.devices().filter(|one| one.kind == DeviceKind::App);
            prop_assert!(apps.into_iter().all(|app| !ringing.contains(&app.device)));
        }
    }

    #[test]
    fn words_for_outsiders_name_nobody(world in any_world()) {
        let outside = people(&world).iter().all(|one| !one.is_family_of(&world.asker));
        if let (true, Err(refusal)) = (outside, reach(&world)) {
            let words = refusal.to_string();
            let named = |name: &str| words.contains(&format!("{name} "));
            prop_assert!(!NAMES.into_iter().any(named), "{}", words);
        }
    }
}

#[test]
fn removing_a_grant_is_effective_at_the_next_decision() {
    let mut world = world("drops-in", "anna", "ben");
    world.grant("ben");
    assert!(reach(&world).is_ok());
    world.grants.clear();
    assert!(reach(&world).is_err());
}

#[test]
fn the_number_of_devices_is_bounded() {
    let mut world = world("calls", "anna", "ben");
    let one = person("ben").devices[0].clone();
    let devices = (100..200_u8).map(|number| {
        let device = homeline_protocol::id::DeviceId([number; 16]);
        crate::domain::reach::DeviceFacts {
            device,
            ..one.clone()
        }
    });
    world.people_mut()[0].devices = devices.collect();
    let ringing = rings(&reached(&world));
    assert_eq!(ringing.len(), crate::domain::reach::DEVICES_MAX);
}
