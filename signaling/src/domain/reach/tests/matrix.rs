//! Who asks x whom x what stands in the way, one row a rule.

use homeline_protocol::Handle;
use homeline_protocol::id::{GrantId, HouseholdId};
use homeline_protocol::session::CameraSwitch;

use super::world::{child, handle, outcome, world};
use crate::domain::reach::{
    ChildFacts, Companion, DeviceFacts, Grant, Grantee, PersonFacts, StrangerCalls, Target, World,
};

/// `silence`: nothing rings and nobody will learn of it. `silence, told later`: nothing rings, and it
/// stands in the history. `!` is what the asker is told instead.
const MATRIX: &str = "
who      how        whom       what stands in the way     what comes of it
anna     calls      ben        -                          bens hall
anna     calls      nobody     -                          silence
anna     calls      anna       -                          !OwnHandle
kitchen  calls      ben        -                          bens hall
anna     calls      ben        asker-without-key          !NoDevice
anna     calls      ben        asker-not-admitted         !NotAdmitted
anna     calls      ben        target-not-admitted        silence
anna     calls      ben        blocked                    silence
anna     calls      ben        away                       later:bens later:hall
anna     calls      ben        push-only                  push:bens push:hall
anna     calls      ben        quiet-everywhere           silence, told later
anna     calls      ben        quiet-scheduled            silence, told later
anna     calls      ben        quiet-but-asker-excepted   bens hall
anna     calls      ben        hall-quiet                 bens
anna     calls      ben        hall-quiet-and-excepted    bens
anna     calls      ben        all-devices-quiet          silence, told later
anna     calls      ben        microphones-off            bens hall
anna     calls      ben        no-speakers                silence, told later
anna     calls      ben        stranger                   bens hall
anna     calls      ben        stranger-too-often         silence
anna     calls      ben        too-many-strangers         silence
anna     calls      ben        known-and-too-often        bens hall
anna     calls      bens-home  -                          bens hall

anna     calls      mia        -                          tablet nursery
anna     calls      mia        quiet-everywhere           !PersonQuiet
anna     calls      mia        all-devices-quiet          !AllQuiet
anna     calls      mia        no-consent                 !ChildNoConsent
anna     calls      mia        calling-off                !ChildSwitchedOff
anna     calls      mia        blocked                    silence
ben      calls      mia        -                          silence
ben      calls      mia        chosen                     tablet nursery
ben      calls      mia        chosen-no-consent          silence
ben      calls      mia        chosen-calling-off         silence
mia      calls      anna       -                          phone kitchen
mia      calls      ben        -                          !NotChosen
mia      calls      nobody     -                          !NotChosen
mia      calls      ben        asking-child-chose         bens hall
mia      calls      anna       asking-child-no-consent    !NoConsent
mia      calls      anna       asking-child-off           !SwitchedOff
mia      calls      bens-home  asking-child-chose         !NotChosen

anna     calls      ben        mia-in-call                !ChildInCall
anna     calls      nobody     mia-in-call                !ChildInCall
anna     calls      ben        mia-in-call-chose-ben      bens hall
ben      calls      anna       mia-in-call                phone kitchen
anna     calls      ben        another-child-in-call      silence
anna     calls      mia        zoe-in-call                !ChildApart
anna     calls      mia        zoe-in-call-chosen         tablet nursery
ben      calls      mia        chosen-and-zoe-in-call     silence
anna     calls      ben        zoe-in-call                bens hall
anna     calls      ben        blocked-zoe-in-call        silence

anna     calls      guest      -                          page
anna     calls      guest      waits-no-more              !NoSuchGuest
anna     calls      guest      gone                       !NoSuchGuest
kitchen  calls      guest      -                          page
ben      calls      guest      -                          !NoSuchGuest
mia      calls      guest      -                          !ChildAsksForGuest
anna     calls      guest      mia-in-call                !GuestApart
anna     calls      guest      another-child-in-call      !GuestApart
anna     calls      guest      zoe-in-call                page
anna     calls      guest      guest-in-call              page
anna     calls      mia        guest-in-call              !ChildApart
ben      calls      mia        chosen-and-guest-in-call   silence
anna     calls      ben        guest-in-call              bens hall
anna     writes     guest      -                          !NoSuchGuest
anna     drops-in   guest      -                          !NoSuchGuest

anna     calls      kitchen    -                          kitchen
kitchen  calls      kitchen    -                          !OwnDevice
mia      calls      kitchen    -                          kitchen
mia      calls      kitchen    all-devices-quiet          !DeviceQuiet
mia      calls      kitchen    quiet-everywhere           !PersonQuiet
anna     calls      kitchen    quiet-everywhere           kitchen
anna     calls      nursery    calling-off                !ChildSwitchedOff
mia      calls      kitchen    no-speakers                !DeviceCannot
ben      calls      kitchen    -                          !NoSuchDevice
anna     calls      hall       -                          !NoSuchDevice
anna     calls      home       -                          kitchen nursery
kitchen  calls      home       -                          nursery
anna     calls      home       all-devices-quiet          !AllQuiet
anna     calls      home       no-speakers                !NoDevices

anna     writes     ben        -                          bens hall
anna     writes     ben        quiet-everywhere           silence, told later
anna     writes     mia        quiet-everywhere           silence, told later
anna     writes     ben        blocked                    silence
anna     writes     ben        stranger-too-often         bens hall
ben      writes     mia        -                          silence
mia      writes     anna       asking-child-off           !SwitchedOff

anna     drops-in   ben        -                          !NoGrant
anna     drops-in   nobody     -                          !NoGrant
anna     drops-in   ben        granted                    hall
anna     drops-in   ben        granted-to-household       hall
anna     drops-in   ben        granted-but-blocked        silence
anna     drops-in   ben        granted-hall-quiet         silence, told later
anna     drops-in   ben        granted-microphones-off    silence, told later
anna     drops-in   mia        granted                    nursery
anna     drops-in   nursery    -                          !NoGrant
anna     drops-in   nursery    granted                    nursery
anna     drops-in   home       -                          !NoGrant
anna     drops-in   home       granted                    kitchen nursery
anna     drops-in   ben        granted-kitchen            !NoGrant
anna     drops-in   ben        granted-hall               hall
anna     drops-in   ben        granted-on-mondays         !NoGrant
anna     drops-in   ben        granted-on-sundays         hall
anna     drops-in   ben        granted-to-another         !NoGrant
anna     drops-in   ben        granted-elsewhere          !NoGrant
anna     drops-in   ben        granted-but-off            silence, told later
anna     drops-in   nursery    granted-but-off            !DropInOff
anna     drops-in   nursery    granted-kitchen            !NoGrant
anna     drops-in   home       granted-kitchen            kitchen
mia      drops-in   anna       granted-child-off          !SwitchedOff

anna     announces  home       -                          kitchen nursery
kitchen  announces  home       -                          nursery
anna     announces  home       all-devices-quiet          !AllQuiet
anna     announces  mia        -                          nursery
anna     announces  ben        -                          !NotHousehold
anna     announces  bens-home  -                          !NotHousehold
";

#[test]
fn the_matrix_holds() {
    let rows = MATRIX.trim().lines().skip(1);
    for row in rows.filter(|row| !row.is_empty()) {
        let (question, expected) = row.split_at(58);
        let [from, way, to, obstacle] = question.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let mut world = world(way, from, to);
        obstruct(&mut world, obstacle);
        assert_eq!(outcome(&world), expected.trim(), "at: {row}");
    }
}

fn obstruct(world: &mut World, obstacle: &str) {
    let asker = world.asker.account;
    match obstacle {
        "-" => {}
        "waits-no-more" | "gone" => {
            let Target::Guest { guest } = &mut world.target else {
                panic!("{obstacle}");
            };
            match obstacle {
                "gone" => *guest = None,
                _ => guest.as_mut().unwrap().waits = false,
            }
        }
        "asker-without-key" => world.asker.device = None,
        "asker-not-admitted" => world.asker.household = None,
        "asking-child-chose" => {
            let contacts = vec![handle("ben")];
            world.asker.child = Some(ChildFacts {
                contacts,
                ..child()
            });
        }
        "asking-child-no-consent" => {
            let consented = false;
            world.asker.child = Some(ChildFacts {
                consented,
                ..child()
            });
        }
        "asking-child-off" | "granted-child-off" => {
            world.asker.child = Some(ChildFacts {
                calling: false,
                messaging: false,
                drop_in: false,
                ..child()
            });
        }
        "granted-to-household" => world.grants.push(Grant {
            id: GrantId([1; 16]),
            picture: false,
            people: None,
            by: super::world::household("ben"),
            to: Grantee::Household(world.asker.household.unwrap()),
            devices: vec![],
            hours: None,
        }),
        _ => {
            gather(world, obstacle);
            obstruct_people(world, obstacle);
        }
    }
    if obstacle.starts_with("granted") && obstacle != "granted-to-household" {
        for by in ["mia", "ben"] {
            world.grant(by);
        }
        let home = world.asker.household.unwrap();
        for grant in &mut world.grants {
            narrow(grant, home, obstacle);
        }
    }
    assert_eq!(world.asker.account, asker);
}

fn narrow(grant: &mut Grant, home: HouseholdId, obstacle: &str) {
    let stands = |name: &str| vec![super::world::device(name)];
    match obstacle {
        "granted-kitchen" => grant.devices = stands("kitchen"),
        "granted-hall" => grant.devices = stands("hall"),
        "granted-on-mondays" => grant.hours = Some(super::quiet::mondays()),
        "granted-on-sundays" => grant.hours = Some(super::quiet::sundays()),
        "granted-to-another" => {
            grant.to = Grantee::Person(super::world::account("mia"), home);
        }
        "granted-elsewhere" => {
            let moved_to = HouseholdId([9; 16]);
            grant.to = Grantee::Person(super::world::account("anna"), moved_to);
        }
        _ => {}
    }
}

/// Somebody is in the call already, to whom the target would be added.
fn gather(world: &mut World, obstacle: &str) {
    let (name, household) = match obstacle {
        "mia-in-call" | "mia-in-call-chose-ben" => ("mia", 1),
        "another-child-in-call" => ("kim", 3),
        "guest-in-call" | "chosen-and-guest-in-call" => {
            world.company.push(Companion::guest());
            return;
        }
        "zoe-in-call" | "zoe-in-call-chosen" | "chosen-and-zoe-in-call" | "blocked-zoe-in-call" => {
            ("zoe", 3)
        }
        _ => return,
    };
    let mut limits = child();
    if obstacle == "mia-in-call-chose-ben" {
        limits.contacts = vec![handle("ben")];
    }
    world.company.push(Companion {
        handle: handle(name),
        household: Some(HouseholdId([household; 16])),
        child: (name != "zoe").then_some(limits),
        blocked: obstacle == "blocked-zoe-in-call",
        guest: false,
    });
}

fn obstruct_people(world: &mut World, obstacle: &str) {
    let asker = world.asker.handle.clone();
    for person in world.people_mut() {
        obstruct_person(person, &asker, obstacle);
        if person.child.is_some() || obstacle.starts_with("chosen") {
            limit_child(person, &asker, obstacle);
        }
        for device in &mut person.devices {
            obstruct_device(device, obstacle);
        }
    }
}

fn obstruct_person(person: &mut PersonFacts, asker: &Handle, obstacle: &str) {
    match obstacle {
        "target-not-admitted" => person.household = None,
        "blocked" | "granted-but-blocked" => person.blocks_asker = true,
        "quiet-everywhere" => person.quiet.everywhere = true,
        "quiet-scheduled" => person.quiet.schedule = Some(super::quiet::sundays()),
        "quiet-but-asker-excepted" => {
            person.quiet.everywhere = true;
            person.quiet.exceptions = vec![asker.clone()];
        }
        "hall-quiet-and-excepted" => person.quiet.exceptions = vec![asker.clone()],
        "stranger" => person.knows_asker = false,
        "stranger-too-often" => (person.knows_asker, person.stranger_calls) = (false, calls(5, 5)),
        "too-many-strangers" => (person.knows_asker, person.stranger_calls) = (false, calls(0, 20)),
        "known-and-too-often" => person.stranger_calls = calls(9, 99),
        _ => {}
    }
}

fn calls(from_asker: u32, from_all: u32) -> StrangerCalls {
    StrangerCalls {
        from_asker,
        from_all,
    }
}

fn limit_child(person: &mut PersonFacts, asker: &Handle, obstacle: &str) {
    let mut limits = child();
    if obstacle.starts_with("chosen") {
        limits.contacts = vec![asker.clone()];
    }
    if obstacle == "zoe-in-call-chosen" {
        limits.contacts = vec![handle("zoe")];
    }
    limits.consented = !obstacle.ends_with("no-consent");
    limits.calling = !obstacle.ends_with("calling-off");
    person.child = Some(limits);
}

fn obstruct_device(device: &mut DeviceFacts, obstacle: &str) {
    match obstacle {
        "away" => device.session = false,
        "push-only" => (device.session, device.push) = (false, true),
        "all-devices-quiet" => device.quiet = true,
        "hall-quiet" | "hall-quiet-and-excepted" | "granted-hall-quiet" => {
            device.quiet = device.label == "hall";
        }
        "microphones-off" | "granted-microphones-off" => {
            device.switches.microphone = false;
            device.switches.camera = CameraSwitch::Off;
        }
        "granted-but-off" => device.drop_in = false,
        "no-speakers" => device.capabilities.speaker = false,
        _ => {}
    }
}
