//! Events on their way from the domain to the sessions that should see them.
//!
//! What the domain wants to tell people goes on the bus; the session edge subscribes. Nothing is
//! stored here: whoever is not subscribed asks for the state anew when it comes.

mod local;
mod subscription;

pub use local::LocalBus;
pub use subscription::{Delivery, Subscriber, Subscription};

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{ErrorCode, Event, Switches};
use tokio::sync::mpsc;

/// The way events take between the parts of the server.
#[derive(Clone, Debug)]
pub enum Bus {
    /// One process: events go straight to the sessions in memory.
    Local(LocalBus),
}

/// Whose sessions get an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// One app or device.
    Device(DeviceId),
    /// All sessions of a person: their apps and the devices that are theirs.
    Account(AccountId),
    /// All sessions of a household.
    Household(HouseholdId),
    /// All sessions of a household but those of one device, which knows already.
    HouseholdExcept(HouseholdId, DeviceId),
}

/// What the domain itself learns from the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// All sessions of a device were ended by the server: it was removed, or signed out.
    SessionsEnded {
        /// The device.
        device: DeviceId,
        /// Why.
        code: ErrorCode,
    },
    /// A device told where its switches stand.
    Switched {
        /// The device.
        device: DeviceId,
        /// Its switches.
        switches: Switches,
    },
    /// What a child may has changed, or may have.
    ChildLimited {
        /// Which child.
        account: AccountId,
    },
    /// A person has blocked somebody.
    Blocked {
        /// Who blocks.
        account: AccountId,
        /// Whom.
        handle: Handle,
    },
    /// Who may drop in on a household has changed: by its grants, or at one of its devices.
    DropInChanged {
        /// Which household.
        household: HouseholdId,
    },
}

impl Default for Bus {
    /// A bus within one process.
    fn default() -> Self {
        Self::Local(LocalBus::default())
    }
}

impl Bus {
    /// Sends an event to everyone in its audience who has a session now. Never waits: a session
    /// that is too far behind ends with `outbox_full`, and asks for the state anew.
    pub fn publish(&self, audience: Audience, event: Event) {
        match self {
            Self::Local(bus) => bus.publish(audience, &event),
        }
    }

    /// Ends all sessions of a device at once, telling it why.
    pub fn end_sessions(&self, device: DeviceId, code: ErrorCode) {
        match self {
            Self::Local(bus) => bus.end_sessions(device, code),
        }
    }

    /// Ends all sessions of a person at once, those without a device too.
    pub fn end_account(&self, account: AccountId, code: ErrorCode) {
        match self {
            Self::Local(bus) => bus.end_account(account, code),
        }
    }

    /// Tells the domain what one of its lower rungs has learned.
    pub fn notify(&self, notice: Notice) {
        match self {
            Self::Local(bus) => bus.notify(notice),
        }
    }

    /// Subscribes a session to what is meant for it. Dropping the subscription ends it.
    #[must_use]
    pub fn subscribe(&self, subscriber: Subscriber) -> Subscription {
        match self {
            Self::Local(bus) => bus.subscribe(subscriber),
        }
    }

    /// What the domain listens to: one receiver, made once at the start by the lowest rung that
    /// needs it (calls).
    #[must_use]
    pub fn notices(&self) -> mpsc::Receiver<Notice> {
        match self {
            Self::Local(bus) => bus.notices(),
        }
    }
}
