//! Follows sessions and tells the household when a device comes, sleeps or goes.
//!
//! Only for people to see: whether a device rings is for `reach` to decide, and nothing here is
//! kept beyond the process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{Device, Event, Presence};

use crate::bus::{Audience, Bus};
use crate::model::Speaker;

/// Where devices stand. Holds as many as there are sessions. Clones share it.
#[derive(Debug, Clone)]
pub struct PresenceService {
    bus: Bus,
    devices: Arc<Mutex<HashMap<DeviceId, Standing>>>,
    /// Counts how often a device came.
    comings: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    /// Which coming it was when it last came: the higher, the later.
    came: u64,
    /// Whether its session has a connection.
    connected: bool,
    /// Whether it said that its tab sleeps.
    asleep: bool,
}

impl PresenceService {
    /// Tells households over this bus.
    #[must_use]
    pub fn new(bus: Bus) -> Self {
        Self {
            bus,
            devices: Arc::default(),
            comings: Arc::default(),
        }
    }

    /// A device opened a session.
    pub fn opened(&self, speaker: &Speaker) {
        let came = self.comings.fetch_add(1, Ordering::Relaxed);
        self.change(speaker, |_| {
            Some(Standing {
                came,
                connected: true,
                asleep: false,
            })
        });
    }

    /// A device's session has a connection again.
    pub fn resumed(&self, speaker: &Speaker) {
        let came = self.comings.fetch_add(1, Ordering::Relaxed);
        self.change(speaker, |before| {
            before.map(|now| Standing {
                came,
                connected: true,
                ..now
            })
        });
    }

    /// A device's session lost its connection, and may take it up again.
    pub fn lost(&self, speaker: &Speaker) {
        self.change(speaker, |before| {
            before.map(|now| Standing {
                connected: false,
                ..now
            })
        });
    }

    /// A device's session is over.
    pub fn closed(&self, speaker: &Speaker) {
        self.change(speaker, |_| None);
    }

    /// A device says whether its tab sleeps.
    pub fn says(&self, speaker: &Speaker, asleep: bool) {
        self.change(speaker, |before| {
            before.map(|now| Standing { asleep, ..now })
        });
    }

    /// Where a device stands now.
    #[must_use]
    pub fn of(&self, device: DeviceId) -> Presence {
        let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        presence(devices.get(&device).copied())
    }

    /// Which of several devices came last: the highest did.
    #[must_use]
    pub fn came(&self, device: DeviceId) -> Option<u64> {
        let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        devices.get(&device).map(|standing| standing.came)
    }

    /// Writes where they stand into devices that are about to be shown.
    pub fn fill(&self, devices: &mut [Device]) {
        for device in devices {
            device.presence = self.of(device.id);
        }
    }

    fn change(&self, speaker: &Speaker, to: impl FnOnce(Option<Standing>) -> Option<Standing>) {
        let Some(device) = speaker.device else { return };
        let (before, after) = {
            let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
            let before = devices.get(&device).copied();
            let after = to(before);
            match after {
                Some(standing) => devices.insert(device, standing),
                None => devices.remove(&device),
            };
            (presence(before), presence(after))
        };
        if before != after
            && let Some(household) = speaker.household
        {
            let event = Event::PresenceChanged {
                device,
                presence: after,
            };
            self.bus
                .publish(Audience::HouseholdExcept(household, device), event);
        }
    }
}

fn presence(standing: Option<Standing>) -> Presence {
    match standing {
        None => Presence::Offline,
        Some(Standing {
            connected: true,
            asleep: false,
            ..
        }) => Presence::Online,
        Some(_) => Presence::Asleep,
    }
}

#[cfg(test)]
mod tests {
    use homeline_protocol::id::{AccountId, HouseholdId};
    use homeline_protocol::session::DeviceKind;

    use super::*;
    use crate::bus::{Delivery, Subscriber};

    const KITCHEN: Speaker = Speaker {
        account: AccountId([1; 16]),
        device: Some(DeviceId([2; 16])),
        household: Some(HouseholdId([3; 16])),
        kind: DeviceKind::HomeDevice,
        adult: false,
        guest: false,
    };

    #[tokio::test]
    async fn the_household_sees_a_device_come_sleep_and_go() {
        let bus = Bus::default();
        let mut app = bus.subscribe(Subscriber {
            account: KITCHEN.account,
            device: Some(DeviceId([9; 16])),
            household: KITCHEN.household,
        });
        let presence = PresenceService::new(bus);
        presence.opened(&KITCHEN);
        presence.says(&KITCHEN, true);
        presence.lost(&KITCHEN);
        presence.says(&KITCHEN, false);
        presence.resumed(&KITCHEN);
        presence.closed(&KITCHEN);
        let mut seen = Vec::new();
        for _ in 0..4 {
            let Delivery::Event(event) = app.next().await else {
                panic!("ended")
            };
            let Event::PresenceChanged { presence, .. } = *event else {
                panic!("{event:?}")
            };
            seen.push(presence);
        }
        // Lost while it sleeps changes nothing for those who look.
        assert_eq!(
            seen,
            [
                Presence::Online,
                Presence::Asleep,
                Presence::Online,
                Presence::Offline
            ]
        );
    }
}
