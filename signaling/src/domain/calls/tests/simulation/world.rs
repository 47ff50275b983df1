//! The calls of the simulation, and the clock. What may happen is decided by the index, the machines and
//! `reach`, as in the service.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{DeviceKind, EndReason};
use tokio::sync::mpsc;

use super::super::super::config::CallsConfig;
use super::super::super::index::Index;
use super::super::super::input::{Act, Input, Moment, Offer, PeerChange};
use super::super::super::machine::Call;
use super::super::super::task::Message;
use super::oracle::{Oracle, SUMMER_2026};
use super::people::{HOUSEHOLDS, People};
use crate::model::UnixMillis;

/// Longer than this nothing rings: the ring time-out, and one step of the clock.
const RINGS_MAX: Duration = Duration::from_secs(46);

/// When runs begin, in seconds: some minutes before the clocks change, before midnight, at noon.
const STARTS: [u64; 4] = [
    SUMMER_2026.0 - 1_200,
    SUMMER_2026.1 - 1_200,
    1_795_304_400,
    1_781_092_800,
];

/// A call under way, and what was said of it.
pub(super) struct Running {
    pub(super) call: Call,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) caller: DeviceId,
    /// Since the world began.
    pub(super) began: Duration,
    pub(super) epoch: u64,
    /// Whether it is within a household, and whether the one who is being added is of the adder's.
    pub(super) family: bool,
    pub(super) leg_family: bool,
    /// Who was asked, at their own or another's devices: the only ones who may ever take part.
    pub(super) asked: BTreeSet<DeviceId>,
    /// Who may be in it together, as it was when they were asked.
    pub(super) may_meet: BTreeSet<(usize, usize)>,
    pub(super) answers: usize,
    pub(super) adding: usize,
    pub(super) joined: usize,
    pub(super) grown: bool,
    /// Who takes part, as last told.
    pub(super) present: BTreeMap<DeviceId, usize>,
    pub(super) took_part: BTreeSet<DeviceId>,
    /// The reason with which a part ended, each once.
    pub(super) part_ends: BTreeMap<DeviceId, EndReason>,
    /// What was heard of the end since a device last took part.
    pub(super) ends: BTreeMap<DeviceId, EndReason>,
}

/// What a run did.
#[derive(Debug, Default, Clone)]
pub(super) struct Figures {
    pub(super) begun: usize,
    pub(super) added: usize,
    pub(super) moved: usize,
    pub(super) waited: usize,
    /// Devices that came online and rang for a call that waited.
    pub(super) rang_later: usize,
    /// Acts and questions that were refused.
    pub(super) refused: usize,
    /// Calls that rang nothing, since something stood in the way.
    pub(super) silent: usize,
    /// Calls with a child in them and somebody of another household.
    pub(super) children_outside: usize,
    /// Live announcements, how often one was heard, and how often whoever heard one began a call.
    pub(super) announced: usize,
    pub(super) heard: usize,
    pub(super) heard_no_more: usize,
    pub(super) ended: HashMap<EndReason, usize>,
}

pub(super) struct World {
    pub(super) seed: u64,
    random: u64,
    start: Instant,
    start_unix: UnixMillis,
    pub(super) elapsed: Duration,
    pub(super) config: CallsConfig,
    pub(super) people: People,
    pub(super) oracle: Oracle,
    pub(super) index: Index,
    pub(super) calls: BTreeMap<CallId, Running>,
    pub(super) ringing: BTreeMap<(DeviceId, CallId), Duration>,
    pub(super) figures: Figures,
    /// Whether somebody is asking in this moment, and no device comes online for what was asked.
    pub(super) deciding: bool,
    pub(super) over: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let begins = STARTS[(seed % STARTS.len() as u64) as usize];
        let mut world = Self {
            seed,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            start: Instant::now(),
            start_unix: UnixMillis(begins * 1_000),
            elapsed: Duration::ZERO,
            config: CallsConfig::default(),
            people: People::default(),
            oracle: Oracle::default(),
            index: Index::default(),
            calls: BTreeMap::new(),
            ringing: BTreeMap::new(),
            figures: Figures::default(),
            deciding: false,
            over: false,
        };
        for home in 0..HOUSEHOLDS {
            world.people.books.push(BTreeSet::new());
            for nth in 0..1 + world.below(3) {
                world.settle(home, nth);
            }
        }
        world.begin_rules();
        world
    }

    fn settle(&mut self, home: usize, nth: usize) {
        let person = self.people.add(home);
        for number in 0..1 + self.below(3) {
            let kind = if number == 0 {
                DeviceKind::App
            } else {
                DeviceKind::HomeDevice
            };
            self.people.add_device(person, kind);
        }
        if nth > 0 && self.below(2) == 0 {
            self.make_child(person);
        }
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound.max(1) as u64) as usize
    }

    /// Somebody near: people mostly have to do with the same few.
    pub(super) fn neighbour(&mut self, of: usize) -> usize {
        let count = self.people.all.len();
        let near = if self.below(4) == 0 {
            self.below(count)
        } else {
            of / 8 * 8 + self.below(8)
        };
        near.min(count - 1)
    }

    pub(super) fn anybody(&mut self) -> usize {
        let count = self.people.all.len();
        self.below(count)
    }

    pub(super) fn unix(&self) -> UnixMillis {
        self.start_unix.plus(self.elapsed)
    }

    pub(super) fn now(&self) -> Moment {
        Moment {
            at: self.start + self.elapsed,
            unix: self.unix(),
        }
    }

    pub(super) fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Time passes; whatever is due happens.
    pub(super) fn pass(&mut self, time: Duration) {
        self.elapsed += time;
        let now = self.start + self.elapsed;
        let due: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, one)| one.call.deadline().is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.step(id, Input::Tick);
        }
        self.nobody_is_in_two();
        self.nobody_speaks_for_ever();
        for ((device, call), since) in &self.ringing {
            let rings = self.elapsed.saturating_sub(*since);
            assert!(
                rings <= RINGS_MAX,
                "seed {}: {device} rings for {call}",
                self.seed
            );
        }
    }

    pub(super) fn account_of(&self, device: DeviceId) -> AccountId {
        self.people.all[self.owner_of(device)].account
    }

    pub(super) fn owner_of(&self, device: DeviceId) -> usize {
        self.people.devices[&device].owner
    }

    /// Every device's session is lost, for good.
    pub(super) fn everybody_goes(&mut self) {
        self.over = true;
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            for device in self.calls[&id].asked.clone() {
                if self.calls.contains_key(&id) {
                    self.step(id, Input::SessionLost(device));
                    self.step(id, Input::Peer(device, PeerChange::Silent));
                }
            }
        }
    }

    pub(super) fn must_be_quiet(&self) {
        let seed = self.seed;
        assert!(self.calls.is_empty(), "seed {seed}: a call never ends");
        assert!(
            self.ringing.is_empty(),
            "seed {seed}: a device rings for ever"
        );
        assert_eq!(self.index.figures().answered, 0, "seed {seed}");
    }

    pub(super) fn running(&mut self, id: CallId) -> &mut Running {
        self.calls.get_mut(&id).expect("it runs")
    }
}

pub(super) fn act(device: DeviceId, account: AccountId, act: Act) -> Input {
    Input::Act(device, account, act)
}

pub(super) fn ringing() -> Act {
    Act::Ringing {
        key_package: Blob(vec![2]),
        statement: Blob(vec![3]),
    }
}

pub(super) fn hang_up() -> Act {
    Act::HangUp {
        reason: EndReason::HungUp,
    }
}

pub(super) fn offer() -> Act {
    Act::Offer(Offer {
        sdp: "v=0".to_owned(),
        publish: vec![],
        subscribe: vec![],
    })
}
