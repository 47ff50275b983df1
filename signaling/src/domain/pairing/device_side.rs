//! The device's side: it asks, waits, reveals, and fetches what it gets.

use std::time::Duration;

use homeline_protocol::Secret;
use homeline_protocol::http::{PairingOffer, PairingOpened, PairingReveal, PairingState};
use homeline_protocol::id::PairingId;
use homeline_protocol::session::Event;
use tokio::sync::watch;

use super::machine::{Stage, Step};
use super::table::Pairing;
use super::{DevicePairingError, OpenPairingError, Pairings};
use crate::bus::Audience;
use crate::domain::limits::Origin;
use crate::domain::secrets::{constant_time_eq, hash_token, new_token, random_id};
use crate::store;

/// Long enough to walk to the other device and type six digits.
const PAIRING_LIFETIME: Duration = Duration::from_mins(10);
/// How long the device's question is held when there is nothing new; below what proxies allow.
const LONG_POLL: Duration = Duration::from_secs(25);
/// Questions of one device that are held at once: one, and some whose connection was lost.
const LONG_POLLS_MAX: usize = 4;

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

fn is_secret_of(pairing: &Pairing, secret: &Secret) -> bool {
    constant_time_eq(&pairing.secret_hash, &hash_token(secret))
}
