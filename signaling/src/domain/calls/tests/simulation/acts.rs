//! What people do with calls: at random, allowed or not, by the steps that the service takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{Callee, DeviceKind, Party, Place};
use tokio::sync::mpsc;

use super::super::super::begin::{ALL_ON, rings};
use super::super::super::entry::{Entry, Standing};
use super::super::super::index::Admitted;
use super::super::super::input::{Act, Adding, Input, Invite, Kind, Moving, PeerChange};
use super::super::super::machine::{Call, Part};
use super::super::super::task::Message;
use super::super::SWITCHES;
use super::people::People;
use super::world::{Running, World, act, hang_up, offer, ringing};
use crate::domain::reach::{Plan, Target, World as Facts, reach};

impl World {
    /// One random thing.
    pub(super) fn act(&mut self) {
        if self.calls.len() < 40 || self.below(12) == 0 {
            self.begin();
        }
        if self.below(40) == 0 {
            self.announce();
        }
        let ids: Vec<_> = self.calls.keys().copied().collect();
        let Some(id) = ids.get(self.below(ids.len())).copied() else {
            return;
        };
        let device = self.somebody_of(id);
        if self.is_live(id) {
            return self.act_live(id, device);
        }
        let account = self.account_of(device);
        let input = match self.below(34) {
            0..=4 => act(device, account, ringing()),
            5..=8 => return self.answer(id, device, account),
            9 => act(device, account, Act::Decline),
            10 => act(device, account, Act::Cancel),
            11 => act(device, account, hang_up()),
            12..=15 => return self.add(id, device),
            16..=18 => return self.offer_move(id, device),
            19 => {
                // A device that refuses has fallen silent by itself.
                self.ringing.remove(&(device, id));
                act(device, account, Act::RefuseInvitation)
            }
            20 => act(device, account, offer()),
            21 => Input::Negotiated(device, true),
            22 => Input::Peer(device, PeerChange::Connected),
            23 => Input::Peer(device, PeerChange::Silent),
            24 => act(device, account, Act::EndForEveryone),
            25 | 26 => return self.disconnect(device),
            27 | 28 => return self.connect(device),
            _ => return self.change(device),
        };
        self.step(id, input);
    }

    /// Whom somebody calls: mostly a neighbour, else nobody, themself, a room or the whole home.
    fn somebody_to_call(&mut self, from: usize) -> Callee {
        match self.below(12) {
            0 => Callee::Person {
                handle: "nobody".parse().expect("a handle"),
            },
            1 => Callee::Place { place: Place::Home },
            2 => {
                let whose = self.neighbour(from);
                let device = self.device_of(whose);
                Callee::Device { device }
            }
            3..=5 => {
                let home = self.people.all[from].home;
                let members = home.map_or(vec![], |home| self.people.members(home).collect());
                let whom = members.get(self.below(members.len())).copied();
                Callee::Person {
                    handle: People::handle(whom.unwrap_or(from)),
                }
            }
            _ => Callee::Person {
                handle: People::handle(self.neighbour(from)),
            },
        }
    }

    fn begin(&mut self) {
        let from = self.anybody();
        let device = self.device_of(from);
        self.begin_with(device);
    }

    /// Somebody calls somebody, with this device.
    pub(super) fn begin_with(&mut self, device: DeviceId) {
        let from = self.owner_of(device);
        if !self.people.devices[&device].session {
            return;
        }
        let to = self.somebody_to_call(from);
        let facts = self.people.question((from, device), &to, &[], self.unix());
        let Ok(plan) = reach(&facts) else {
            self.figures.refused += 1;
            return;
        };
        self.figures.silent += usize::from(rings(&facts, &plan).is_empty());
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(self.figures.begun as u64 + 1).to_be_bytes());
        let (id, (mailbox, inbox)) = (CallId(id), mpsc::channel(256));
        let invite = self.invite(id, &facts, &plan, device);
        let entry = entry(mailbox, &invite, to);
        let ring = invite.devices();
        let admitted = self
            .index
            .admit(&self.config, id, entry, &ring, plan.family);
        let Ok(Admitted::New { full, engaged }) = admitted else {
            self.figures.refused += 1;
            return;
        };
        self.figures.begun += 1;
        if let Some(callee) = plan.people.first().filter(|_| plan.stranger) {
            let now = self.unix();
            self.people.strangers.rang(*callee, invite.caller.id, now);
        }
        self.figures.waited += engaged.len();
        self.hears_no_more(device);
        let invite = Invite { engaged, ..invite };
        let (invite, busy) = match (full, plan.family) {
            (true, false) => (invite.silenced(), false),
            (full, _) => (invite, full),
        };
        let asked = invite.devices().into_iter().chain([device]).collect();
        let (call, effects) = Call::start(&self.config, invite, busy, self.now());
        let family = plan.family;
        self.calls.insert(
            id,
            running((call, inbox), (device, self.elapsed), (family, asked)),
        );
        self.deciding = true;
        self.carry_out(id, effects);
        self.deciding = false;
    }

    fn invite(&self, call: CallId, facts: &Facts, plan: &Plan, device: DeviceId) -> Invite {
        let caller = self.people.shown(self.owner_of(device));
        let first = plan.people.first();
        let first = first.map(|one| self.people.shown(self.people.number(*one)));
        let (callee, to) = match &facts.target {
            Target::Person { handle, .. } => (handle.clone(), first),
            Target::Device { .. } => (caller.handle.clone(), first),
            Target::Home { .. } | Target::Household { .. } | Target::Guest { .. } => {
                (caller.handle.clone(), Some(caller.clone()))
            }
        };
        Invite {
            call,
            callee: Party {
                handle: callee,
                display_name: String::new(),
                guest: false,
            },
            people: plan.people.clone(),
            to,
            ring: rings(facts, plan),
            engaged: BTreeSet::new(),
            caller,
            caller_device: device,
            caller_switches: self.people.devices[&device].switches,
            family: plan.family,
            video: false,
            invitation: Blob(vec![1]),
        }
    }

    /// Mostly somebody whom the call concerns, sometimes anybody.
    fn somebody_of(&mut self, id: CallId) -> DeviceId {
        let asked: Vec<_> = self.calls[&id].asked.iter().copied().collect();
        if self.below(10) == 0 || asked.is_empty() {
            let person = self.anybody();
            return self.people.all[person].devices[0];
        }
        asked[self.below(asked.len())]
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
            mailbox.try_send(Message::Input(input)).expect("room");
        }
        self.deliver();
    }

    fn add(&mut self, id: CallId, device: DeviceId) {
        let from = self.owner_of(device);
        let to = Callee::Person {
            handle: People::handle(self.neighbour(from)),
        };
        let there = self.index.get(id).map_or(Vec::new(), Entry::people);
        let facts = self
            .people
            .question((from, device), &to, &there, self.unix());
        let Ok(plan) = reach(&facts) else {
            self.figures.refused += 1;
            return;
        };
        let account = plan.people.first().copied();
        let ring = rings(&facts, &plan);
        let devices: Vec<_> = ring.iter().map(|one| one.device).collect();
        let is_full = |account| self.index.is_full(&self.config, account);
        let full = !devices.is_empty() && account.is_some_and(is_full);
        if full && plan.family {
            self.figures.refused += 1;
            return;
        }
        let shown = self.people.shown(from);
        let Callee::Person { handle } = to else {
            return;
        };
        let adding = Adding {
            from: shown.clone(),
            to: Callee::Person {
                handle: handle.clone(),
            },
            callee: Party {
                handle,
                display_name: String::new(),
                guest: false,
            },
            account,
            engaged: self.index.engaged(&devices),
            ring: if full { vec![] } else { ring },
            full,
            family: plan.family,
            there,
            invitation: Blob(vec![1]),
        };
        let before = self.calls[&id].adding;
        // Before the step: what it says is checked against it.
        let running = self.running(id);
        let newly: Vec<_> = devices
            .into_iter()
            .filter(|one| running.asked.insert(*one))
            .collect();
        self.deciding = true;
        let accepted = self.step(id, act(device, shown.id, Act::Add(Box::new(adding))));
        self.deciding = false;
        let Some(running) = self.calls.get_mut(&id) else {
            return;
        };
        if accepted {
            running.leg_family = plan.family;
        }
        if running.adding == before {
            for one in newly {
                running.asked.remove(&one);
            }
        } else if let Some(callee) = account.filter(|_| plan.stranger) {
            let now = self.unix();
            self.people.strangers.rang(callee, shown.id, now);
        }
    }

    fn offer_move(&mut self, id: CallId, device: DeviceId) {
        let person = self.owner_of(device);
        let whose = self.neighbour(person);
        let candidates = self.people.all[whose].devices.clone();
        let to = candidates[self.below(candidates.len())];
        let there = &self.people.devices[&to];
        let home = self.people.all[person].home;
        let own = there.owner == person || there.kind == DeviceKind::HomeDevice;
        let here = home.is_some() && self.people.all[there.owner].home == home;
        if !own || !here || there.removed || self.index.is_engaged(to) {
            self.figures.refused += 1;
            return;
        }
        let moving = Moving {
            to,
            switches: ALL_ON,
            person: self.people.shown(person),
            invitation: Blob(vec![1]),
        };
        let newly = self.running(id).asked.insert(to);
        let account = self.account_of(device);
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
}

pub(super) fn running(
    (call, inbox): (Call, mpsc::Receiver<Message>),
    (caller, began): (DeviceId, Duration),
    (family, asked): (bool, BTreeSet<DeviceId>),
) -> Running {
    Running {
        call,
        inbox,
        caller,
        began,
        epoch: 0,
        family,
        leg_family: false,
        asked,
        may_meet: BTreeSet::new(),
        answers: 0,
        adding: 0,
        joined: 0,
        grown: false,
        present: BTreeMap::new(),
        took_part: BTreeSet::new(),
        part_ends: BTreeMap::new(),
        ends: BTreeMap::new(),
    }
}

fn entry(mailbox: mpsc::Sender<Message>, invite: &Invite, to: Callee) -> Entry {
    Entry {
        mailbox,
        caller: invite.caller.id,
        caller_device: invite.caller_device,
        caller_party: Party {
            handle: invite.caller.handle.clone(),
            display_name: invite.caller.display_name.clone(),
            guest: false,
        },
        to,
        callees: invite.people.clone(),
        callee: invite.callee.clone(),
        standing: Standing::Waiting { rings: false },
        part: Part::default(),
        kind: Kind::Call,
    }
}
