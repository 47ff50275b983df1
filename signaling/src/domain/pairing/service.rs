//! The verbs of both sides.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homeline_protocol::http::{PairingOffer, PairingOpened, PairingReveal, PairingState};
use homeline_protocol::id::{AccountId, DeviceId, PairingId};
use homeline_protocol::session::{DeviceKind, Event};
use homeline_protocol::{Blob, Handle, Secret};
use tokio::sync::watch;

use super::machine::{AppSide, Stage, Step, revealed_key};
use super::table::{LISTENERS_MAX, Pairing, Table};
use super::{AppPairingError, CertifyError, DevicePairingError, OpenPairingError};
use crate::bus::{Audience, Bus};
use crate::domain::accounts::Accounts;
use crate::domain::limits::{Limiter, LimitsConfig, Origin};
use crate::domain::roster::{Addition, Grown, RosterGate, add_device};
use crate::domain::secrets::{constant_time_eq, hash_token, new_token, random_id};
use crate::model::{AdultApp, Clock, Speaker, UnixMillis};
use crate::store::pairings::PairingRow;
use crate::store::{self, Db, StoreError};

/// Long enough to walk to the other device and type six digits.
const PAIRING_LIFETIME: Duration = Duration::from_mins(10);
/// "Add a device" closes by itself.
const LISTENING_LIFETIME: Duration = Duration::from_mins(10);
/// How long the device's question is held when there is nothing new; below what proxies allow.
const LONG_POLL: Duration = Duration::from_secs(25);
/// Questions of one device that are held at once: one, and some whose connection was lost.
const LONG_POLLS_MAX: usize = 4;

/// Pairings.
#[derive(Debug)]
pub struct Pairings {
    db: Db,
    bus: Bus,
    clock: Clock,
    gate: RosterGate,
    accounts: Arc<Accounts>,
    per_address: Limiter<Origin>,
    per_handle: Limiter<Handle>,
    table: Mutex<Table>,
    closing: watch::Sender<bool>,
}

/// A certification as the request says it.
#[derive(Debug, Clone, Copy)]
pub struct Certification<'a> {
    /// The pairing.
    pub pairing: PairingId,
    /// The new device.
    pub device: DeviceId,
    /// Whose it is.
    pub account: AccountId,
    /// App or home device.
    pub kind: DeviceKind,
    /// What it is called.
    pub label: &'a str,
    /// Whether it may certify and sign.
    pub adult: bool,
    /// The signed roster entry.
    pub entry: &'a Blob,
    /// The device's chain.
    pub chain: &'a Blob,
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

    fn expire(&self) {
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

    fn tell_ended(&self, ended: &[(DeviceId, PairingId)]) {
        for (app, pairing) in ended {
            let event = Event::PairingEnded { pairing: *pairing };
            self.bus.publish(Audience::Device(*app), event);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The device's side.
impl Pairings {
    /// Opens a pairing. The answer is the same whether or not anyone has the handle.
    ///
    /// # Errors
    /// When too many are open or were tried.
    pub async fn open(
        &self,
        from: Origin,
        offer: PairingOffer,
    ) -> Result<PairingOpened, OpenPairingError> {
        let now = self.clock.now();
        self.per_address.check(&from, now)?;
        self.per_handle.check(&offer.handle, now)?;
        if offer.commit.0.len() != 32 {
            return Err(OpenPairingError::Field("A commitment has 32 bytes."));
        }
        self.expire();
        let person = self.accounts.by_handle(&offer.handle).await?;
        let (id, (secret, secret_hash)) = (PairingId(random_id()), new_token());
        let expires = now.plus(PAIRING_LIFETIME);
        let pairing = Pairing {
            handle: offer.handle,
            account: person.map(|person| person.account.id),
            commit: offer.commit.clone(),
            secret_hash,
            expires,
            stage: watch::Sender::new(Stage::Waiting),
        };
        let mut table = self.table();
        if !table.has_room(&pairing.handle) {
            return Err(OpenPairingError::Full);
        }
        let listening = pairing.account.map(|account| table.listening(account, now));
        table.pairings.insert(id, pairing);
        drop(table);
        for app in listening.unwrap_or_default() {
            let event = Event::PairingOffered {
                pairing: id,
                commit: offer.commit.clone(),
            };
            self.bus.publish(Audience::Device(app), event);
        }
        Ok(PairingOpened {
            pairing: id,
            secret,
            expires_at_ms: expires.0,
        })
    }

    /// Where a pairing stands, at once or as soon as it is beyond step `after`, or after 25 s.
    ///
    /// # Errors
    /// When there is no such pairing or the secret is another's.
    pub async fn state(
        &self,
        id: PairingId,
        secret: &Secret,
        after: Option<u8>,
    ) -> Result<PairingState, DevicePairingError> {
        self.expire();
        let Some(mut stage) = self.watch(id, secret)? else {
            return self.certified(id, secret).await;
        };
        if let Some(after) = after {
            let mut closing = self.closing.subscribe();
            let beyond = stage.wait_for(|stage| stage.number() > after);
            tokio::select! {
                // What came of waiting shows in the stage itself.
                _ = tokio::time::timeout(LONG_POLL, beyond) => {}
                _ = closing.wait_for(|closing| *closing) => {}
            }
        }
        let state = stage.borrow().for_the_device();
        match state {
            Some(state) => Ok(state),
            None => self.certified(id, secret).await,
        }
    }

    /// The device reveals what it committed to. Repeating it is no error.
    ///
    /// # Errors
    /// When it is not its turn, or this is not what it committed to.
    pub fn reveal_device(
        &self,
        id: PairingId,
        secret: &Secret,
        reveal: PairingReveal,
    ) -> Result<(), DevicePairingError> {
        self.expire();
        let table = self.table();
        let pairing = table
            .pairings
            .get(&id)
            .filter(|pairing| is_secret_of(pairing, secret));
        let pairing = pairing.ok_or(DevicePairingError::NotFound)?;
        let mut stage = pairing.stage.borrow().clone();
        if stage.reveal_device(pairing.commit.as_ref(), reveal.clone())? == Step::Repeated {
            return Ok(());
        }
        let app = stage.app();
        pairing.stage.send_replace(stage);
        drop(table);
        if let Some(app) = app {
            let PairingReveal {
                device_key,
                nonce,
                kind,
                label,
            } = reveal;
            let event = Event::PairingRevealed {
                pairing: id,
                device_key,
                nonce,
                kind,
                label,
            };
            self.bus.publish(Audience::Device(app), event);
        }
        Ok(())
    }

    fn watch(
        &self,
        id: PairingId,
        secret: &Secret,
    ) -> Result<Option<watch::Receiver<Stage>>, DevicePairingError> {
        let table = self.table();
        let pairing = table.pairings.get(&id);
        let Some(pairing) = pairing.filter(|pairing| is_secret_of(pairing, secret)) else {
            return Ok(None);
        };
        if pairing.stage.receiver_count() >= LONG_POLLS_MAX {
            return Err(DevicePairingError::TooManyAsk);
        }
        Ok(Some(pairing.stage.subscribe()))
    }

    /// What a certified device gets. Each time a fresh token, which ends the one before: the answer
    /// may have been lost, and what is kept is only a hash.
    async fn certified(
        &self,
        id: PairingId,
        secret: &Secret,
    ) -> Result<PairingState, DevicePairingError> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let row = store::pairings::find(&mut tx, id)
            .await?
            .filter(|row| row.expires_at_ms > now)
            .filter(|row| constant_time_eq(&row.secret_hash, &hash_token(secret)))
            .ok_or(DevicePairingError::NotFound)?;
        let device = store::devices::find(&mut tx, row.device).await?;
        let device = device.filter(|device| device.removed_at_ms.is_none());
        let Some(device) = device else {
            return Ok(PairingState::Refused);
        };
        let household = device.household.0.ok_or(DevicePairingError::NotFound)?;
        let roster = store::households::roster(&mut tx, household).await?;
        store::tokens::delete_of_device(&mut tx, device.id).await?;
        let whose = (device.account, Some(device.id));
        let token = self
            .accounts
            .issue_token(&mut tx, whose.0, whose.1, now)
            .await?;
        tx.commit().await?;
        Ok(PairingState::Certified {
            chain: device.chain.unwrap_or_default().into(),
            roster: roster.into_iter().map(Into::into).collect(),
            token,
            account: device.account,
            household,
        })
    }
}

/// The app's side.
impl Pairings {
    /// Stands at "Add a device", or leaves. What waits already is offered at once.
    ///
    /// # Errors
    /// When the speaker may not, or too many listen.
    pub fn listen(&self, speaker: &Speaker, on: bool) -> Result<(), AppPairingError> {
        let app = speaker.adult_app()?;
        self.expire();
        let mut table = self.table();
        if !on {
            table.listeners.remove(&app.device);
            return Ok(());
        }
        let listens = table.listeners.contains_key(&app.device);
        if !listens && table.listeners.len() >= LISTENERS_MAX {
            return Err(AppPairingError::TooManyListen);
        }
        let until = self.clock.now().plus(LISTENING_LIFETIME);
        table.listeners.insert(app.device, (app.account, until));
        let waiting = table.waiting_for(app.account);
        drop(table);
        for (pairing, commit) in waiting {
            let event = Event::PairingOffered { pairing, commit };
            self.bus.publish(Audience::Device(app.device), event);
        }
        Ok(())
    }

    /// Takes a pairing up by committing. The person's other apps are told that it is taken.
    ///
    /// # Errors
    /// When another app was first, or it is not for this person.
    pub fn accept(
        &self,
        speaker: &Speaker,
        id: PairingId,
        commit: Blob,
    ) -> Result<(), AppPairingError> {
        let app = speaker.adult_app()?;
        if commit.0.len() != 32 {
            return Err(AppPairingError::Field("A commitment has 32 bytes."));
        }
        let step = self.step(app, id, |stage| stage.accept(app.device, commit))?;
        if step == Step::Moved {
            let mut others = self.table().listening(app.account, self.clock.now());
            others.retain(|other| *other != app.device);
            let ended: Vec<_> = others.into_iter().map(|other| (other, id)).collect();
            self.tell_ended(&ended);
        }
        Ok(())
    }

    /// Reveals the app's side.
    ///
    /// # Errors
    /// When it is not its turn.
    pub fn reveal_app(
        &self,
        speaker: &Speaker,
        id: PairingId,
        (genesis, app_key, nonce): (Blob, Blob, Blob),
    ) -> Result<(), AppPairingError> {
        let app = speaker.adult_app()?;
        if [&genesis, &app_key, &nonce]
            .iter()
            .any(|blob| blob.0.len() != 32)
        {
            return Err(AppPairingError::Field(
                "Keys and a nonce have 32 bytes each.",
            ));
        }
        let side = AppSide {
            genesis,
            app_key,
            nonce,
        };
        self.step(app, id, |stage| stage.reveal_app(app.device, side))?;
        Ok(())
    }

    /// The digits do not match, or the person says no. Repeating it is no error.
    ///
    /// # Errors
    /// When it is not this app's, or the device is certified already.
    pub fn refuse(&self, speaker: &Speaker, id: PairingId) -> Result<(), AppPairingError> {
        let app = speaker.adult_app()?;
        self.step(app, id, |stage| match stage {
            Stage::Refused => Ok(Step::Repeated),
            Stage::Certified { .. } => Err(AppPairingError::OutOfTurn),
            Stage::Waiting => {
                *stage = Stage::Refused;
                Ok(Step::Moved)
            }
            _ => {
                stage.must_be_of(app.device)?;
                *stage = Stage::Refused;
                Ok(Step::Moved)
            }
        })?;
        Ok(())
    }

    /// The digits match: adds and certifies the device. Repeating it is no error.
    ///
    /// # Errors
    /// When it is not its turn, or the roster does not take the device.
    pub async fn certify(
        &self,
        speaker: &Speaker,
        said: Certification<'_>,
    ) -> Result<(), CertifyError> {
        let app = speaker.adult_app().map_err(AppPairingError::from)?;
        let _gate = self.gate.enter().await;
        let ready = match self.ready_to_certify(app, said) {
            // The first answer may have been lost together with the table, in a restart.
            Err(AppPairingError::NotFound) if self.is_certified(app, said).await? => None,
            ready => ready?,
        };
        let Some((reveal, secret_hash, expires)) = ready else {
            return Ok(());
        };
        let (key, device) = revealed_key(&reveal).ok_or(CertifyError::AnotherDevice)?;
        if device != said.device || reveal.kind != said.kind {
            return Err(CertifyError::AnotherDevice);
        }
        let addition = Addition {
            key,
            kind: said.kind,
            account: said.account,
            label: said.label,
            adult: Some(said.adult),
            entry: said.entry.as_ref(),
            chain: said.chain.as_ref(),
        };
        let row = PairingRow {
            id: said.pairing,
            secret_hash: secret_hash.to_vec(),
            device,
            expires_at_ms: expires,
        };
        let grown = self.store_certified(app, addition, &row).await?;
        if let Some(pairing) = self.table().pairings.get(&said.pairing) {
            pairing.stage.send_replace(Stage::Certified {
                app: app.device,
                device,
            });
        }
        grown.publish(&self.bus);
        Ok(())
    }

    async fn store_certified(
        &self,
        app: AdultApp,
        addition: Addition<'_>,
        row: &PairingRow,
    ) -> Result<Grown, CertifyError> {
        let mut tx = self.db.write().await?;
        store::accounts::find(&mut tx, addition.account)
            .await?
            .filter(|account| account.household.0 == Some(app.household))
            .ok_or(CertifyError::NoSuchMember)?;
        let grown = add_device(&mut tx, app.household, addition, self.clock.now()).await?;
        store::pairings::insert(&mut tx, row).await?;
        tx.commit().await?;
        Ok(grown)
    }

    async fn is_certified(
        &self,
        app: AdultApp,
        said: Certification<'_>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.read().await?;
        let row = store::pairings::find(&mut tx, said.pairing).await?;
        if row.is_none_or(|row| row.device != said.device) {
            return Ok(false);
        }
        let device = store::devices::find(&mut tx, said.device).await?;
        Ok(device.is_some_and(|device| device.household.0 == Some(app.household)))
    }

    /// What the device revealed, if both sides have; `None` when this device is certified already.
    fn ready_to_certify(
        &self,
        app: AdultApp,
        said: Certification<'_>,
    ) -> Result<Option<(PairingReveal, [u8; 32], UnixMillis)>, AppPairingError> {
        self.expire();
        let table = self.table();
        let pairing = table.pairings.get(&said.pairing);
        let pairing = pairing
            .filter(|pairing| pairing.account == Some(app.account))
            .ok_or(AppPairingError::NotFound)?;
        let stage = pairing.stage.borrow();
        stage.must_be_of(app.device)?;
        match &*stage {
            Stage::Revealed { reveal, .. } => {
                Ok(Some((reveal.clone(), pairing.secret_hash, pairing.expires)))
            }
            Stage::Certified { device, .. } if *device == said.device => Ok(None),
            _ => Err(AppPairingError::OutOfTurn),
        }
    }

    fn step(
        &self,
        app: AdultApp,
        id: PairingId,
        take: impl FnOnce(&mut Stage) -> Result<Step, AppPairingError>,
    ) -> Result<Step, AppPairingError> {
        self.expire();
        let table = self.table();
        let pairing = table.pairings.get(&id);
        let pairing = pairing
            .filter(|pairing| pairing.account == Some(app.account))
            .ok_or(AppPairingError::NotFound)?;
        let mut stage = pairing.stage.borrow().clone();
        let step = take(&mut stage)?;
        if step == Step::Moved {
            pairing.stage.send_replace(stage);
        }
        Ok(step)
    }
}

fn is_secret_of(pairing: &Pairing, secret: &Secret) -> bool {
    constant_time_eq(&pairing.secret_hash, &hash_token(secret))
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
