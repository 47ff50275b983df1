//! What people set and what becomes of their devices, at random: blocks, do not disturb, children's
//! limits, sessions that come and go, devices that come and are taken away, people who leave.

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{CameraSwitch, DeviceKind, QuietWindow, Switches};

use super::super::super::begin::rings;
use super::super::super::input::Input;
use super::super::super::service::SessionChange;
use super::super::super::task::Message;
use super::oracle::{DAYS, ZONES, local_minutes};
use super::people::Child;
use super::world::{World, act, hang_up};
use crate::domain::reach::reach;

/// Devices that one person has in their life here.
const DEVICES_MAX: usize = 6;

impl World {
    /// What is set already when a run begins.
    pub(super) fn begin_rules(&mut self) {
        for person in 0..self.people.all.len() {
            for _ in 0..4 {
                self.note(person);
            }
            if self.below(6) == 0 {
                let whom = self.neighbour(person);
                self.people.all[person].blocked.insert(whom);
            }
            if self.below(5) == 0 {
                self.schedule(person);
            }
            if self.people.all[person].child.is_some() {
                for _ in 0..2 {
                    self.choose(person);
                }
            }
        }
    }

    pub(super) fn make_child(&mut self, person: usize) {
        self.people.all[person].child = Some(Child {
            consented: true,
            calling: true,
            chosen: Default::default(),
        });
    }

    /// One random change, of somebody near to whoever has this device.
    pub(super) fn change(&mut self, device: DeviceId) {
        let person = self.neighbour(self.owner_of(device));
        let whom = self.neighbour(person);
        match self.below(24) {
            0 => _ = self.people.all[person].blocked.insert(whom),
            1..=2 => _ = self.people.all[person].blocked.pop_first(),
            3..=4 => {
                let one = self.device_of(person);
                let device = self.people.devices.get_mut(&one).expect("it is known");
                device.quiet = !device.quiet;
            }
            5 => self.people.all[person].quiet_everywhere = true,
            6..=7 => self.people.all[person].quiet_everywhere = false,
            8 => self.schedule(person),
            9 => self.people.all[person].schedule = None,
            10 => _ = self.people.all[person].excepted.insert(whom),
            11..=12 => self.note(person),
            13 => self.forget(person, whom),
            14 => self.limit(person),
            15..=16 => self.choose(person),
            17 => self.role(person),
            18 => self.switch(person),
            19 => {
                let one = self.device_of(person);
                let device = self.people.devices.get_mut(&one).expect("it is known");
                (device.speaker, device.push) = (!device.speaker, !device.push);
            }
            20 => self.revoke(device),
            21..=22 => self.new_device(person),
            _ => self.leave(person),
        }
    }

    pub(super) fn device_of(&mut self, person: usize) -> DeviceId {
        let count = self.people.all[person].devices.len();
        let nth = self.below(count);
        self.people.all[person].devices[nth]
    }

    /// Somebody comes into the household's address book.
    fn note(&mut self, person: usize) {
        let whom = self.neighbour(person);
        if let Some(home) = self.people.all[person].home {
            self.people.books[home].insert(whom);
        }
    }

    fn forget(&mut self, person: usize, whom: usize) {
        if let Some(home) = self.people.all[person].home {
            self.people.books[home].remove(&whom);
        }
    }

    /// A contact is chosen for a child, or is no more.
    fn choose(&mut self, person: usize) {
        let known: Vec<_> = match self.people.all[person].home {
            Some(home) => self.people.books[home].iter().copied().collect(),
            None => return,
        };
        let Some(whom) = known.get(self.below(known.len())).copied() else {
            return;
        };
        if let Some(child) = &mut self.people.all[person].child
            && !child.chosen.remove(&whom)
        {
            child.chosen.insert(whom);
        }
    }

    fn limit(&mut self, person: usize) {
        let (consented, calling) = (self.below(4) > 0, self.below(4) > 0);
        if let Some(child) = &mut self.people.all[person].child {
            (child.consented, child.calling) = (consented, calling);
        }
    }

    fn role(&mut self, person: usize) {
        if self.people.all[person].child.take().is_none() && self.below(2) == 0 {
            self.make_child(person);
        }
    }

    /// Do not disturb at times near now, so that they begin and end while a run lasts.
    fn schedule(&mut self, person: usize) {
        let zone = ZONES[self.below(ZONES.len())];
        let local = local_minutes(zone, self.unix().0);
        let mut windows = Vec::new();
        for _ in 0..1 + self.below(2) {
            let from = (local + 1_440 - 30 + self.below(60) as u64) % 1_440;
            let to = (from + 1 + self.below(40) as u64) % 1_440;
            let today = (local / 1_440 + 3) % 7;
            let first = ((today + 6 + self.below(2) as u64) % 7) as usize;
            windows.push(QuietWindow {
                days: vec![DAYS[first], DAYS[(first + 1) % 7]],
                from_minute: from as u16,
                to_minute: to as u16,
            });
        }
        self.people.all[person].schedule = Some((zone, windows));
    }

    fn switch(&mut self, person: usize) {
        let one = self.device_of(person);
        let switches = Switches {
            microphone: self.below(2) == 0,
            camera: CameraSwitch::On,
        };
        let device = self.people.devices.get_mut(&one).expect("it is known");
        device.switches = switches;
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.step(id, Input::Switched(one, switches));
        }
    }

    /// A device's connection is lost, or its session is over.
    pub(super) fn disconnect(&mut self, device: DeviceId) {
        let ends = self.below(2) == 0;
        self.people.devices.get_mut(&device).expect("known").session = false;
        let change = if ends {
            SessionChange::Ended
        } else {
            SessionChange::Lost
        };
        self.session_changed(device, change);
    }

    /// It has a session again: the one it had, or a new one.
    pub(super) fn connect(&mut self, device: DeviceId) {
        let resumed = self.below(2) == 0;
        let state = self.people.devices.get_mut(&device).expect("known");
        if state.removed {
            return;
        }
        state.session = true;
        let change = if resumed {
            SessionChange::Resumed
        } else {
            SessionChange::Opened
        };
        self.session_changed(device, change);
    }

    /// As the service does it.
    fn session_changed(&mut self, device: DeviceId, change: SessionChange) {
        let account = self.account_of(device);
        let (inputs, waiting) = self.index.concerned(account, device, change);
        for (mailbox, input) in inputs {
            mailbox.try_send(Message::Input(input)).expect("room");
        }
        for asked in waiting {
            let from = self.people.number(asked.by.account);
            let facts = self
                .people
                .question(
                    (from, asked.by.device),
                    &asked.to,
                    &asked.there,
                    self.unix(),
                )
                .let_through();
            let plan = reach(&facts).unwrap_or_default();
            let mut all = rings(&facts, &plan).into_iter();
            if let Some(one) = all.find(|one| one.device == device) {
                self.figures.rang_later += 1;
                let came = Message::Input(Input::Reachable(one));
                asked.mailbox.try_send(came).expect("room");
            }
        }
        self.deliver();
    }

    fn new_device(&mut self, person: usize) {
        let has_home = self.people.all[person].home.is_some();
        if has_home && self.people.all[person].devices.len() < DEVICES_MAX {
            let device = self.people.add_device(person, DeviceKind::HomeDevice);
            self.session_changed(device, SessionChange::Opened);
        }
    }

    /// A device is taken out of its household.
    fn revoke(&mut self, device: DeviceId) {
        let state = self.people.devices.get_mut(&device).expect("known");
        if std::mem::replace(&mut state.removed, true) {
            return;
        }
        state.session = false;
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.step(id, Input::Revoked(device));
        }
        // Its sessions have ended: it rings no more, whoever else is told.
        self.ringing.retain(|(one, _), _| *one != device);
    }

    /// A person leaves for good, with all their devices. Few do.
    fn leave(&mut self, person: usize) {
        if self.below(6) > 0 || self.people.all[person].home.take().is_none() {
            return;
        }
        let (account, devices) = {
            let person = &self.people.all[person];
            (person.account, person.devices.clone())
        };
        for (id, device) in self.index.with_devices(&devices) {
            self.step(id, act(device, account, hang_up()));
        }
        for device in devices {
            self.revoke(device);
        }
    }
}
