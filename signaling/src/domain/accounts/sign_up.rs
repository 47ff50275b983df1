//! Signing up: founding a household, or asking to join one.

use homeline_protocol::http::{NewHome, SignUp, SignedIn};
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId, InvitationId};
use homeline_protocol::session::{DeviceKind, Event, JoinRequest, Role};
use homeline_protocol::{Blob, Secret};

use super::rules::{self, Founding, check_app, check_founding, check_password};
use super::{Accounts, SignUpError};
use crate::bus::Audience;
use crate::domain::identity::{PublicKey, device_id};
use crate::domain::limits::Origin;
use crate::domain::roster::account_view;
use crate::model::{UnixMillis, is_name};
use crate::store::accounts::{AccountRow, NewAccount};
use crate::store::devices::{DeviceRow, KindColumn, SettingsColumns};
use crate::store::households::HouseholdRow;
use crate::store::invitations::JoinRow;
use crate::store::{self, Nullable, StoreError, Tx};

/// An invitation is for one person; a few more are let wait, so that somebody who got hold of the
/// link's visible part cannot keep that person out.
const JOINS_PER_INVITATION_MAX: usize = 4;

/// What is the same for founders and joiners.
struct Newcomer {
    account: AccountId,
    key: PublicKey,
    device: DeviceId,
    /// Absent for somebody whose account is there, and who moves in somewhere anew.
    password_hash: Option<String>,
    now: UnixMillis,
}

impl Accounts {
    /// Signs somebody up. Repeating it with the same account, password and app signs them in. Whoever
    /// left their household, or was taken out of it, signs up anew with their account, handle and
    /// password, and a new app: no certificate of the old household counts in another.
    ///
    /// # Errors
    /// When something is out of bounds, taken, or does not fit together.
    pub async fn sign_up(&self, from: Origin, request: &SignUp) -> Result<SignedIn, SignUpError> {
        let now = self.clock.now();
        self.limits.sign_up.check(&from, now)?;
        check_password(&request.password).map_err(SignUpError::Field)?;
        if !is_name(&request.display_name) {
            return Err(SignUpError::Field(rules::BAD_NAME));
        }
        let key = check_app(&request.app).map_err(SignUpError::Field)?;
        let (NewHome::Found { account, .. } | NewHome::Join { account, .. }) = &request.home;
        let known = self.account_row(*account).await?;
        if let Some(known) = &known {
            if !self.moves_in(request, known, device_id(key), now).await? {
                return self.repeat_sign_up(request, known, device_id(key)).await;
            }
        // Before the password is hashed: that is the dear part.
        } else if self.by_handle(&request.handle).await?.is_some() {
            return Err(SignUpError::HandleTaken);
        }
        let newcomer = |password_hash| Newcomer {
            account: *account,
            key,
            device: device_id(key),
            password_hash,
            now,
        };
        match &request.home {
            NewHome::Found {
                genesis,
                name,
                roster,
                chain,
                recovery_certificate,
                recovery_secret,
                ..
            } => {
                if !is_name(name) {
                    return Err(SignUpError::Field(rules::BAD_NAME));
                }
                let founding = Founding {
                    account: *account,
                    app_key: key,
                    app_label: &request.app.label,
                    genesis,
                    name,
                    roster,
                    chain,
                    recovery_certificate,
                };
                let household = check_founding(&founding, now)?;
                let recovery_hash = self.hash_recovery(recovery_secret).await?;
                let newcomer = newcomer(self.hash_of_new(request, known.as_ref()).await?);
                self.found(request, &founding, newcomer, household, recovery_hash)
                    .await
            }
            NewHome::Join {
                invitation, proof, ..
            } => {
                if proof.0.len() != 32 {
                    return Err(SignUpError::Field(rules::BAD_PROOF));
                }
                let newcomer = newcomer(self.hash_of_new(request, known.as_ref()).await?);
                self.join(request, newcomer, *invitation, proof).await
            }
        }
    }

    async fn account_row(&self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        store::accounts::find(&mut self.db.read().await?, id).await
    }

    async fn hash_recovery(&self, secret: &Secret) -> Result<String, SignUpError> {
        rules::check_recovery_secret(secret).map_err(SignUpError::Field)?;
        Ok(self.passwords.hash(secret).await?)
    }

    /// Whether somebody with an account moves in with a new app. Guesses at the password count as those
    /// of a sign-in do.
    async fn moves_in(
        &self,
        request: &SignUp,
        known: &AccountRow,
        device: DeviceId,
        now: UnixMillis,
    ) -> Result<bool, SignUpError> {
        let app = store::devices::find(&mut self.db.read().await?, device).await?;
        if app.is_some() {
            return Ok(false);
        }
        self.limits.sign_in_handle.check(&known.handle, now)?;
        let kept = Some(known.password_hash.as_str());
        let same = self.passwords.verify(&request.password, kept).await?;
        match (same && known.handle == request.handle, known.household.0) {
            (false, _) => Err(SignUpError::Exists),
            (true, Some(_)) => Err(SignUpError::InHousehold),
            (true, None) => Ok(true),
        }
    }

    async fn hash_of_new(
        &self,
        request: &SignUp,
        known: Option<&AccountRow>,
    ) -> Result<Option<String>, SignUpError> {
        Ok(match known {
            Some(_) => None,
            None => Some(self.passwords.hash(&request.password).await?),
        })
    }

    /// The answer to the first one was lost: the same person gets it again.
    async fn repeat_sign_up(
        &self,
        request: &SignUp,
        known: &AccountRow,
        device: DeviceId,
    ) -> Result<SignedIn, SignUpError> {
        let kept = Some(known.password_hash.as_str());
        let same_password = self.passwords.verify(&request.password, kept).await?;
        let mut tx = self.db.write().await?;
        let app = store::devices::find(&mut tx, device).await?;
        let same_app =
            app.is_some_and(|app| app.account == known.id && app.removed_at_ms.is_none());
        if known.handle != request.handle || !same_password || !same_app {
            return Err(SignUpError::Exists);
        }
        let household = known.household.0;
        let signed_in = self
            .signed_in(&mut tx, known.id, Some(device), household)
            .await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    async fn found(
        &self,
        request: &SignUp,
        founding: &Founding<'_>,
        newcomer: Newcomer,
        household: HouseholdId,
        recovery_hash: String,
    ) -> Result<SignedIn, SignUpError> {
        let mut tx = self.db.write().await?;
        self.refuse_if_taken(&mut tx, request, &newcomer).await?;
        if store::households::find(&mut tx, household).await?.is_some() {
            return Err(SignUpError::Exists);
        }
        let row = HouseholdRow {
            id: household,
            genesis: founding.genesis.0.clone(),
            recovery_certificate: founding.recovery_certificate.0.clone(),
            recovery_hash,
        };
        store::households::insert(&mut tx, &row, newcomer.now).await?;
        for (seq, entry) in (0..).zip(founding.roster) {
            store::households::append(&mut tx, household, seq, entry.as_ref()).await?;
        }
        let chain = Some(founding.chain);
        insert_person(&mut tx, request, &newcomer, Some(household), chain).await?;
        let device = Some(newcomer.device);
        let signed_in = self
            .signed_in(&mut tx, newcomer.account, device, Some(household))
            .await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    async fn join(
        &self,
        request: &SignUp,
        newcomer: Newcomer,
        invitation: InvitationId,
        proof: &Blob,
    ) -> Result<SignedIn, SignUpError> {
        let mut tx = self.db.write().await?;
        let open = store::invitations::find(&mut tx, invitation)
            .await?
            .filter(|open| open.expires_at_ms > newcomer.now)
            .ok_or(SignUpError::NoInvitation)?;
        self.refuse_if_taken(&mut tx, request, &newcomer).await?;
        let waiting = store::invitations::joins(&mut tx, open.household).await?;
        let on_this = waiting
            .iter()
            .filter(|join| join.invitation == invitation)
            .count();
        if on_this >= JOINS_PER_INVITATION_MAX {
            return Err(SignUpError::TooManyWait);
        }
        insert_person(&mut tx, request, &newcomer, None, None).await?;
        let join = JoinRow {
            account: newcomer.account,
            invitation,
            household: open.household,
            app: newcomer.device,
            proof: proof.0.clone(),
            rejoins: newcomer.password_hash.is_none(),
        };
        store::invitations::insert_join(&mut tx, &join, newcomer.now).await?;
        let device = Some(newcomer.device);
        let signed_in = self
            .signed_in(&mut tx, newcomer.account, device, None)
            .await?;
        let row = store::accounts::find(&mut tx, newcomer.account).await?;
        tx.commit().await?;
        if let Some(row) = row {
            let request = JoinRequest {
                invitation,
                account: account_view(&row),
                app_key: request.app.key.clone(),
                label: request.app.label.clone(),
                proof: proof.clone(),
            };
            let audience = Audience::Household(open.household);
            self.bus.publish(audience, Event::JoinRequested(request));
        }
        Ok(signed_in)
    }

    /// Within the transaction, which is the only one that writes: nothing comes between look and
    /// leap.
    async fn refuse_if_taken(
        &self,
        tx: &mut Tx,
        request: &SignUp,
        newcomer: &Newcomer,
    ) -> Result<(), SignUpError> {
        if newcomer.password_hash.is_none() {
            return make_room(tx, newcomer).await;
        }
        if store::accounts::by_handle(tx, &request.handle)
            .await?
            .is_some()
        {
            return Err(SignUpError::HandleTaken);
        }
        if store::rules::leaving::is_retired(tx, &request.handle, newcomer.now).await? {
            return Err(SignUpError::HandleTaken);
        }
        if store::accounts::count(tx).await? >= i64::from(self.config.accounts_max) {
            return Err(SignUpError::ServerFull);
        }
        let account = store::accounts::find(tx, newcomer.account).await?.is_some();
        let device = store::devices::find(tx, newcomer.device).await?.is_some();
        if account || device {
            Err(SignUpError::Exists)
        } else {
            Ok(())
        }
    }
}

/// Somebody whose account is there: still in no household, and waiting nowhere else any more. Who waits
/// since their first sign-up goes on waiting.
async fn make_room(tx: &mut Tx, newcomer: &Newcomer) -> Result<(), SignUpError> {
    let row = store::accounts::find(tx, newcomer.account).await?;
    let row = row.ok_or(SignUpError::Exists)?;
    if row.household.0.is_some() {
        return Err(SignUpError::InHousehold);
    }
    if store::devices::find(tx, newcomer.device).await?.is_some() {
        return Err(SignUpError::Exists);
    }
    match store::invitations::find_join(tx, newcomer.account).await? {
        Some(waits) if waits.rejoins => Ok(store::devices::forget(tx, waits.app).await?),
        Some(_) => Err(SignUpError::Exists),
        None => Ok(()),
    }
}

async fn insert_person(
    tx: &mut Tx,
    request: &SignUp,
    newcomer: &Newcomer,
    household: Option<HouseholdId>,
    chain: Option<&Blob>,
) -> Result<(), StoreError> {
    // Whoever founds a household owns it; what a joiner becomes is said at their admission.
    let role = match household {
        Some(_) => Role::Owner,
        None => Role::Adult,
    };
    match (&newcomer.password_hash, household) {
        (Some(password_hash), household) => {
            let account = NewAccount {
                id: newcomer.account,
                handle: &request.handle,
                display_name: &request.display_name,
                password_hash,
                household,
                role,
                at: newcomer.now,
            };
            store::accounts::insert(tx, account).await?;
        }
        (None, Some(household)) => {
            store::accounts::set_household(tx, newcomer.account, household).await?;
            store::accounts::set_role(tx, newcomer.account, role).await?;
        }
        (None, None) => {}
    }
    let app = DeviceRow {
        id: newcomer.device,
        public_key: newcomer.key.0.to_vec(),
        account: newcomer.account,
        household: Nullable(household),
        kind: KindColumn(DeviceKind::App),
        label: request.app.label.clone(),
        // A founder's app is adult, as its roster says; a joiner's becomes what the admission says.
        adult: household.is_some(),
        chain: chain.map(|chain| chain.0.clone()),
        removed_at_ms: None,
        settings: SettingsColumns::default(),
    };
    store::devices::insert(tx, &app, newcomer.now).await
}
