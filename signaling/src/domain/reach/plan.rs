//! Which devices ring or get a push, each for whom.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::DeviceKind;

use super::facts::{Asker, DeviceFacts, GuestFacts, PersonFacts, Way};

/// Devices that are rung at most at once, for all people of a target together. The rest is left out.
pub const DEVICES_MAX: usize = 32;

/// How somebody is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The people who learn of it: now by a device, or later from their history or their messages.
    /// Empty for nobody. Somebody who must not learn of it, because they block the asker or because a
    /// limit stands in the way, is not among them: to the asker that looks like nobody.
    pub people: Vec<AccountId>,
    /// Devices with a session that ring, announce or play it. No device twice.
    pub ring: Vec<Ring>,
    /// Devices without a session that get a push.
    pub push: Vec<Ring>,
    /// Devices that could not be told now, and ring if they come online meanwhile.
    pub later: Vec<Ring>,
    /// Whether asker and target are of one household, so that the asker may be told more.
    pub family: bool,
    /// Whether it is a stranger's call, which counts against the limits of the one it rings.
    pub stranger: bool,
}

/// A device that rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// The device.
    pub device: DeviceId,
    /// For whom.
    pub whose: AccountId,
}

impl Plan {
    /// Whether a device rings, now or when it comes online.
    #[must_use]
    pub fn rings(&self, device: DeviceId) -> bool {
        let mut all = self.ring.iter().chain(&self.push).chain(&self.later);
        all.any(|one| one.device == device)
    }

    /// A guest is one page and nothing else. Its maker is told when it is not reached.
    pub(super) fn of_guest(guest: &GuestFacts) -> Self {
        let mut plan = Self {
            people: vec![guest.account],
            family: true,
            ..Self::default()
        };
        plan.place(guest.account, &guest.device);
        plan
    }

    pub(super) fn add(&mut self, person: &PersonFacts, device: &DeviceFacts) {
        let full = self.ring.len() + self.push.len() + self.later.len() >= DEVICES_MAX;
        if full || self.rings(device.device) {
            return;
        }
        self.place(person.account, device);
    }

    fn place(&mut self, whose: AccountId, device: &DeviceFacts) {
        let one = Ring {
            device: device.device,
            whose,
        };
        if device.session {
            self.ring.push(one);
        } else if device.push {
            self.push.push(one);
        } else {
            self.later.push(one);
        }
    }
}

/// Whether a device can be reached this way at all, and is not the one that asks. A microphone or drop-in that
/// is switched off keeps a device from being dropped in on, not from ringing.
pub(super) fn can(asker: &Asker, way: Way, device: &DeviceFacts) -> bool {
    let able = device.capabilities;
    let right_kind = match way {
        Way::Call => able.speaker,
        Way::Message => able.speaker || able.screen,
        Way::DropIn => able.speaker && able.microphone && device.kind == DeviceKind::HomeDevice,
        Way::Announcement => able.speaker && device.kind == DeviceKind::HomeDevice,
    };
    let listens = way != Way::DropIn || (device.switches.microphone && device.drop_in);
    right_kind && listens && Some(device.device) != asker.device
}
