//! A session's end of the bus.

use std::sync::Arc;

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{ErrorCode, Event};
use tokio::sync::{mpsc, watch};

use super::local::LocalBus;

/// Who subscribes: what decides which audiences it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscriber {
    /// The account.
    pub account: AccountId,
    /// The app or device; absent for a sign-in without a key.
    pub device: Option<DeviceId>,
    /// The household; absent until admitted.
    pub household: Option<HouseholdId>,
}

/// What a subscription brings next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// An event for this session.
    Event(Arc<Event>),
    /// The session ends now.
    End(ErrorCode),
}

/// A session's end of the bus. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    pub(super) bus: LocalBus,
    pub(super) number: u64,
    pub(super) events: mpsc::Receiver<Arc<Event>>,
    pub(super) end: watch::Receiver<Option<ErrorCode>>,
}

impl Subscription {
    /// Waits for the next delivery. An end overtakes the events that still wait.
    pub async fn next(&mut self) -> Delivery {
        tokio::select! {
            biased;
            code = ended(&mut self.end) => Delivery::End(code),
            event = self.events.recv() => match event {
                Some(event) => Delivery::Event(event),
                // The bus dropped this subscriber because its queue was full.
                None => Delivery::End(ErrorCode::OutboxFull),
            },
        }
    }

    /// Belongs to a household from now on: the account was admitted.
    pub fn join_household(&self, household: HouseholdId) {
        self.bus.join_household(self.number, household);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.bus.unsubscribe(self.number);
    }
}

async fn ended(end: &mut watch::Receiver<Option<ErrorCode>>) -> ErrorCode {
    loop {
        if let Some(code) = *end.borrow_and_update() {
            return code;
        }
        if end.changed().await.is_err() {
            // Unsubscribed by the bus for a full queue: `events` tells.
            std::future::pending::<()>().await;
        }
    }
}
