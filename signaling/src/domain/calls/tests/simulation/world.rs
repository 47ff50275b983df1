//! The households, their calls, and the rules that nothing may break.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{Account, Callee, EndReason, Party};
use tokio::sync::mpsc;

use super::super::super::config::CallsConfig;
use super::super::super::index::{Admitted, Entry, Index, Standing};
use super::super::super::input::{Act, Adding, Input, Invite, Moment, Moving, Offer, PeerChange};
use super::super::super::machine::{Call, Part};
use super::super::super::task::Message;
use super::super::{SWITCHES, all_on};
use crate::domain::reach::ALL_ON;
use crate::model::UnixMillis;

const HOUSEHOLDS: usize = 1_000;

/// Longer than this nothing rings: the ring time-out, and one step of the clock.
const RINGS_MAX: Duration = Duration::from_secs(46);

/// A person, their devices, and whom they may not be called by.
struct Person {
    account: AccountId,
    household: usize,
    devices: Vec<DeviceId>,
    blocked: Option<AccountId>,
}

/// A call under way, and what was said of it.
pub(super) struct Running {
    pub(super) call: Call,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) epoch: u64,
    /// Who was asked, at their own or another's devices: the only ones who may ever take part.
    pub(super) asked: BTreeSet<DeviceId>,
    pub(super) answers: usize,
    pub(super) adding: usize,
    pub(super) joined: usize,
    pub(super) grown: bool,
    /// Who takes part, as last told.
    pub(super) present: BTreeSet<DeviceId>,
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
    pub(super) refused: usize,
    pub(super) ended: HashMap<EndReason, usize>,
}

pub(super) struct World {
    pub(super) seed: u64,
    random: u64,
    start: Instant,
    pub(super) elapsed: Duration,
    config: CallsConfig,
    people: Vec<Person>,
    owner: HashMap<DeviceId, usize>,
    quiet: BTreeSet<DeviceId>,
    revoked: BTreeSet<DeviceId>,
    pub(super) index: Index,
    pub(super) calls: BTreeMap<CallId, Running>,
    pub(super) ringing: BTreeMap<(DeviceId, CallId), Duration>,
    pub(super) figures: Figures,
    pub(super) over: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut world = Self {
            seed,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            start: Instant::now(),
            elapsed: Duration::ZERO,
            config: CallsConfig::default(),
            people: Vec::new(),
            owner: HashMap::new(),
            quiet: BTreeSet::new(),
            revoked: BTreeSet::new(),
            index: Index::default(),
            calls: BTreeMap::new(),
            ringing: BTreeMap::new(),
            figures: Figures::default(),
            over: false,
        };
        for household in 0..HOUSEHOLDS {
            for _ in 0..1 + world.below(2) {
                world.settle(household);
            }
        }
        world
    }

    fn settle(&mut self, household: usize) {
        let number = self.people.len();
        let mut devices = Vec::new();
        for nth in 0..1 + self.below(3) {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(number as u64).to_be_bytes());
            id[15] = 1 + nth as u8;
            devices.push(DeviceId(id));
            self.owner.insert(DeviceId(id), number);
        }
        let blocked = (self.below(4) == 0).then(|| account(self.below(HOUSEHOLDS)));
        self.people.push(Person {
            account: account(number),
            household,
            devices,
            blocked,
        });
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound.max(1) as u64) as usize
    }

    pub(super) fn now(&self) -> Moment {
        Moment {
            at: self.start + self.elapsed,
            unix: UnixMillis(1_000_000).plus(self.elapsed),
        }
    }

    pub(super) fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Who rings when `from` calls: nobody who blocked them, no device that is not to be disturbed.
    fn reach(&self, from: AccountId, to: usize) -> Vec<DeviceId> {
        let person = &self.people[to];
        if person.blocked == Some(from) {
            return Vec::new();
        }
        let silent =
            |device: &DeviceId| self.quiet.contains(device) || self.revoked.contains(device);
        let devices = person.devices.iter().filter(|device| !silent(device));
        devices.copied().collect()
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
        for ((device, call), since) in &self.ringing {
            let rings = self.elapsed.saturating_sub(*since);
            assert!(
                rings <= RINGS_MAX,
                "seed {}: {device} rings for {call}",
                self.seed
            );
        }
    }

    /// One random thing, allowed or not.
    pub(super) fn act(&mut self) {
        if self.calls.len() < 40 || self.below(12) == 0 {
            self.begin();
        }
        let ids: Vec<_> = self.calls.keys().copied().collect();
        let Some(id) = ids.get(self.below(ids.len())).copied() else {
            return;
        };
        let device = self.somebody_of(id);
        let account = self.account_of(device);
        let input = match self.below(26) {
            0..=4 => act(device, account, ringing()),
            5..=7 => return self.answer(id, device, account),
            8 => act(device, account, Act::Decline),
            9 => act(device, account, Act::Cancel),
            10 => act(device, account, hang_up()),
            11..=13 => return self.add(id, device),
            14..=16 => return self.offer_move(id, device),
            17 => Input::SessionLost(device),
            18 => Input::SessionBack(device),
            19 => return self.revoke(device),
            20 => return self.silence(device),
            21 => act(device, account, offer()),
            22 => Input::Negotiated(device, true),
            23 => Input::Peer(device, PeerChange::Connected),
            24 => Input::Peer(device, PeerChange::Silent),
            _ => act(device, account, Act::EndForEveryone),
        };
        self.step(id, input);
    }

    fn begin(&mut self) {
        let from = self.below(self.people.len());
        let to = self.below(self.people.len());
        // Neighbours call each other, so that second calls and crossing calls happen.
        let to = if self.below(3) == 0 {
            to
        } else {
            (from / 8) * 8 + self.below(8)
        };
        if from == to || to >= self.people.len() {
            return;
        }
        let nth = self.below(self.people[from].devices.len());
        let device = self.people[from].devices[nth];
        if self.revoked.contains(&device) {
            return;
        }
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(self.figures.begun as u64 + 1).to_be_bytes());
        let id = CallId(id);
        let (caller, callee) = (self.shown(from), self.shown(to));
        let ring = self.reach(caller.id, to);
        let (mailbox, inbox) = mpsc::channel(256);
        let entry = entry(mailbox, device, &caller, &callee);
        let Ok(Admitted::New { full, engaged }) =
            self.index.admit(&self.config, id, entry, &ring, true)
        else {
            self.figures.refused += 1;
            return;
        };
        self.figures.begun += 1;
        self.figures.waited += engaged.len();
        let invite = Invite {
            call: id,
            caller_device: device,
            callee: party(&callee),
            people: vec![callee.id],
            to: Some(callee),
            caller,
            ring: all_on(&ring),
            engaged,
            caller_switches: ALL_ON,
            family: self.people[from].household == self.people[to].household,
            video: false,
            invitation: Blob(vec![1]),
        };
        let (call, effects) = Call::start(&self.config, invite, full, self.now());
        let running = Running {
            call,
            inbox,
            epoch: 0,
            asked: ring.into_iter().chain([device]).collect(),
            answers: 0,
            adding: 0,
            joined: 0,
            grown: false,
            present: BTreeSet::new(),
            took_part: BTreeSet::new(),
            part_ends: BTreeMap::new(),
            ends: BTreeMap::new(),
        };
        self.calls.insert(id, running);
        self.carry_out(id, effects);
    }

    fn shown(&self, number: usize) -> Account {
        Account {
            id: self.people[number].account,
            handle: format!("person{number}").parse().unwrap(),
            display_name: format!("Person {number}"),
        }
    }

    /// Mostly somebody whom the call concerns, sometimes anybody.
    fn somebody_of(&mut self, id: CallId) -> DeviceId {
        let asked: Vec<_> = self.calls[&id].asked.iter().copied().collect();
        if self.below(10) == 0 || asked.is_empty() {
            let person = self.below(self.people.len());
            return self.people[person].devices[0];
        }
        asked[self.below(asked.len())]
    }

    pub(super) fn account_of(&self, device: DeviceId) -> AccountId {
        self.people[self.owner[&device]].account
    }

    fn answer(&mut self, id: CallId, device: DeviceId, account: AccountId) {
        let Some(entry) = self.index.get(id) else {
            return;
        };
        let waits = entry.standing != Standing::Answered;
        if waits && entry.callees.contains(&account) && !self.index.reserve_answer(id, device) {
            self.figures.refused += 1;
            return;
        }
        self.step(id, act(device, account, ringing()));
        self.step(id, act(device, account, Act::Answer { media: SWITCHES }));
        for (mailbox, input) in self.index.after_answer(id, device) {
            mailbox.try_send(Message::Input(input)).unwrap();
        }
        self.deliver();
    }

    fn add(&mut self, id: CallId, device: DeviceId) {
        let near = self.owner[&device] / 8 * 8 + self.below(8);
        let whom = near.min(self.people.len() - 1);
        let account = self.account_of(device);
        if self.people[whom].account == account {
            return;
        }
        let ring = self.reach(account, whom);
        let callee = self.shown(whom);
        let adding = Adding {
            from: self.shown(self.owner[&device]),
            callee: party(&callee),
            account: Some(callee.id),
            engaged: self.index.engaged(&ring),
            full: false,
            ring: all_on(&ring),
            family: self.people[self.owner[&device]].household == self.people[whom].household,
            to: Callee::Person {
                handle: callee.handle.clone(),
            },
            there: self.index.get(id).map_or(vec![], Entry::people),
            invitation: Blob(vec![1]),
        };
        let before = self.calls[&id].adding;
        // Before the step: what it says is checked against it.
        let newly: Vec<_> = {
            let asked = &mut self.running(id).asked;
            ring.into_iter().filter(|one| asked.insert(*one)).collect()
        };
        self.step(id, act(device, account, Act::Add(Box::new(adding))));
        if let Some(running) = self.calls.get_mut(&id)
            && running.adding == before
        {
            newly.iter().for_each(|one| {
                running.asked.remove(one);
            });
        }
    }

    fn offer_move(&mut self, id: CallId, device: DeviceId) {
        let household = self.people[self.owner[&device]].household;
        let home: Vec<_> = self
            .people
            .iter()
            .filter(|person| person.household == household)
            .flat_map(|person| person.devices.iter().copied())
            .filter(|one| !self.revoked.contains(one))
            .collect();
        let Some(to) = home.get(self.below(home.len())).copied() else {
            return;
        };
        if self.index.is_engaged(to) {
            self.figures.refused += 1;
            return;
        }
        let account = self.account_of(device);
        let person = self.shown(self.owner[&device]);
        let moving = Moving {
            to,
            switches: ALL_ON,
            person,
            invitation: Blob(vec![1]),
        };
        let newly = self.running(id).asked.insert(to);
        self.step(id, act(device, account, Act::Move(Box::new(moving))));
        let Some(running) = self.calls.get_mut(&id) else {
            return;
        };
        if !running.call.part().moving.contains(&to) && newly {
            running.asked.remove(&to);
            return;
        }
        let account = self.account_of(to);
        if self.below(5) > 0 {
            self.step(id, act(to, account, ringing()));
            self.step(id, act(to, account, Act::Answer { media: SWITCHES }));
        }
    }

    fn revoke(&mut self, device: DeviceId) {
        if self.below(4) > 0 || !self.revoked.insert(device) {
            return;
        }
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.step(id, Input::Revoked(device));
        }
        // Its sessions have ended: it rings no more, whoever else is told.
        self.ringing.retain(|(one, _), _| *one != device);
    }

    fn silence(&mut self, device: DeviceId) {
        if !self.quiet.remove(&device) {
            self.quiet.insert(device);
        }
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

fn party(of: &Account) -> Party {
    Party {
        handle: of.handle.clone(),
        display_name: of.display_name.clone(),
        guest: false,
    }
}

fn entry(
    mailbox: mpsc::Sender<Message>,
    device: DeviceId,
    caller: &Account,
    callee: &Account,
) -> Entry {
    Entry {
        mailbox,
        caller: caller.id,
        caller_device: device,
        caller_party: party(caller),
        to: Callee::Person {
            handle: callee.handle.clone(),
        },
        callees: vec![callee.id],
        callee: party(callee),
        standing: Standing::Waiting { rings: false },
        part: Part::default(),
    }
}

fn account(number: usize) -> AccountId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    id[14] = 1;
    AccountId(id)
}

pub(super) fn act(device: DeviceId, account: AccountId, act: Act) -> Input {
    Input::Act(device, account, act)
}

fn ringing() -> Act {
    Act::Ringing {
        key_package: Blob(vec![2]),
        statement: Blob(vec![3]),
    }
}

fn hang_up() -> Act {
    Act::HangUp {
        reason: EndReason::HungUp,
    }
}

fn offer() -> Act {
    Act::Offer(Offer {
        sdp: "v=0".to_owned(),
        publish: vec![],
        subscribe: vec![],
    })
}
