//! What links and guests are built on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homeline_protocol::Secret;
use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::{DeviceKind, ErrorCode, Event};

use super::table::{Gone, Table, Visitor};
use crate::bus::{Audience, Bus};
use crate::domain::limits::{Limiter, LimitsConfig, Origin};
use crate::domain::secrets::hash_token;
use crate::model::{Clock, Speaker};
use crate::store::{self, Db, StoreError};

/// Whoever is told that the visit is over has so long to hear it before the session ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// Call links and guests. Clones share them.
#[derive(Debug, Clone)]
pub struct Guests(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) db: Db,
    pub(super) bus: Bus,
    pub(super) clock: Clock,
    /// Knocks from one address, as often as sign-ins.
    pub(super) knocks: Limiter<Origin>,
    table: Mutex<Table>,
}

impl Guests {
    /// No guests yet.
    #[must_use]
    pub fn new((db, bus, clock): (Db, Bus, Clock), limits: &LimitsConfig) -> Self {
        Self(Arc::new(Shared {
            db,
            bus,
            clock,
            knocks: Limiter::new(limits.sign_in_per_address, limits.remembered_max),
            table: Mutex::default(),
        }))
    }

    /// Who a guest's token stands for, if it is one.
    #[must_use]
    pub fn authenticate(&self, token: &Secret) -> Option<Speaker> {
        let (account, device) = self.0.table().of_token(&hash_token(token))?;
        Some(Speaker::of_guest(account, device))
    }

    /// A guest, if the device is one's.
    #[must_use]
    pub fn visitor(&self, device: DeviceId) -> Option<Visitor> {
        let now = self.0.clock.now();
        self.0.table().visitor(device, now)
    }

    /// Whether an account stands for a guest.
    #[must_use]
    pub fn has_account(&self, account: AccountId) -> bool {
        self.0.table().has_account(account)
    }
}

impl Shared {
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a person's apps. Home devices stand where others see them.
    pub(super) async fn tell_apps(
        &self,
        account: AccountId,
        events: &[Event],
    ) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.read().await?;
        let devices = store::devices::of_account(&mut tx, account).await?;
        for app in devices.iter().filter(|row| row.kind.0 == DeviceKind::App) {
            for event in events {
                self.bus.publish(Audience::Device(app.id), event.clone());
            }
        }
        Ok(())
    }

    /// Tells both sides of those who wait no more.
    pub(super) async fn tell_gone(&self, gone: &[Gone]) {
        for one in gone {
            if let Some(reason) = one.refusal {
                let refused = Event::GuestRefused { reason };
                self.bus.publish(Audience::Device(one.device), refused);
                self.see_out(one.device);
            }
            if !one.known {
                continue;
            }
            let event = Event::GuestGone {
                link: one.link,
                guest: one.device,
            };
            if let Err(error) = self.tell_apps(one.maker, &[event]).await {
                tracing::error!(%error, "an app is not told that a guest is gone");
            }
        }
    }

    /// Ends the session of a guest whose visit is over: an end overtakes what was said before, so it
    /// comes a little later. Its token is gone already.
    pub(super) fn see_out(&self, device: DeviceId) {
        let bus = self.bus.clone();
        tokio::spawn(async move {
            tokio::time::sleep(FAREWELL).await;
            bus.end_sessions(device, ErrorCode::Unauthorized);
        });
    }
}
