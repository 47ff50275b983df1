//! Carries events from the services to the sessions of those they concern.

use std::sync::Arc;

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{ErrorCode, Event};
use tokio::sync::broadcast;

/// How many messages a slow reader may fall behind before it loses the oldest.
pub const MESSAGES_MAX: usize = 4096;

/// Whom an event is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// One app or home device.
    Device(DeviceId),
    /// All devices of a person.
    Account(AccountId),
    /// All devices of a household.
    Household(HouseholdId),
    /// All devices of a household but the one that caused it.
    HouseholdExcept(HouseholdId, DeviceId),
}

/// What travels on the bus.
#[derive(Debug, Clone)]
pub enum Message {
    /// An event for an audience.
    Event(Audience, Event),
    /// The sessions of a device end now, with this code.
    EndSessions(DeviceId, ErrorCode),
}

/// A handle on the bus; clones are the same bus.
#[derive(Debug, Clone)]
pub struct Bus {
    sender: broadcast::Sender<Arc<Message>>,
}

impl Default for Bus {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(MESSAGES_MAX) }
    }
}

impl Bus {
    /// Sends an event to the sessions of its audience.
    pub fn publish(&self, audience: Audience, event: Event) {
        self.send(Message::Event(audience, event));
    }

    /// Ends the sessions of a device.
    pub fn end_sessions(&self, device: DeviceId, code: ErrorCode) {
        self.send(Message::EndSessions(device, code));
    }

    /// Everything from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Message>> {
        self.sender.subscribe()
    }

    fn send(&self, message: Message) {
        // Nobody listening is fine: the event was for sessions, and there are none.
        drop(self.sender.send(Arc::new(message)));
    }
}
