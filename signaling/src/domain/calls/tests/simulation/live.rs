//! What households do with live announcements: at random, allowed or not, by the steps that the service takes.

use std::collections::BTreeSet;
use std::time::Duration;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{DeviceKind, PublishSection, Source, WelcomeFor};
use tokio::sync::mpsc;

use super::super::super::input::{Act, Input, Kind, Offer, PeerChange};
use super::super::super::live::NewLive;
use super::super::super::machine::Call;
use super::super::super::task::Message;
use super::super::SWITCHES;
use super::acts::running;
use super::world::{World, act, hang_up, offer, ringing};
use crate::domain::keys::SentCommit;

/// Longer than this nobody speaks: the minute, and one step of the clock.
const SPEAKS_MAX: Duration = Duration::from_secs(61);

impl World {
    /// Somebody speaks to the devices of their home.
    pub(super) fn announce(&mut self) {
        let from = self.anybody();
        let device = self.device_of(from);
        let Some(home) = self.people.all[from].home else {
            return;
        };
        if !self.people.devices[&device].session {
            return;
        }
        let hears = |one: &&DeviceId| {
            let there = &self.people.devices[*one];
            let may = there.session && there.speaker && !there.quiet && !there.removed;
            may && there.kind == DeviceKind::HomeDevice && **one != device
        };
        let members = self.people.members(home);
        let devices = members.flat_map(|one| &self.people.all[one].devices);
        let hearers: Vec<_> = devices.filter(hears).copied().collect();
        let shown = |one| (one, self.people.shown(self.owner_of(one)));
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(self.figures.announced as u64 + 1).to_be_bytes());
        id[15] = 1;
        let (mailbox, inbox) = mpsc::channel(256);
        let id = CallId(id);
        let mut new = NewLive {
            call: id,
            account: self.people.shown(from),
            device,
            switches: self.people.devices[&device].switches,
            hearers: hearers.iter().copied().map(shown).collect(),
            statement: Blob(vec![1]),
        };
        let entry = new.entry(mailbox);
        let admitted = self.index.admit_live(&self.config, id, entry, &hearers);
        let Ok(busy) = admitted else {
            self.figures.refused += 1;
            return;
        };
        self.figures.announced += 1;
        self.hears_no_more(device);
        new.hearers.retain(|(one, _)| !busy.contains(one));
        let mut asked: BTreeSet<_> = new.hearers.iter().map(|(one, _)| *one).collect();
        asked.insert(device);
        let people: BTreeSet<_> = asked.iter().map(|one| self.owner_of(*one)).collect();
        let (call, effects) = Call::announced(&self.config, new.announcement(), self.now());
        let mut running = running((call, inbox), (device, self.elapsed), (true, asked));
        for one in &people {
            let others = people.range(one + 1..);
            running.may_meet.extend(others.map(|other| (*one, *other)));
        }
        self.calls.insert(id, running);
        self.carry_out(id, effects);
    }

    pub(super) fn is_live(&self, id: CallId) -> bool {
        self.calls[&id].call.kind() == Kind::Live
    }

    /// One random thing in a live announcement, of somebody whom it concerns or who would like it to.
    pub(super) fn act_live(&mut self, id: CallId, device: DeviceId) {
        let account = self.account_of(device);
        let input = match self.below(21) {
            0..=6 => return self.hear(id, device, account),
            7 => act(device, account, hang_up()),
            8 => return self.speak_up(id, device, account),
            9 => return self.let_in(id, device, account),
            10 => act(device, account, offer()),
            11 => Input::Negotiated(device, true),
            12 => Input::Peer(device, PeerChange::Connected),
            13 => Input::Peer(device, PeerChange::Silent),
            14 if device != self.calls[&id].caller => {
                return self.must_refuse(id, device, account, Act::EndForEveryone);
            }
            14 => act(device, account, Act::EndForEveryone),
            15 => act(device, account, ringing()),
            16 => act(device, account, Act::Answer { media: SWITCHES }),
            17 => return self.begin_with(device),
            18 => return self.disconnect(device),
            19 => return self.connect(device),
            _ => return self.change(device),
        };
        self.step(id, input);
    }

    fn hear(&mut self, id: CallId, device: DeviceId, account: AccountId) {
        if !self.index.begin_hearing(id, device, account) {
            self.figures.refused += 1;
            return;
        }
        let hears = Act::Hear {
            key_package: Blob(vec![2]),
            statement: Blob(vec![3]),
        };
        let heard = self.step(id, act(device, account, hears));
        self.figures.heard += usize::from(heard);
    }

    /// A device wants to be heard. Only the one that announces may.
    fn speak_up(&mut self, id: CallId, device: DeviceId, account: AccountId) {
        let publish = vec![PublishSection {
            mid: "0".to_owned(),
            source: Source::Microphone,
        }];
        let wanted = Act::Offer(Offer {
            sdp: "v=0".to_owned(),
            publish,
            subscribe: vec![],
        });
        if device == self.calls[&id].caller {
            self.step(id, act(device, account, wanted));
        } else {
            self.must_refuse(id, device, account, wanted);
        }
    }

    /// A device would let another one into the group. Only the one that announces may.
    fn let_in(&mut self, id: CallId, device: DeviceId, account: AccountId) {
        let running = &self.calls[&id];
        let (caller, epoch) = (running.caller, running.epoch);
        let other = self.device_of(self.owner_of(device));
        let sent = SentCommit {
            epoch,
            commit: Blob(vec![5]),
            welcome: Some(WelcomeFor {
                device: other,
                welcome: Blob(vec![6]),
            }),
            removed: vec![],
        };
        if device != caller {
            self.must_refuse(id, device, account, Act::Commit(sent));
        }
    }

    fn must_refuse(&mut self, id: CallId, device: DeviceId, account: AccountId, wanted: Act) {
        let said = format!("{wanted:?}");
        let done = self.step(id, act(device, account, wanted));
        assert!(!done, "seed {}: {device} in {id}: {said}", self.seed);
    }

    /// A device that begins something itself hears no announcement any more.
    pub(super) fn hears_no_more(&mut self, device: DeviceId) {
        for mailbox in self.index.heard_by(device) {
            self.figures.heard_no_more += 1;
            let left = Message::Input(Input::LeftFor(device));
            mailbox.try_send(left).expect("room");
        }
        self.deliver();
    }

    /// Nobody speaks longer than a minute.
    pub(super) fn nobody_speaks_for_ever(&self) {
        for (id, one) in &self.calls {
            let speaks = self.elapsed.saturating_sub(one.began);
            let live = one.call.kind() == Kind::Live;
            assert!(!live || speaks <= SPEAKS_MAX, "seed {}: {id}", self.seed);
        }
    }
}
