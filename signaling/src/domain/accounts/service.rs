//! The service: its parts, tokens, and looking people up.

use std::time::Duration;

use homeline_protocol::http::SignedIn;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{Account, DeviceKind, Event};
use homeline_protocol::{Handle, Secret};

use super::{AccountsConfig, AuthenticateError, SetNameError, rules};
use crate::bus::{Audience, Bus};
use crate::domain::limits::{Limiter, LimitsConfig, Origin};
use crate::domain::roster::{RosterGate, account_view, member_view};
use crate::domain::secrets::{Passwords, hash_token, new_token};
use crate::model::{Clock, Speaker, UnixMillis, is_name};
use crate::store::{self, Db, StoreError, Tx};

/// A token without a device can only pair or recover, which is done at once.
const KEYLESS_TOKEN_LIFETIME: Duration = Duration::from_hours(24);
/// How exact "last used" is: a write for each request would be dear.
const LAST_USED_STEP: Duration = Duration::from_hours(1);
/// Tokens that one device, or one account without a device, has at the same time. Sign-ins that
/// were repeated because the answer was lost leave some behind; the oldest end.
const TOKENS_MAX: i64 = 8;

/// People, and what lets them in.
#[derive(Debug)]
pub struct Accounts {
    pub(super) db: Db,
    pub(super) bus: Bus,
    pub(super) clock: Clock,
    pub(super) gate: RosterGate,
    pub(super) passwords: Passwords,
    pub(super) limits: AccountLimits,
    pub(super) config: AccountsConfig,
}

/// What is counted.
#[derive(Debug)]
pub(super) struct AccountLimits {
    pub(super) sign_up: Limiter<Origin>,
    pub(super) sign_in: Limiter<Origin>,
    pub(super) sign_in_handle: Limiter<Handle>,
    pub(super) recover_handle: Limiter<Handle>,
}

/// A person as other services know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As clients see them.
    pub account: Account,
    /// The household; absent until admitted.
    pub household: Option<HouseholdId>,
}

impl Accounts {
    /// The service, from its parts.
    #[must_use]
    pub fn new(
        (db, bus, clock): (Db, Bus, Clock),
        gate: RosterGate,
        passwords: Passwords,
        limits: &LimitsConfig,
        config: AccountsConfig,
    ) -> Self {
        let max = limits.remembered_max;
        let limits = AccountLimits {
            sign_up: Limiter::new(limits.sign_up_per_address, max),
            sign_in: Limiter::new(limits.sign_in_per_address, max),
            sign_in_handle: Limiter::new(limits.sign_in_per_handle, max),
            recover_handle: Limiter::new(limits.recover_per_handle, max),
        };
        Self {
            db,
            bus,
            clock,
            gate,
            passwords,
            limits,
            config,
        }
    }

    /// Who a bearer token stands for.
    ///
    /// # Errors
    /// When it is unknown or ended, or its device was removed.
    pub async fn authenticate(&self, token: &Secret) -> Result<Speaker, AuthenticateError> {
        let (hash, now) = (hash_token(token), self.clock.now());
        let mut tx = self.db.read().await?;
        let row = store::tokens::find(&mut tx, hash)
            .await?
            .ok_or(AuthenticateError::Unknown)?;
        if row.expires_at_ms <= now {
            return Err(AuthenticateError::Unknown);
        }
        let speaker = speaker(&mut tx, row.account, row.device.0).await?;
        drop(tx);
        if now.since(row.last_used_at_ms) >= LAST_USED_STEP && speaker.device.is_some() {
            let mut tx = self.db.write().await?;
            let expires = now.plus(self.config.token_idle());
            store::tokens::touch(&mut tx, hash, now, expires).await?;
            tx.commit().await?;
        }
        Ok(speaker)
    }

    /// The same speaker as it stands now: after its account was admitted to a household.
    ///
    /// # Errors
    /// When the account is gone, or the device was removed.
    pub async fn refresh(&self, before: &Speaker) -> Result<Speaker, AuthenticateError> {
        let mut tx = self.db.read().await?;
        speaker(&mut tx, before.account, before.device).await
    }

    /// The person with this handle. What the asker is told must not depend on whether there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_handle(&self, handle: &Handle) -> Result<Option<Person>, StoreError> {
        let mut tx = self.db.read().await?;
        let row = store::accounts::by_handle(&mut tx, handle).await?;
        Ok(row.map(|row| Person {
            account: account_view(&row),
            household: row.household.0,
        }))
    }

    /// The person with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person(&self, id: AccountId) -> Result<Option<Person>, StoreError> {
        let mut tx = self.db.read().await?;
        let row = store::accounts::find(&mut tx, id).await?;
        Ok(row.map(|row| Person {
            account: account_view(&row),
            household: row.household.0,
        }))
    }

    /// Changes the own display name.
    ///
    /// # Errors
    /// When it is no name.
    pub async fn set_display_name(
        &self,
        speaker: &Speaker,
        name: &str,
    ) -> Result<(), SetNameError> {
        if !is_name(name) {
            return Err(SetNameError::Field(rules::BAD_NAME));
        }
        let mut tx = self.db.write().await?;
        store::accounts::set_display_name(&mut tx, speaker.account, name).await?;
        let row = store::accounts::find(&mut tx, speaker.account).await?;
        let row = row.ok_or(SetNameError::NotFound)?;
        tx.commit().await?;
        let audience = match row.household.0 {
            Some(household) => Audience::Household(household),
            None => Audience::Account(row.id),
        };
        self.bus
            .publish(audience, Event::MemberChanged(member_view(&row)));
        Ok(())
    }

    /// Forgets what has ended: tokens and recovery tickets. Called now and then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        store::tokens::delete_expired(&mut tx, now).await?;
        store::recovery::delete_expired(&mut tx, now).await?;
        store::rules::leaving::forget_rested(&mut tx, now).await?;
        tx.commit().await
    }

    /// A fresh token for an app, home device or key-less account, within the caller's transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn issue_token(
        &self,
        tx: &mut Tx,
        account: AccountId,
        device: Option<DeviceId>,
        now: UnixMillis,
    ) -> Result<Secret, StoreError> {
        let (token, hash) = new_token();
        let lifetime = match device {
            Some(_) => self.config.token_idle(),
            None => KEYLESS_TOKEN_LIFETIME,
        };
        let whose = (account, device);
        store::tokens::keep_newest(tx, whose, TOKENS_MAX - 1).await?;
        store::tokens::insert(tx, hash, whose, now, now.plus(lifetime)).await?;
        Ok(token)
    }

    pub(super) async fn signed_in(
        &self,
        tx: &mut Tx,
        account: AccountId,
        device: Option<DeviceId>,
        household: Option<HouseholdId>,
    ) -> Result<SignedIn, StoreError> {
        let token = self
            .issue_token(tx, account, device, self.clock.now())
            .await?;
        Ok(SignedIn {
            token,
            account,
            device,
            household,
        })
    }
}

async fn speaker(
    tx: &mut Tx,
    account: AccountId,
    device: Option<DeviceId>,
) -> Result<Speaker, AuthenticateError> {
    let row = store::accounts::find(tx, account)
        .await?
        .ok_or(AuthenticateError::Unknown)?;
    let Some(device) = device else {
        let (household, kind) = (None, DeviceKind::App);
        return Ok(Speaker {
            account,
            device: None,
            household,
            kind,
            adult: false,
            guest: false,
        });
    };
    let device = store::devices::find(tx, device)
        .await?
        .ok_or(AuthenticateError::Unknown)?;
    if device.removed_at_ms.is_some() {
        return Err(AuthenticateError::DeviceRevoked);
    }
    // Both must say so: a waiting member's app has no household even where a row went astray.
    let household = row
        .household
        .0
        .filter(|household| device.household.0 == Some(*household));
    Ok(Speaker {
        account,
        device: Some(device.id),
        household,
        kind: device.kind.0,
        adult: device.adult && household.is_some(),
        guest: false,
    })
}
