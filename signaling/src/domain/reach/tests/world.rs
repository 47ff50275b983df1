//! Worlds for tests: who asks whom, and what stands in the way, in a few words.
//!
//! Anna (phone, kitchen) and Mia, her child (tablet, nursery), live together; Ben (phone, hall) does
//! not; nobody has the handle "nobody". A guest (page) waits at a call link of Anna's.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, DeviceId, GrantId, HouseholdId};
use homeline_protocol::session::{CameraSwitch, Capabilities, DeviceKind, Switches};

use crate::domain::reach::{
    Asker, ChildFacts, DeviceFacts, Grant, Grantee, GuestFacts, PersonFacts, Plan, QuietFacts,
    Refusal, StrangerCalls, StrangerLimits, Target, Way, World, reach,
};
use crate::model::UnixMillis;

/// 2026-11-22, a Sunday, midnight in UTC.
pub(super) const SUNDAY: u64 = 1_795_305_600_000;

pub(super) const NAMES: [&str; 3] = ["anna", "mia", "ben"];
pub(super) const DEVICES: [&str; 7] = [
    "phone", "kitchen", "tablet", "nursery", "bens", "hall", "page",
];

pub(super) fn account(name: &str) -> AccountId {
    let at = NAMES.iter().position(|one| *one == name).unwrap();
    AccountId([u8::try_from(at).unwrap() + 1; 16])
}

pub(super) fn device(name: &str) -> DeviceId {
    let at = DEVICES.iter().position(|one| *one == name).unwrap();
    DeviceId([u8::try_from(at).unwrap() + 11; 16])
}

pub(super) fn handle(name: &str) -> Handle {
    name.parse().unwrap()
}

pub(super) fn household(name: &str) -> HouseholdId {
    HouseholdId([if name == "ben" { 2 } else { 1 }; 16])
}

pub(super) fn device_facts(name: &str) -> DeviceFacts {
    let app = ["phone", "tablet", "bens"].contains(&name);
    DeviceFacts {
        device: device(name),
        kind: if app {
            DeviceKind::App
        } else {
            DeviceKind::HomeDevice
        },
        label: name.to_owned(),
        quiet: false,
        capabilities: Capabilities {
            microphone: true,
            speaker: true,
            screen: app,
            camera: app,
        },
        switches: Switches {
            microphone: true,
            camera: CameraSwitch::On,
        },
        session: true,
        push: false,
        drop_in: true,
    }
}

pub(super) fn person(name: &str) -> PersonFacts {
    let own = match name {
        "anna" => ["phone", "kitchen"],
        "mia" => ["tablet", "nursery"],
        _ => ["bens", "hall"],
    };
    PersonFacts {
        account: account(name),
        name: name.to_owned(),
        household: Some(household(name)),
        child: (name == "mia").then(child),
        blocks_asker: false,
        knows_asker: true,
        stranger_calls: StrangerCalls::default(),
        quiet: QuietFacts::default(),
        devices: own.map(device_facts).to_vec(),
    }
}

/// A child who may do everything within the household.
pub(super) fn child() -> ChildFacts {
    ChildFacts {
        consented: true,
        calling: true,
        messaging: true,
        drop_in: true,
        contacts: vec![],
    }
}

/// A person asks with their app; a device asks for its person.
pub(super) fn asker(name: &str) -> Asker {
    let (name, device_name) = match name {
        "anna" => ("anna", "phone"),
        "mia" => ("mia", "tablet"),
        "ben" => ("ben", "bens"),
        "kitchen" => ("anna", "kitchen"),
        _ => panic!("{name}"),
    };
    Asker {
        account: account(name),
        handle: handle(name),
        name: name.to_owned(),
        device: Some(device(device_name)),
        household: Some(household(name)),
        child: (name == "mia").then(child),
    }
}

pub(super) fn target(name: &str) -> Target {
    match name {
        "home" => Target::Home {
            people: vec![person("anna"), person("mia")],
        },
        "bens-home" => Target::Household {
            people: vec![person("ben")],
        },
        "kitchen" | "nursery" | "hall" => Target::Device {
            device: device(name),
            owner: Some(person(match name {
                "kitchen" => "anna",
                "nursery" => "mia",
                _ => "ben",
            })),
        },
        "guest" => Target::Guest {
            guest: Some(GuestFacts {
                account: AccountId([9; 16]),
                maker: account("anna"),
                label: "Bob".to_owned(),
                waits: true,
                let_in: false,
                device: device_facts("page"),
            }),
        },
        "nobody" => Target::Person {
            handle: handle(name),
            person: None,
        },
        _ => Target::Person {
            handle: handle(name),
            person: Some(person(name)),
        },
    }
}

pub(super) fn world(way: &str, from: &str, to: &str) -> World {
    World {
        now: UnixMillis(SUNDAY),
        way: match way {
            "calls" => Way::Call,
            "writes" => Way::Message,
            "drops-in" => Way::DropIn,
            _ => Way::Announcement,
        },
        asker: asker(from),
        target: target(to),
        grants: vec![],
        limits: StrangerLimits {
            one_an_hour: 5,
            all_a_day: 20,
        },
        company: vec![],
    }
}

impl World {
    pub(super) fn people_mut(&mut self) -> &mut [PersonFacts] {
        match &mut self.target {
            Target::Person { person: one, .. } | Target::Device { owner: one, .. } => {
                one.as_mut_slice()
            }
            Target::Household { people } | Target::Home { people } => people,
            Target::Guest { .. } => &mut [],
        }
    }

    pub(super) fn grant(&mut self, by: &str) {
        self.grants.push(Grant {
            id: GrantId([1; 16]),
            picture: false,
            people: None,
            by: household(by),
            to: Grantee::Person(self.asker.account, self.asker.household.unwrap()),
            devices: vec![],
            hours: None,
        });
    }
}

/// What comes of it, as the matrix says it: devices that ring, `silence` for a plan that rings
/// nothing, or the refusal.
pub(super) fn outcome(world: &World) -> String {
    match reach(world) {
        Ok(plan) => written(&plan),
        Err(refusal) => format!("!{}", kind(&refusal)),
    }
}

fn written(plan: &Plan) -> String {
    let names = |rings: &[crate::domain::reach::Ring], prefix: &str| {
        rings
            .iter()
            .map(|one| {
                let name = DEVICES.iter().find(|name| device(name) == one.device);
                format!("{prefix}{}", name.unwrap())
            })
            .collect::<Vec<_>>()
    };
    let all = [
        names(&plan.ring, ""),
        names(&plan.push, "push:"),
        names(&plan.later, "later:"),
    ]
    .concat();
    match (all.is_empty(), plan.people.is_empty()) {
        (true, true) => "silence".to_owned(),
        (true, false) => "silence, told later".to_owned(),
        (false, _) => all.join(" "),
    }
}

fn kind(refusal: &Refusal) -> String {
    let text = format!("{refusal:?}");
    let end = text.find([' ', '(']).unwrap_or(text.len());
    text[..end].to_owned()
}
