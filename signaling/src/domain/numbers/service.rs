//! Sends a code to a number, takes it back, and keeps whose number it is.

use std::fmt;

use homeline_protocol::id::AccountId;
use homeline_protocol::session::{Event, Role};
use homeline_protocol::{E164, PhoneText, Secret};

use super::reading::read_mobile;
use super::{BadRegion, ConfirmError, HomeRegion, NumbersConfig, OwnNumberError, StartError};
use crate::bus::{Audience, Bus};
use crate::domain::limits::{Limiter, Origin};
use crate::domain::secrets::{Passwords, random_id};
use crate::gateway::Sms;
use crate::model::{Clock, Speaker, UnixMillis};
use crate::store::rules::children;
use crate::store::verifications::VerificationRow;
use crate::store::{self, Db, StoreError, Tx};

/// How long a code counts: long enough for a slow message.
const CODE_LIFETIME: std::time::Duration = std::time::Duration::from_mins(10);
/// How often a code may be entered: five of a million.
const TRIES_MAX: i64 = 5;
/// Codes are decimal, as people read them off a phone.
const CODES: u128 = 1_000_000;
/// How many accounts, numbers and addresses the rates remember.
const REMEMBERED_MAX: u32 = 16_384;

/// Phone numbers.
pub struct Numbers {
    db: Db,
    bus: Bus,
    clock: Clock,
    passwords: Passwords,
    sms: Sms,
    region: HomeRegion,
    region_text: String,
    per_account: Limiter<AccountId>,
    per_number: Limiter<E164>,
    per_address: Limiter<Origin>,
    per_server: Limiter<()>,
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}

/// A code on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// To this number.
    pub number: E164,
    /// It counts until then.
    pub expires: UnixMillis,
}

impl Numbers {
    /// The service, from its parts.
    ///
    /// # Errors
    /// When the configured region is none.
    pub fn new(
        (db, bus, clock): (Db, Bus, Clock),
        passwords: Passwords,
        sms: Sms,
        config: &NumbersConfig,
    ) -> Result<Self, BadRegion> {
        Ok(Self {
            db,
            bus,
            clock,
            passwords,
            sms,
            region: config.default_region.parse()?,
            region_text: config.default_region.clone(),
            per_account: Limiter::new(config.codes_per_account, REMEMBERED_MAX),
            per_number: Limiter::new(config.codes_per_number, REMEMBERED_MAX),
            per_address: Limiter::new(config.codes_per_address, REMEMBERED_MAX),
            per_server: Limiter::new(config.codes_per_server, 1),
        })
    }

    /// Whether codes can be sent at all.
    #[must_use]
    pub fn can_send(&self) -> bool {
        self.sms.is_there()
    }

    /// The region of those who chose none.
    #[must_use]
    pub fn default_region(&self) -> &str {
        &self.region_text
    }

    /// The region in which an account's numbers are read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn region(&self, tx: &mut Tx, account: AccountId) -> Result<HomeRegion, StoreError> {
        let choice = store::address_book::choice(tx, account).await?;
        let chosen = choice.and_then(|choice| choice.region?.parse().ok());
        Ok(chosen.unwrap_or(self.region))
    }

    /// Sends a code to a number. Whether it is somebody's already is not told.
    ///
    /// # Errors
    /// When no message can be sent, it is no mobile number, or codes were asked for too often.
    pub async fn start(
        &self,
        speaker: &Speaker,
        from: Origin,
        text: &PhoneText,
    ) -> Result<Sent, StartError> {
        speaker.app()?;
        if !self.sms.is_there() {
            return Err(StartError::NoSms);
        }
        let mut tx = self.db.read().await?;
        let region = self.region(&mut tx, speaker.account).await?;
        // The message service is somebody else, and learns nothing of a child without consent.
        let (is_child, consented) = child(&mut tx, speaker.account).await?;
        if is_child && !consented {
            return Err(StartError::NoConsent);
        }
        drop(tx);
        let (number, mobile) = read_mobile(text, region).ok_or(StartError::NotANumber)?;
        if !mobile {
            return Err(StartError::NotMobile);
        }
        let now = self.clock.now();
        self.per_address.check(&from, now)?;
        self.per_account.check(&speaker.account, now)?;
        self.per_number.check(&number, now)?;
        self.per_server.check(&(), now)?;
        let code = format!("{:06}", u128::from_be_bytes(random_id()) % CODES);
        let verification = VerificationRow {
            e164: number.clone(),
            code_hash: self.passwords.hash(&Secret::new(code.clone())).await?,
            tries_left: TRIES_MAX,
            expires_at_ms: now.plus(CODE_LIFETIME),
        };
        let mut tx = self.db.write().await?;
        store::verifications::put(&mut tx, speaker.account, &verification).await?;
        tx.commit().await?;
        let message =
            format!("{code} is your Homeline code. It counts for 10 minutes. Tell it to nobody.");
        if let Err(error) = self.sms.send(&number, &message).await {
            self.forget_code(speaker.account).await?;
            return Err(error.into());
        }
        Ok(Sent {
            number,
            expires: verification.expires_at_ms,
        })
    }

    /// Takes the code that arrived. The number is then this account's, and nobody else's.
    ///
    /// # Errors
    /// When it is the wrong code, was tried too often, has expired, or none was sent.
    pub async fn confirm(&self, speaker: &Speaker, code: &Secret) -> Result<(), ConfirmError> {
        speaker.app()?;
        let account = speaker.account;
        let sent = self.count_try(account).await?;
        if !self.passwords.verify(code, Some(&sent.code_hash)).await? {
            let tries_left = sent.tries_left - 1;
            return Err(if tries_left > 0 {
                ConfirmError::Wrong { tries_left }
            } else {
                ConfirmError::TooManyTries
            });
        }
        let mut tx = self.db.write().await?;
        // Another code may have been asked for while this one was checked.
        let still = store::verifications::find(&mut tx, account).await?;
        if still.is_none_or(|still| still.code_hash != sent.code_hash) {
            return Err(ConfirmError::NoCode);
        }
        let before = store::numbers::owner(&mut tx, &sent.e164).await?;
        let now = self.clock.now();
        let (is_child, _) = child(&mut tx, account).await?;
        store::numbers::give(&mut tx, account, &sent.e164, !is_child, now).await?;
        store::verifications::delete(&mut tx, account).await?;
        tx.commit().await?;
        self.tell(account);
        if let Some(before) = before.filter(|before| before.account != account) {
            self.tell(before.account);
        }
        Ok(())
    }

    /// Gives the own number up. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker is no app.
    pub async fn forget(&self, speaker: &Speaker) -> Result<(), OwnNumberError> {
        speaker.app()?;
        let mut tx = self.db.write().await?;
        store::numbers::forget(&mut tx, speaker.account).await?;
        store::verifications::delete(&mut tx, speaker.account).await?;
        tx.commit().await?;
        self.tell(speaker.account);
        Ok(())
    }

    /// Whether those who hold the own number may find the account by it.
    ///
    /// # Errors
    /// When there is no verified number, or a child would be found.
    pub async fn set_discoverable(
        &self,
        speaker: &Speaker,
        on: bool,
    ) -> Result<(), OwnNumberError> {
        speaker.app()?;
        let mut tx = self.db.write().await?;
        if on && child(&mut tx, speaker.account).await?.0 {
            return Err(OwnNumberError::Child);
        }
        if !store::numbers::set_discoverable(&mut tx, speaker.account, on).await? {
            return Err(OwnNumberError::NoNumber);
        }
        tx.commit().await?;
        self.tell(speaker.account);
        Ok(())
    }

    /// Forgets codes that have expired. Called now and then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let mut tx = self.db.write().await?;
        store::verifications::delete_expired(&mut tx, self.clock.now()).await?;
        tx.commit().await
    }

    /// The code that was sent, one try of it taken: on the disk before the code is looked at, so
    /// that no restart gives a guesser more.
    async fn count_try(&self, account: AccountId) -> Result<VerificationRow, ConfirmError> {
        let mut tx = self.db.write().await?;
        let sent = store::verifications::find(&mut tx, account)
            .await?
            .ok_or(ConfirmError::NoCode)?;
        if sent.expires_at_ms <= self.clock.now() {
            return Err(ConfirmError::Expired);
        }
        if sent.tries_left <= 0 {
            return Err(ConfirmError::TooManyTries);
        }
        store::verifications::count_try(&mut tx, account).await?;
        tx.commit().await?;
        Ok(sent)
    }

    async fn forget_code(&self, account: AccountId) -> Result<(), StoreError> {
        let mut tx = self.db.write().await?;
        store::verifications::delete(&mut tx, account).await?;
        tx.commit().await
    }

    fn tell(&self, account: AccountId) {
        let event = Event::AddressBookChanged;
        self.bus.publish(Audience::Account(account), event);
    }
}

/// Whether an account is a child's, and whether an adult has consented.
async fn child(tx: &mut Tx, account: AccountId) -> Result<(bool, bool), StoreError> {
    let row = store::accounts::find(tx, account).await?;
    if row.is_none_or(|row| row.role.0 != Role::Child) {
        return Ok((false, false));
    }
    let stored = children::find(tx, account).await?;
    Ok((true, stored.is_some_and(|row| row.consent_by.0.is_some())))
}
