//! Recovering with the recovery code: a ticket for its secret, then a new app signed by its key.

use std::time::Duration;

use homeline_protocol::http::{RecoverBegin, RecoverFinish, RecoverTicket, SignedIn};
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::DeviceKind;

use super::rules::{check_app, check_password};
use super::{Accounts, RecoverBeginError, RecoverFinishError};
use crate::domain::identity::{PublicKey, device_id};
use crate::domain::limits::Origin;
use crate::domain::roster::{Addition, Grown, add_device};
use crate::domain::secrets::{hash_token, new_token};
use crate::store::accounts::AccountRow;
use crate::store::households::HouseholdRow;
use crate::store::recovery::TicketRow;
use crate::store::{self, StoreError, Tx};

/// Long enough to choose a password.
const TICKET_LIFETIME: Duration = Duration::from_mins(10);

impl Accounts {
    /// Opens what is needed to sign with a recovery code. For a handle that nobody has, it does the
    /// same work and says the same as for a wrong code.
    ///
    /// # Errors
    /// When handle and code do not match.
    pub async fn recover_begin(
        &self,
        from: Origin,
        request: &RecoverBegin,
    ) -> Result<RecoverTicket, RecoverBeginError> {
        let now = self.clock.now();
        self.limits.sign_in.check(&from, now)?;
        self.limits.recover_handle.check(&request.handle, now)?;
        let known = self.recoverable(request).await?;
        let kept = known
            .as_ref()
            .map(|(_, household)| household.recovery_hash.as_str());
        let right = self
            .passwords
            .verify(&request.recovery_secret, kept)
            .await?;
        let (account, household) = known.filter(|_| right).ok_or(RecoverBeginError::Wrong)?;
        let (ticket, hash) = new_token();
        let mut tx = self.db.write().await?;
        let expires = now.plus(TICKET_LIFETIME);
        store::recovery::insert(&mut tx, hash, account.id, expires).await?;
        let roster = store::households::roster(&mut tx, household.id).await?;
        tx.commit().await?;
        Ok(RecoverTicket {
            ticket,
            account: account.id,
            roster: roster.into_iter().map(Into::into).collect(),
            recovery_certificate: household.recovery_certificate.into(),
        })
    }

    async fn recoverable(
        &self,
        request: &RecoverBegin,
    ) -> Result<Option<(AccountRow, HouseholdRow)>, StoreError> {
        let mut tx = self.db.read().await?;
        let Some(account) = store::accounts::by_handle(&mut tx, &request.handle).await? else {
            return Ok(None);
        };
        let Some(household) = account.household.0 else {
            return Ok(None);
        };
        let household = store::households::find(&mut tx, household).await?;
        Ok(household.map(|household| (account, household)))
    }

    /// Sets a new password and takes the new app into the household. Sign-ins by the old password
    /// alone end; other apps and devices stay, and can be removed by the new app.
    ///
    /// # Errors
    /// When the ticket has ended, or the roster does not take the new app.
    pub async fn recover_finish(
        &self,
        from: Origin,
        request: &RecoverFinish,
    ) -> Result<SignedIn, RecoverFinishError> {
        self.limits.sign_in.check(&from, self.clock.now())?;
        check_password(&request.password).map_err(RecoverFinishError::Field)?;
        let key = check_app(&request.app).map_err(RecoverFinishError::Field)?;
        let hash = hash_token(&request.ticket);
        let mut tx = self.db.read().await?;
        self.open_ticket(&mut tx, hash, device_id(key)).await?;
        drop(tx);
        let password_hash = self.passwords.hash(&request.password).await?;

        let _gate = self.gate.enter().await;
        let mut tx = self.db.write().await?;
        let ticket = self.open_ticket(&mut tx, hash, device_id(key)).await?;
        let (signed_in, grown) = self
            .recover(&mut tx, hash, &ticket, request, key, &password_hash)
            .await?;
        tx.commit().await?;
        if let Some(grown) = grown {
            grown.publish(&self.bus);
        }
        Ok(signed_in)
    }

    /// The ticket, if it may be used by this app: a used one only by the app that used it.
    async fn open_ticket(
        &self,
        tx: &mut Tx,
        hash: [u8; 32],
        app: DeviceId,
    ) -> Result<TicketRow, RecoverFinishError> {
        let ticket = store::recovery::find(tx, hash).await?;
        ticket
            .filter(|ticket| ticket.expires_at_ms > self.clock.now())
            .filter(|ticket| ticket.used_by.0.is_none_or(|used_by| used_by == app))
            .ok_or(RecoverFinishError::NoTicket)
    }

    async fn recover(
        &self,
        tx: &mut Tx,
        hash: [u8; 32],
        ticket: &TicketRow,
        request: &RecoverFinish,
        key: PublicKey,
        password_hash: &str,
    ) -> Result<(SignedIn, Option<Grown>), RecoverFinishError> {
        let account = store::accounts::find(tx, ticket.account).await?;
        let household = account.and_then(|account| account.household.0);
        let household = household.ok_or(RecoverFinishError::NoTicket)?;
        let device = device_id(key);
        let mut grown = None;
        if ticket.used_by.0.is_none() {
            let addition = Addition {
                key,
                kind: DeviceKind::App,
                account: ticket.account,
                label: &request.app.label,
                adult: None,
                entry: request.entry.as_ref(),
                chain: request.chain.as_ref(),
            };
            grown = Some(add_device(tx, household, addition, self.clock.now()).await?);
            store::accounts::set_password(tx, ticket.account, password_hash).await?;
            store::tokens::delete_keyless(tx, ticket.account).await?;
            store::recovery::use_up(tx, hash, device).await?;
        }
        let signed_in = self
            .signed_in(tx, ticket.account, Some(device), Some(household))
            .await?;
        Ok((signed_in, grown))
    }
}
