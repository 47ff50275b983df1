//! What a call does is carried out in the world, and held against the rules that nothing may break.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{CallPhase, EndReason, Event, Participant, WelcomeFor};

use super::super::super::entry::Standing;
use super::super::super::input::{Act, Effect, Input, Kind, Record};
use super::super::super::task::Message;
use super::oracle::{Somebody, keeps_apart};
use super::world::{World, act};
use crate::domain::keys::SentCommit;

/// What a device is asked to commit: by whom, who goes, who comes.
type Wish = (DeviceId, Vec<DeviceId>, Option<DeviceId>);

impl World {
    /// False when it was refused.
    pub(super) fn step(&mut self, id: CallId, input: Input) -> bool {
        let now = self.now();
        let Some(running) = self.calls.get_mut(&id) else {
            return false;
        };
        match running.call.step(now, input) {
            Ok(effects) => {
                self.carry_out(id, effects);
                true
            }
            Err(_) => {
                self.figures.refused += 1;
                self.settled(id);
                false
            }
        }
    }

    /// What one call said to others through the index.
    pub(super) fn deliver(&mut self) {
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            while let Some(Ok(Message::Input(input))) =
                self.calls.get_mut(&id).map(|one| one.inbox.try_recv())
            {
                self.step(id, input);
            }
        }
    }

    pub(super) fn carry_out(&mut self, id: CallId, effects: Vec<Effect>) {
        let mut wishes = Vec::new();
        for effect in effects {
            match effect {
                Effect::Tell(device, event) => self.told(id, device, event, &mut wishes),
                Effect::Media(MediaCommand::SetForwarding { peer, on: true, .. }) => {
                    let device = DeviceId(peer.0);
                    let present = self.running(id).call.part().present;
                    let ended = self.running(id).call.ended().is_some();
                    let takes_part = present.iter().any(|(one, _)| *one == device);
                    assert!(
                        takes_part || ended,
                        "seed {}: {device} hears {id}",
                        self.seed
                    );
                }
                Effect::Record(record) => self.kept(id, &record),
                Effect::Media(_) | Effect::Ask(..) | Effect::Measure(_) => {}
            }
        }
        self.settled(id);
        for (device, removed, joiner) in wishes {
            // Sometimes a client does not do what it is asked.
            if self.over || self.below(8) > 0 {
                self.commit(id, device, removed, joiner);
            }
        }
    }

    fn commit(
        &mut self,
        id: CallId,
        by: DeviceId,
        removed: Vec<DeviceId>,
        joiner: Option<DeviceId>,
    ) {
        let account = self.account_of(by);
        let Some(running) = self.calls.get(&id) else {
            return;
        };
        let sent = SentCommit {
            epoch: running.epoch,
            commit: Blob(vec![5]),
            welcome: joiner.map(|device| WelcomeFor {
                device,
                welcome: Blob(vec![6]),
            }),
            removed,
        };
        self.step(id, act(by, account, Act::Commit(sent)));
    }

    fn told(&mut self, id: CallId, device: DeviceId, event: Event, wishes: &mut Vec<Wish>) {
        let (seed, elapsed) = (self.seed, self.elapsed);
        match event {
            Event::IncomingCall { .. } | Event::CallWaiting { .. } => {
                self.rings(id, device);
                self.ringing.entry((device, id)).or_insert(elapsed);
            }
            Event::MoveOffered { .. } => {
                self.running(id).ends.remove(&device);
                self.ringing.insert((device, id), elapsed);
            }
            Event::AddingEnded { reason, .. } => {
                let told = matches!(reason, EndReason::Busy | EndReason::Unreachable);
                let family = self.running(id).leg_family;
                assert!(family || !told, "seed {seed}: an outsider hears {reason:?}");
            }
            Event::CallEnded { reason, .. } => {
                self.ringing.remove(&(device, id));
                let running = self.running(id);
                let told = matches!(reason, EndReason::Busy | EndReason::Unreachable);
                // Once it was answered, the caller may leave and be asked back by their own home.
                let left = running.answers > 0 && !running.present.contains_key(&device);
                let asked_back = left && running.leg_family;
                let outside = device == running.caller && !asked_back && !running.family;
                assert!(
                    !(told && outside),
                    "seed {seed}: an outsider hears {reason:?}"
                );
                let running = self.running(id);
                let before = running.ends.insert(device, reason);
                assert_eq!(
                    before, None,
                    "seed {seed}: {device} heard the end of {id} twice"
                );
                if running.present.remove(&device).is_some() {
                    running.part_ends.insert(device, reason);
                }
                self.figures.moved += usize::from(reason == EndReason::Moved);
            }
            Event::Participants { participants, .. } => {
                let numbered = |one: &Participant| (one.device, self.people.number(one.account));
                let present = participants.iter().map(numbered).collect();
                self.meet(id, &present);
                let running = self.running(id);
                for one in &participants {
                    let asked = running.asked.contains(&one.device);
                    assert!(asked, "seed {seed}: {} is in {id} unasked", one.device);
                }
                running.present = present;
                running.took_part.extend(running.present.keys());
                running.grown |= running.present.len() > 2;
                for one in participants {
                    self.ringing.remove(&(one.device, id));
                }
            }
            Event::CallAnswered { device: joiner, .. }
            | Event::AddingAnswered { device: joiner, .. } => {
                wishes.push((device, vec![], Some(joiner)));
            }
            Event::MemberLeft { device: gone, .. } => wishes.push((device, vec![gone], None)),
            Event::MoveAccepted {
                from, device: to, ..
            } => {
                wishes.push((device, vec![from], Some(to)));
            }
            Event::GroupCommit { epoch, .. } => self.running(id).epoch = epoch + 1,
            _ => {}
        }
    }

    /// A device is asked to ring: the oracle must find nothing in the way.
    fn rings(&mut self, id: CallId, device: DeviceId) {
        let (seed, now) = (self.seed, self.unix());
        let to = Somebody {
            person: self.owner_of(device),
            device,
        };
        let running = self.running(id);
        running.ends.remove(&device);
        running.asked.insert(device);
        let there: BTreeSet<_> = running.present.values().copied().collect();
        let asks = match running.call.part().coming {
            Some(coming) => coming.by.device,
            None => running.caller,
        };
        // A home device asks for its own person, and for whoever moved their call to it.
        let own = self.owner_of(asks);
        let moved = self.calls[&id].present.get(&asks).copied();
        let mut found = Ok(());
        for person in [Some(own), moved].into_iter().flatten() {
            let from = Somebody {
                person,
                device: asks,
            };
            let fresh = self.deciding;
            let rings = (id, from, to);
            found = self
                .oracle
                .rings(&self.people, rings, (&there, fresh), now.0);
            if found.is_ok() {
                break;
            }
        }
        if let Err(why) = found {
            panic!("seed {seed}: {device} rings for {id} of {asks}, but: {why}");
        }
        let running = self.running(id);
        for one in there.iter().chain([&own]) {
            running.may_meet.insert(pair(*one, to.person));
        }
    }

    /// Those who take part now must have been allowed to meet when they were asked.
    fn meet(&mut self, id: CallId, present: &BTreeMap<DeviceId, usize>) {
        let seed = self.seed;
        let people: BTreeSet<_> = present.values().copied().collect();
        let mut apart_from_home = false;
        for a in &people {
            for b in people.range(a + 1..) {
                let all = &self.people.all;
                let child = all[*a].child.is_some() || all[*b].child.is_some();
                apart_from_home |= child && all[*a].home != all[*b].home;
                let running = &self.calls[&id];
                assert!(
                    running.may_meet.contains(&(*a, *b)),
                    "seed {seed}: {a} and {b} may not be in {id} together (apart: {})",
                    keeps_apart(&self.people, *a, *b)
                );
            }
        }
        self.figures.children_outside += usize::from(apart_from_home);
    }

    fn kept(&mut self, id: CallId, record: &Record) {
        let seed = self.seed;
        let running = self.running(id);
        match record {
            Record::Answered { .. } => {
                running.answers += 1;
                assert_eq!(running.answers, 1, "seed {seed}: {id} has two answerers");
            }
            Record::Adding { .. } => running.adding += 1,
            Record::Joined { .. } => {
                running.joined += 1;
                let fits = running.joined <= running.adding;
                assert!(
                    fits,
                    "seed {seed}: two answered for one who was added to {id}"
                );
                self.figures.added += 1;
            }
            Record::Left { .. } | Record::Ended { .. } => {}
        }
    }

    /// After each step: where the call stands is told to the index; one that is over, over for all.
    fn settled(&mut self, id: CallId) {
        let seed = self.seed;
        let Some(running) = self.calls.get(&id) else {
            return;
        };
        let Some(reason) = running.call.ended() else {
            let standing = match running.call.phase() {
                Some(CallPhase::Answered) => Standing::Answered,
                Some(CallPhase::Ringing) => Standing::Waiting { rings: true },
                _ => Standing::Waiting { rings: false },
            };
            let part = running.call.part();
            self.index.set_standing(id, standing, part);
            return;
        };
        assert!(
            running.present.is_empty(),
            "seed {seed}: {id} ended, not for all"
        );
        let live = running.call.kind() == Kind::Live;
        for device in &running.took_part {
            let heard = running.part_ends.get(device);
            let expected = match heard {
                Some(EndReason::Moved) => true,
                // Whoever hears an announcement leaves alone; whoever speaks ends it.
                Some(_) if live && *device != running.caller => true,
                Some(heard) => (running.grown && !live) || *heard == reason,
                None => false,
            };
            assert!(
                expected,
                "seed {seed}: {device} heard {heard:?} of {id}, which {reason:?}"
            );
        }
        *self.figures.ended.entry(reason).or_default() += 1;
        self.index.end(id, reason);
        self.calls.remove(&id);
    }

    /// No device takes part in two calls.
    pub(super) fn nobody_is_in_two(&self) {
        let mut seen = BTreeSet::new();
        for entry in self.index.all() {
            for (device, _) in &entry.part.present {
                assert!(
                    seen.insert(*device),
                    "seed {}: {device} is in two calls",
                    self.seed
                );
            }
        }
    }
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}
