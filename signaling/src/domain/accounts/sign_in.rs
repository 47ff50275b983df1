//! Signing in, with the app's proof or by password alone, and out.

use std::time::Duration;

use homeline_protocol::http::{AppProof, SignIn, SignedIn};
use homeline_protocol::id::AccountId;
use homeline_protocol::session::ErrorCode;
use homeline_protocol::{Handle, Secret};

use super::{Accounts, PasswordCheckError, SignInError};
use crate::domain::identity::{PublicKey, verify_app_proof};
use crate::domain::limits::Origin;
use crate::domain::secrets::hash_token;
use crate::model::UnixMillis;
use crate::store::accounts::AccountRow;
use crate::store::devices::DeviceRow;
use crate::store::{self, StoreError};

/// How far an app's clock may be off when it signs in.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

impl Accounts {
    /// Signs somebody in. For a handle that nobody has, it does the same work and says the same.
    ///
    /// # Errors
    /// When handle, password and app do not match; it does not say which.
    pub async fn sign_in(&self, from: Origin, request: &SignIn) -> Result<SignedIn, SignInError> {
        let now = self.clock.now();
        self.limits.sign_in.check(&from, now)?;
        if let Some(proof) = &request.app {
            let at = UnixMillis(proof.at_ms);
            if now.since(at) > CLOCK_SKEW || at.since(now) > CLOCK_SKEW {
                return Err(SignInError::ClockOff);
            }
        }
        let (account, app) = self.look_up(request).await?;
        let proven = match (&account, &request.app) {
            (Some(account), Some(proof)) => {
                check_proof(account, app.as_ref(), &request.handle, proof)
            }
            _ => Err(SignInError::Wrong),
        };
        // Guessing at a handle keeps other guessers out, and never the person's own app.
        if proven.is_err() {
            self.limits.sign_in_handle.check(&request.handle, now)?;
        }
        let kept = account
            .as_ref()
            .map(|account| account.password_hash.as_str());
        let right = self.passwords.verify(&request.password, kept).await?;
        let account = account.filter(|_| right).ok_or(SignInError::Wrong)?;
        if request.app.is_some() {
            proven?;
        }
        let mut tx = self.db.write().await?;
        let device = request.app.as_ref().map(|proof| proof.device);
        let signed_in = self
            .signed_in(&mut tx, account.id, device, account.household.0)
            .await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Checks a signed-in person's password before something that can't be undone.
    ///
    /// # Errors
    /// When it is wrong, or was tried too often.
    pub async fn check_password(
        &self,
        account: AccountId,
        password: &Secret,
    ) -> Result<(), PasswordCheckError> {
        let mut tx = self.db.read().await?;
        let row = store::accounts::find(&mut tx, account).await?;
        drop(tx);
        let row = row.ok_or(PasswordCheckError::Wrong)?;
        self.limits
            .sign_in_handle
            .check(&row.handle, self.clock.now())?;
        let kept = Some(row.password_hash.as_str());
        if self.passwords.verify(password, kept).await? {
            Ok(())
        } else {
            Err(PasswordCheckError::Wrong)
        }
    }

    /// Ends a token, and the sessions of its device. An unknown token is as good as ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, token: &Secret) -> Result<(), StoreError> {
        let hash = hash_token(token);
        let mut tx = self.db.write().await?;
        let row = store::tokens::find(&mut tx, hash).await?;
        store::tokens::delete(&mut tx, hash).await?;
        if let Some(device) = row.as_ref().and_then(|row| row.device.0) {
            store::push::delete_of_device(&mut tx, device).await?;
        }
        tx.commit().await?;
        if let Some(device) = row.and_then(|row| row.device.0) {
            self.bus.end_sessions(device, ErrorCode::Unauthorized);
        }
        Ok(())
    }

    async fn look_up(
        &self,
        request: &SignIn,
    ) -> Result<(Option<AccountRow>, Option<DeviceRow>), StoreError> {
        let mut tx = self.db.read().await?;
        let account = store::accounts::by_handle(&mut tx, &request.handle).await?;
        let app = match &request.app {
            Some(proof) => store::devices::find(&mut tx, proof.device).await?,
            None => None,
        };
        Ok((account, app))
    }
}

fn check_proof(
    account: &AccountRow,
    app: Option<&DeviceRow>,
    handle: &Handle,
    proof: &AppProof,
) -> Result<(), SignInError> {
    let app = app
        .filter(|app| app.account == account.id)
        .ok_or(SignInError::Wrong)?;
    let key = PublicKey::try_from(app.public_key.as_slice()).map_err(|_| SignInError::Wrong)?;
    if !verify_app_proof(key, handle, proof.at_ms, proof.signature.as_ref()) {
        return Err(SignInError::Wrong);
    }
    if app.removed_at_ms.is_some() {
        return Err(SignInError::DeviceRevoked);
    }
    Ok(())
}
