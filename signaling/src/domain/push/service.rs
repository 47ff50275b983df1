//! The addresses at which devices are woken, and the server's own key for push services.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::PushAddress;
use homeline_protocol::{Blob, Secret};

use super::table::Table;
use super::{PushStartError, PutPushAddressError};
use crate::domain::presence::PresenceService;
use crate::gateway::push::{PushConfig, PushGateway, Subscription, VapidKey, WebPush};
use crate::model::{Clock, Speaker};
use crate::store::push::{Endpoint, PushAddressRow, PushKindColumn};
use crate::store::{self, Db, StoreError};

/// Addresses of one device: a browser has one, a phone may have a distributor beside it, and one that
/// was renewed leaves an old one behind. The oldest goes.
const ADDRESSES_MAX: i64 = 4;

/// Wakes devices. Clones share it.
#[derive(Debug, Clone)]
pub struct Push(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: PushConfig,
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) presence: PresenceService,
    pub(super) gateway: PushGateway,
    public_key: Blob,
    table: Mutex<Table>,
}

/// What push is built on.
#[derive(Debug)]
pub struct PushParts {
    /// Times and limits.
    pub config: PushConfig,
    /// Where addresses are kept.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Who needs no waking.
    pub presence: PresenceService,
}

impl Push {
    /// Reads the server's key, or makes it at the first start.
    ///
    /// # Errors
    /// When the database fails, or the settings are not possible.
    pub async fn start(parts: PushParts) -> Result<Self, PushStartError> {
        let PushParts {
            config,
            db,
            clock,
            presence,
        } = parts;
        let contact = config.contact.as_str();
        if !contact.is_empty()
            && !["mailto:", "https:"]
                .iter()
                .any(|good| contact.starts_with(good))
        {
            return Err(PushStartError::Contact);
        }
        let key = key(&db).await?;
        let web_push = WebPush::new(config.clone(), key, clock.clone())?;
        let public_key = Blob(web_push.public_key().to_vec());
        Ok(Self(Arc::new(Inner {
            config,
            db,
            clock,
            presence,
            gateway: PushGateway::WebPush(web_push),
            public_key,
            table: Mutex::default(),
        })))
    }

    /// What browsers subscribe with.
    #[must_use]
    pub fn public_key(&self) -> &Blob {
        &self.0.public_key
    }

    /// Has the speaker's device woken at this address. Repeating it changes nothing.
    ///
    /// # Errors
    /// When the speaker has no device, or the address can't be used.
    pub async fn put_address(
        &self,
        speaker: &Speaker,
        address: &PushAddress,
    ) -> Result<(), PutPushAddressError> {
        let device = speaker.device.ok_or(PutPushAddressError::NoDevice)?;
        let subscription = Subscription::try_from(address)?;
        self.0.gateway.admit(&subscription).await?;
        let row = PushAddressRow {
            device,
            endpoint: Endpoint(address.endpoint.expose().to_owned()),
            p256dh: address.p256dh.0.clone(),
            auth: address.auth.0.clone(),
            kind: PushKindColumn(address.kind),
        };
        let mut tx = self.0.db.write().await?;
        store::push::take_over(&mut tx, &row).await?;
        store::push::put(&mut tx, &row, self.0.clock.now()).await?;
        store::push::keep_newest(&mut tx, device, ADDRESSES_MAX).await?;
        Ok(tx.commit().await?)
    }

    /// Has the speaker's device woken no more at this address. An unknown one is no error.
    ///
    /// # Errors
    /// When the speaker has no device, or the database fails.
    pub async fn delete_address(
        &self,
        speaker: &Speaker,
        endpoint: &Secret,
    ) -> Result<(), PutPushAddressError> {
        let device = speaker.device.ok_or(PutPushAddressError::NoDevice)?;
        let mut tx = self.0.db.write().await?;
        store::push::delete(&mut tx, device, endpoint.expose()).await?;
        Ok(tx.commit().await?)
    }

    /// Whose device declines a call with what its push held. It works once, while the call rings.
    #[must_use]
    pub fn take_decline(&self, call: CallId, secret: &Secret) -> Option<(AccountId, DeviceId)> {
        let now = self.0.clock.now();
        self.0.table().take_decline(call, secret, now)
    }

    /// Forgets the addresses of devices that nothing is signed in on. Called now and then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let mut tx = self.0.db.write().await?;
        store::push::delete_abandoned(&mut tx, self.0.clock.now()).await?;
        tx.commit().await
    }
}

impl Inner {
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn key(db: &Db) -> Result<VapidKey, PushStartError> {
    let mut tx = db.write().await?;
    if let Some(pkcs8) = store::push::key(&mut tx).await? {
        return Ok(VapidKey::from_pkcs8(&pkcs8)?);
    }
    let key = VapidKey::generate()?;
    store::push::keep_key(&mut tx, key.pkcs8()).await?;
    tx.commit().await?;
    Ok(key)
}
