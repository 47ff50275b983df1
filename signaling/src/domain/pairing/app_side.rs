//! The app's side: it listens, takes a pairing up, reveals, and certifies or refuses.

use std::time::Duration;

use homeline_protocol::Blob;
use homeline_protocol::http::PairingReveal;
use homeline_protocol::id::{AccountId, DeviceId, PairingId};
use homeline_protocol::session::{DeviceKind, Event};

use super::machine::{AppSide, Stage, Step, revealed_key};
use super::table::LISTENERS_MAX;
use super::{AppPairingError, CertifyError, Pairings};
use crate::bus::Audience;
use crate::domain::roster::{Addition, Grown, add_device};
use crate::model::{AdultApp, Speaker, UnixMillis};
use crate::store::pairings::PairingRow;
use crate::store::{self, StoreError};

/// "Add a device" closes by itself.
const LISTENING_LIFETIME: Duration = Duration::from_mins(10);

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
