//! `kill -9` at any moment: what was acknowledged is there.

use std::sync::Arc;

use homeline_client::api::{found_household, sign_in};
use homeline_client::{Identity, Server as At};
use homeline_protocol::id::{ContactId, DeviceId};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::people::{Person, credentials, plan, soon};
use crate::server::Server;

const ROUNDS: u32 = 9;

/// How many acknowledgements of one kind a round waits for at most before it kills.
const ACKNOWLEDGED_MAX: u32 = 6;

/// In a round, of one worker: what is signed up must be looked at afterwards.
const SIGN_UPS_MAX: u32 = 20;

/// In a round, of one worker: below what one session may ask for at once.
const CONTACTS_MAX: u32 = 100;

/// Something that the server said was done.
enum Fact {
    SignedUp {
        handle: String,
        identity: Box<Identity>,
    },
    ContactAdded {
        family: usize,
        contact: ContactId,
        name: String,
    },
    Paired {
        family: usize,
        device: Box<Identity>,
    },
    Removed {
        family: usize,
        device: DeviceId,
    },
}

impl Fact {
    /// Accounts, contacts or rosters.
    fn kind(&self) -> u32 {
        match self {
            Self::SignedUp { .. } => 0,
            Self::ContactAdded { .. } => 1,
            Self::Paired { .. } | Self::Removed { .. } => 2,
        }
    }
}

/// What has been acknowledged so far.
#[derive(Default)]
struct Known {
    families: Vec<Family>,
}

struct Family {
    handle: String,
    identity: Identity,
    contacts: Vec<(ContactId, String)>,
    devices: Vec<Identity>,
    removed: Vec<DeviceId>,
}

impl Known {
    fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::SignedUp { handle, identity } => self.families.push(Family {
                handle,
                identity: *identity,
                contacts: Vec::new(),
                devices: Vec::new(),
                removed: Vec::new(),
            }),
            Fact::ContactAdded {
                family,
                contact,
                name,
            } => {
                self.families[family].contacts.push((contact, name));
            }
            Fact::Paired { family, device } => self.families[family].devices.push(*device),
            Fact::Removed { family, device } => self.families[family].removed.push(device),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let mut chance = StdRng::seed_from_u64(0x686f_6d65);
    let mut server = Server::start(data.path());
    let mut known = Known::default();
    for handle in ["anna", "ben"] {
        let founded = found_household(&server.here(), credentials(handle), plan(handle)).await;
        let identity = Box::new(founded.unwrap().identity);
        known.learn(Fact::SignedUp {
            handle: handle.to_owned(),
            identity,
        });
    }
    for round in 0..ROUNDS {
        let (facts, mut told) = mpsc::unbounded_channel();
        let mut workers = busy(&server.here(), &known, round, &facts).await;
        drop(facts);
        // Each round kills right after another kind of acknowledgement, while the others are under way.
        let mut count = chance.random_range(1..=ACKNOWLEDGED_MAX);
        while count > 0 {
            let fact = soon("an acknowledgement", told.recv())
                .await
                .expect("workers work on");
            count -= u32::from(fact.kind() == round % 3);
            known.learn(fact);
        }
        let port = server.port_setting();
        server.kill();
        workers.shutdown().await;
        while let Some(fact) = told.recv().await {
            known.learn(fact);
        }
        server = Server::start_again(data.path(), &port);
        all_is_there(&server.here(), &known).await;
    }
    let devices: usize = known
        .families
        .iter()
        .map(|family| family.devices.len())
        .sum();
    let contacts: usize = known
        .families
        .iter()
        .map(|family| family.contacts.len())
        .sum();
    let removed: usize = known
        .families
        .iter()
        .map(|family| family.removed.len())
        .sum();
    assert!(
        known.families.len() > 2 && devices > 0 && contacts > 0 && removed > 0,
        "all kinds"
    );
}

/// Clients that sign up, add contacts, pair devices and take them out again, as fast as they can.
async fn busy(
    at: &At,
    known: &Known,
    round: u32,
    facts: &mpsc::UnboundedSender<Fact>,
) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for worker in 0..2 {
        workers.spawn(sign_up_for_ever(
            at.clone(),
            format!("r{round}w{worker}"),
            facts.clone(),
        ));
    }
    for family in 0..2 {
        let Family {
            identity, handle, ..
        } = &known.families[family];
        let person = Arc::new(Person::connect(at, identity.clone()).await);
        let (at, handle) = (at.clone(), handle.clone());
        workers.spawn(add_contacts(
            person.clone(),
            family,
            format!("r{round}"),
            facts.clone(),
        ));
        workers.spawn(pair_and_remove(person, at, handle, family, facts.clone()));
    }
    workers
}

async fn sign_up_for_ever(at: At, prefix: String, facts: mpsc::UnboundedSender<Fact>) {
    for number in 0..SIGN_UPS_MAX {
        let handle = format!("{prefix}n{number}");
        let founding = found_household(&at, credentials(&handle), plan(&handle));
        let Some(founded) = done(founding.await) else {
            return;
        };
        let identity = Box::new(founded.identity);
        facts.send(Fact::SignedUp { handle, identity }).unwrap();
    }
}

async fn add_contacts(
    person: Arc<Person>,
    family: usize,
    prefix: String,
    facts: mpsc::UnboundedSender<Fact>,
) {
    for number in 0..CONTACTS_MAX {
        let name = format!("Contact {prefix} {number}");
        let handle = format!("friend{number}").parse().unwrap();
        let Ok(contact) = person.client.add_contact(&name, handle, None).await else {
            return;
        };
        facts
            .send(Fact::ContactAdded {
                family,
                contact,
                name,
            })
            .unwrap();
    }
}

/// The roster grows by each, so an entry that was lost would also break all that came after it.
async fn pair_and_remove(
    person: Arc<Person>,
    at: At,
    handle: String,
    family: usize,
    facts: mpsc::UnboundedSender<Fact>,
) {
    for number in 0.. {
        let label = format!("Speaker {number}");
        let Ok(device) = person.try_pair(&at, &handle, &label).await else {
            return;
        };
        let id = homeline_e2ee::ids::device_id(device.device_key.public());
        if number % 2 == 1 {
            // The news of the pairing may be on its way still.
            let Some(()) = done(person.client.refresh().await) else {
                return;
            };
            let removed = person.client.remove_device(id).await;
            let Some(()) = done(removed) else { return };
            facts.send(Fact::Removed { family, device: id }).unwrap();
        } else {
            facts
                .send(Fact::Paired {
                    family,
                    device: Box::new(device),
                })
                .unwrap();
        }
    }
}

/// An error is the server's end, as a rule; in a test that fails it is worth reading.
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> Option<T> {
    result
        .inspect_err(|error| eprintln!("a worker ends: {error}"))
        .ok()
}

async fn all_is_there(at: &At, known: &Known) {
    for family in &known.families {
        let person = Person::connect(at, family.identity.clone()).await;
        let household = person.client.household();
        assert_eq!(
            household.refused(),
            0,
            "a signed statement of {} does not hold",
            family.handle
        );
        for (id, name) in &family.contacts {
            let held = household
                .contacts()
                .any(|card| card.id == *id && card.name == *name);
            assert!(held, "{} has lost {name}", family.handle);
        }
        for device in &family.devices {
            let key = device.device_key.public();
            assert!(
                household.roster().devices().contains_key(&key),
                "a paired device is gone"
            );
            Person::connect(at, device.clone()).await;
        }
        for id in &family.removed {
            let back = household.devices().iter().any(|device| device.id == *id);
            assert!(!back, "a removed device is back");
        }
    }
    // The password too, of whoever came last. This token is not used again.
    if let Some(Family {
        handle, identity, ..
    }) = known.families.last().filter(|_| known.families.len() > 2)
    {
        sign_in(at, credentials(handle), &mut identity.clone())
            .await
            .unwrap();
    }
}
