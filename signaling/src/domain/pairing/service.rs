//! The service: its parts, and what ends by itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeline_protocol::Handle;
use homeline_protocol::id::{DeviceId, PairingId};
use homeline_protocol::session::Event;
use tokio::sync::watch;

use super::machine::Stage;
use super::table::{Pairing, Table};
use crate::bus::{Audience, Bus};
use crate::domain::accounts::Accounts;
use crate::domain::limits::{Limiter, LimitsConfig, Origin};
use crate::domain::roster::RosterGate;
use crate::model::{Clock, UnixMillis};
use crate::store::{self, Db, StoreError};

/// Pairings.
#[derive(Debug)]
pub struct Pairings {
    pub(super) db: Db,
    pub(super) bus: Bus,
    pub(super) clock: Clock,
    pub(super) gate: RosterGate,
    pub(super) accounts: Arc<Accounts>,
    pub(super) per_address: Limiter<Origin>,
    pub(super) per_handle: Limiter<Handle>,
    pub(super) table: Mutex<Table>,
    pub(super) closing: watch::Sender<bool>,
}

impl Pairings {
    /// The service, from its parts.
    #[must_use]
    pub fn new(
        (db, bus, clock): (Db, Bus, Clock),
        gate: RosterGate,
        accounts: Arc<Accounts>,
        limits: &LimitsConfig,
    ) -> Self {
        Self {
            db,
            bus,
            clock,
            gate,
            accounts,
            per_address: Limiter::new(limits.pairing_per_address, limits.remembered_max),
            per_handle: Limiter::new(limits.pairing_per_handle, limits.remembered_max),
            table: Mutex::default(),
            closing: watch::Sender::new(false),
        }
    }

    /// Lets go of the devices that wait for an answer: the server goes down.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Forgets what is over, and tells the apps concerned. Called now and then, and before any
    /// pairing is looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        self.expire();
        let mut tx = self.db.write().await?;
        store::pairings::delete_expired(&mut tx, self.clock.now()).await?;
        tx.commit().await
    }

    pub(super) fn expire(&self) {
        let now = self.clock.now();
        let mut table = self.table();
        let expired = table.take_expired(now);
        let ended: Vec<_> = expired
            .into_iter()
            .flat_map(|(id, pairing)| {
                let stage = pairing.stage.send_replace(Stage::Refused);
                let told = told_of_end(&table, &pairing, &stage, now);
                told.into_iter().map(move |app| (app, id))
            })
            .collect();
        drop(table);
        self.tell_ended(&ended);
    }

    pub(super) fn tell_ended(&self, ended: &[(DeviceId, PairingId)]) {
        for (app, pairing) in ended {
            let event = Event::PairingEnded { pairing: *pairing };
            self.bus.publish(Audience::Device(*app), event);
        }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is told that a pairing ended without a device.
fn told_of_end(table: &Table, pairing: &Pairing, stage: &Stage, now: UnixMillis) -> Vec<DeviceId> {
    match stage {
        Stage::Certified { .. } | Stage::Refused => vec![],
        Stage::Waiting => pairing
            .account
            .map(|account| table.listening(account, now))
            .unwrap_or_default(),
        taken => taken.app().into_iter().collect(),
    }
}
