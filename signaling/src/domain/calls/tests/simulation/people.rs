//! The households of the simulation: who they are, what they have set, and the facts of a question, as
//! the service loads them from the database.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    Account, Callee, Capabilities, DeviceKind, QuietSchedule, QuietWindow, Switches,
};

use super::super::super::begin::ALL_ON;
use crate::domain::calls::CallsConfig;
use crate::domain::reach::{
    Asker, ChildFacts, Companion, DeviceFacts, PersonFacts, QuietFacts, Schedule, Strangers,
    Target, Way, World as Facts,
};
use crate::model::UnixMillis;

pub(super) const HOUSEHOLDS: usize = 1_000;

/// A device of somebody's.
pub(super) struct Device {
    pub(super) owner: usize,
    pub(super) kind: DeviceKind,
    pub(super) quiet: bool,
    pub(super) speaker: bool,
    pub(super) session: bool,
    pub(super) push: bool,
    pub(super) removed: bool,
    pub(super) switches: Switches,
}

/// What the adults let somebody do, who is a child.
#[derive(Clone, Default)]
pub(super) struct Child {
    pub(super) consented: bool,
    pub(super) calling: bool,
    pub(super) chosen: BTreeSet<usize>,
}

/// Somebody. People are named by their numbers.
pub(super) struct Person {
    pub(super) account: AccountId,
    /// None for who has left for good.
    pub(super) home: Option<usize>,
    pub(super) child: Option<Child>,
    pub(super) blocked: BTreeSet<usize>,
    pub(super) quiet_everywhere: bool,
    /// The zone, and the windows.
    pub(super) schedule: Option<(&'static str, Vec<QuietWindow>)>,
    pub(super) excepted: BTreeSet<usize>,
    pub(super) devices: Vec<DeviceId>,
}

/// Everybody.
#[derive(Default)]
pub(super) struct People {
    pub(super) all: Vec<Person>,
    pub(super) devices: BTreeMap<DeviceId, Device>,
    /// The address book of each household.
    pub(super) books: Vec<BTreeSet<usize>>,
    pub(super) strangers: Strangers,
}

impl People {
    pub(super) fn add(&mut self, home: usize) -> usize {
        let number = self.all.len();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        id[14] = 1;
        self.all.push(Person {
            account: AccountId(id),
            home: Some(home),
            child: None,
            blocked: BTreeSet::new(),
            quiet_everywhere: false,
            schedule: None,
            excepted: BTreeSet::new(),
            devices: Vec::new(),
        });
        number
    }

    pub(super) fn add_device(&mut self, owner: usize, kind: DeviceKind) -> DeviceId {
        let person = &mut self.all[owner];
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(owner as u64).to_be_bytes());
        id[15] = 1 + person.devices.len() as u8;
        let device = DeviceId(id);
        person.devices.push(device);
        let new = Device {
            owner,
            kind,
            quiet: false,
            speaker: true,
            session: true,
            push: false,
            removed: false,
            switches: ALL_ON,
        };
        self.devices.insert(device, new);
        device
    }

    pub(super) fn handle(number: usize) -> Handle {
        format!("person{number}").parse().expect("a handle")
    }

    pub(super) fn number(&self, account: AccountId) -> usize {
        let mut number = [0; 8];
        number.copy_from_slice(&account.0[..8]);
        u64::from_be_bytes(number) as usize
    }

    pub(super) fn shown(&self, number: usize) -> Account {
        Account {
            id: self.all[number].account,
            handle: Self::handle(number),
            display_name: format!("Person {number}"),
        }
    }

    pub(super) fn members(&self, home: usize) -> impl Iterator<Item = usize> {
        let all = self.all.iter().enumerate();
        all.filter(move |(_, one)| one.home == Some(home))
            .map(|(number, _)| number)
    }

    /// What the service asks `reach`; those who are `there` take part in the call already.
    pub(super) fn question(
        &self,
        (from, device): (usize, DeviceId),
        to: &Callee,
        there: &[AccountId],
        now: UnixMillis,
    ) -> Facts {
        let asker = self.asker(from, device);
        let person = |number: usize| self.facts(number, from, now);
        let target = match to {
            Callee::Person { handle } => Target::Person {
                handle: handle.clone(),
                person: self.having(handle).map(person),
            },
            Callee::Device { device } => Target::Device {
                device: *device,
                owner: self
                    .devices
                    .get(device)
                    .filter(|one| !one.removed)
                    .map(|one| person(one.owner)),
            },
            Callee::Place { .. } => Target::Home {
                people: self.all[from]
                    .home
                    .map_or(Vec::new(), |home| self.members(home).map(person).collect()),
            },
            // No guests come to these households.
            Callee::Guest { .. } => Target::Guest { guest: None },
        };
        let company = match to {
            Callee::Person { handle } => self.company(handle, from, there),
            Callee::Device { .. } | Callee::Place { .. } | Callee::Guest { .. } => Vec::new(),
        };
        Facts {
            now,
            way: Way::Call,
            asker,
            target,
            grants: Vec::new(),
            limits: CallsConfig::default().stranger_limits(),
            company,
        }
    }

    /// Who has a handle. Nobody has that of somebody who left.
    fn having(&self, handle: &Handle) -> Option<usize> {
        let number: usize = handle.as_str().strip_prefix("person")?.parse().ok()?;
        let person = self.all.get(number)?;
        person.home.is_some().then_some(number)
    }

    fn asker(&self, number: usize, device: DeviceId) -> Asker {
        let person = &self.all[number];
        let counts = !self.devices[&device].removed;
        Asker {
            account: person.account,
            handle: Self::handle(number),
            name: format!("Person {number}"),
            device: Some(device),
            household: person.home.filter(|_| counts).map(household),
            child: self.child(number),
        }
    }

    fn company(&self, to: &Handle, from: usize, there: &[AccountId]) -> Vec<Companion> {
        let target = self.having(to);
        let others = there.iter().map(|account| self.number(*account));
        others
            .filter(|one| *one != from && Some(*one) != target)
            .map(|one| {
                let theirs = target.is_some_and(|to| self.all[one].blocked.contains(&to));
                let own = target.is_some_and(|to| self.all[to].blocked.contains(&one));
                Companion {
                    handle: Self::handle(one),
                    household: self.all[one].home.map(household),
                    child: self.child(one),
                    blocked: theirs || own,
                    guest: false,
                }
            })
            .collect()
    }

    fn facts(&self, number: usize, asker: usize, now: UnixMillis) -> PersonFacts {
        let person = &self.all[number];
        let devices = person.devices.iter().filter_map(|id| {
            let device = self.devices.get(id).filter(|one| !one.removed)?;
            Some(self.device(*id, device))
        });
        let asking = self.all[asker].account;
        PersonFacts {
            account: person.account,
            name: format!("Person {number}"),
            household: person.home.map(household),
            child: self.child(number),
            blocks_asker: person.blocked.contains(&asker),
            knows_asker: self.knows(number, asker),
            stranger_calls: self.strangers.calls(person.account, asking, now),
            quiet: QuietFacts {
                everywhere: person.quiet_everywhere,
                schedule: person.schedule.as_ref().and_then(|(zone, windows)| {
                    let said = QuietSchedule {
                        time_zone: (*zone).to_owned(),
                        windows: windows.clone(),
                    };
                    Schedule::try_from(&said).ok()
                }),
                exceptions: self.in_book(number, &person.excepted),
            },
            devices: devices.collect(),
        }
    }

    fn device(&self, id: DeviceId, device: &Device) -> DeviceFacts {
        DeviceFacts {
            device: id,
            kind: device.kind,
            label: "Room".to_owned(),
            quiet: device.quiet,
            capabilities: Capabilities {
                microphone: true,
                speaker: device.speaker,
                screen: false,
                camera: false,
            },
            switches: device.switches,
            session: device.session,
            push: device.push,
            drop_in: true,
        }
    }

    fn child(&self, number: usize) -> Option<ChildFacts> {
        let child = self.all[number].child.as_ref()?;
        self.all[number].home?;
        Some(ChildFacts {
            consented: child.consented,
            calling: child.calling,
            messaging: true,
            drop_in: false,
            contacts: self.in_book(number, &child.chosen),
        })
    }

    /// Whether somebody is in the address book of a person's household.
    pub(super) fn knows(&self, number: usize, whom: usize) -> bool {
        let home = self.all[number].home;
        home.is_some_and(|home| self.books[home].contains(&whom))
    }

    /// Those of some people that the household's address book has: only contacts are chosen.
    fn in_book(&self, number: usize, whom: &BTreeSet<usize>) -> Vec<Handle> {
        let known = whom.iter().filter(|one| self.knows(number, **one));
        known.map(|one| Self::handle(*one)).collect()
    }
}

fn household(number: usize) -> HouseholdId {
    let mut id = [9; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    HouseholdId(id)
}
