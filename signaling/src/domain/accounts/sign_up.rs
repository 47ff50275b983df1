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
    password_hash: String,
    now: UnixMillis,
}

impl Accounts {
    /// Signs somebody up. Repeating it with the same account, password and app signs them in.
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
        if let Some(known) = self.account_row(*account).await? {
            return self.repeat_sign_up(request, &known, device_id(key)).await;
        }
        // Before the password is hashed: that is the dear part.
        if self.by_handle(&request.handle).await?.is_some() {
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
                let newcomer = newcomer(self.passwords.hash(&request.password).await?);
                self.found(request, &founding, newcomer, household, recovery_hash)
                    .await
            }
            NewHome::Join {
                invitation, proof, ..
            } => {
                if proof.0.len() != 32 {
                    return Err(SignUpError::Field(rules::BAD_PROOF));
                }
                let newcomer = newcomer(self.passwords.hash(&request.password).await?);
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

async fn insert_person(
    tx: &mut Tx,
    request: &SignUp,
    newcomer: &Newcomer,
    household: Option<HouseholdId>,
    chain: Option<&Blob>,
) -> Result<(), StoreError> {
    let account = NewAccount {
        id: newcomer.account,
        handle: &request.handle,
        display_name: &request.display_name,
        password_hash: &newcomer.password_hash,
        household,
        // Whoever founds a household owns it; what a joiner becomes is said at their admission.
        role: if household.is_some() {
            Role::Owner
        } else {
            Role::Adult
        },
        at: newcomer.now,
    };
    store::accounts::insert(tx, account).await?;
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
