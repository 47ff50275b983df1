//! The verbs of invitations.

use std::time::Duration;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId, InvitationId};
use homeline_protocol::session::{DeviceKind, Event, Invitation, Role};

use super::{AdmitMemberError, CancelInvitationError, CreateInvitationError, RefuseMemberError};
use crate::bus::{Audience, Bus};
use crate::domain::households::child;
use crate::domain::identity::PublicKey;
use crate::domain::roster::{Addition, GrowError, Grown, RosterGate, add_device};
use crate::domain::secrets::random_id;
use crate::model::{AdultApp, Clock, Speaker};
use crate::store::invitations::{InvitationRow, JoinRow};
use crate::store::{self, Db, StoreError, Tx};

/// How long a link works.
const INVITATION_LIFETIME: Duration = Duration::from_hours(7 * 24);
/// How long somebody may wait for an answer before their sign-up is forgotten.
const JOIN_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// Open invitations of one household; a further one is refused until one ends.
const INVITATIONS_OPEN_MAX: usize = 16;
/// Members of one household.
const MEMBERS_MAX: usize = 64;

/// Invitations.
#[derive(Debug)]
pub struct Invitations {
    db: Db,
    bus: Bus,
    clock: Clock,
    gate: RosterGate,
}

/// An admission as the request says it.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// The invitation used.
    pub invitation: InvitationId,
    /// Who.
    pub account: AccountId,
    /// Their app.
    pub device: DeviceId,
    /// Whether their app gets the adult right.
    pub adult: bool,
    /// The signed roster entry.
    pub entry: &'a Blob,
    /// Their app's chain.
    pub chain: &'a Blob,
    /// What they become.
    pub role: Role,
}

impl Invitations {
    /// The service, from its parts.
    #[must_use]
    pub fn new(db: Db, bus: Bus, clock: Clock, gate: RosterGate) -> Self {
        Self {
            db,
            bus,
            clock,
            gate,
        }
    }

    /// Makes an invitation. Its secret is made by the app and never comes here.
    ///
    /// # Errors
    /// When the speaker may not, or too many are open.
    pub async fn create(&self, speaker: &Speaker) -> Result<Invitation, CreateInvitationError> {
        let app = speaker.adult_app()?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let open = store::invitations::of_household(&mut tx, app.household).await?;
        if open.iter().filter(|row| row.expires_at_ms > now).count() >= INVITATIONS_OPEN_MAX {
            return Err(CreateInvitationError::TooManyOpen);
        }
        let row = InvitationRow {
            id: InvitationId(random_id()),
            household: app.household,
            expires_at_ms: now.plus(INVITATION_LIFETIME),
        };
        store::invitations::insert(&mut tx, row).await?;
        tx.commit().await?;
        let invitation = Invitation {
            id: row.id,
            expires_at_ms: row.expires_at_ms.0,
        };
        let audience = Audience::HouseholdExcept(app.household, app.device);
        self.bus
            .publish(audience, Event::InvitationMade(invitation.clone()));
        Ok(invitation)
    }

    /// Ends an invitation, and turns away those who wait on it. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not.
    pub async fn cancel(
        &self,
        speaker: &Speaker,
        invitation: InvitationId,
    ) -> Result<(), CancelInvitationError> {
        let app = speaker.adult_app()?;
        let mut tx = self.db.write().await?;
        let turned_away = end(&mut tx, app.household, invitation, None).await?;
        tx.commit().await?;
        self.tell_ended(app.household, invitation, &turned_away);
        Ok(())
    }

    /// Admits a member whose proof the speaker's app has checked; others who wait on the same
    /// invitation are turned away. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not, nobody waits so, or the roster does not take the app.
    pub async fn admit(
        &self,
        speaker: &Speaker,
        admission: Admission<'_>,
    ) -> Result<(), AdmitMemberError> {
        let app = speaker.adult_app()?;
        if admission.role == Role::Owner || (admission.role == Role::Child && admission.adult) {
            return Err(AdmitMemberError::BadRole);
        }
        let _gate = self.gate.enter().await;
        let mut tx = self.db.write().await?;
        let Some(key) = waiting_key(&mut tx, app, admission).await? else {
            return Ok(());
        };
        let grown = self.take_in(&mut tx, app, admission, key).await?;
        let child = match admission.role {
            Role::Child => Some(child(&mut tx, admission.account).await?),
            Role::Owner | Role::Adult => None,
        };
        let turned_away = end(
            &mut tx,
            app.household,
            admission.invitation,
            Some(admission.account),
        )
        .await?;
        let roster = store::households::roster(&mut tx, app.household).await?;
        tx.commit().await?;
        let admitted = Event::Admitted {
            household: app.household,
            chain: admission.chain.clone(),
            roster: roster.into_iter().map(Into::into).collect(),
        };
        self.bus
            .publish(Audience::Account(admission.account), admitted);
        grown.publish(&self.bus);
        if let Some(child) = child {
            let household = Audience::Household(app.household);
            self.bus.publish(household, Event::ChildChanged(child));
        }
        self.tell_ended(app.household, admission.invitation, &turned_away);
        Ok(())
    }

    async fn take_in(
        &self,
        tx: &mut Tx,
        app: AdultApp,
        admission: Admission<'_>,
        key: PublicKey,
    ) -> Result<Grown, AdmitMemberError> {
        if store::accounts::members(tx, app.household).await?.len() >= MEMBERS_MAX {
            return Err(AdmitMemberError::Full);
        }
        let label = store::devices::find(tx, admission.device)
            .await?
            .map(|row| row.label);
        let addition = Addition {
            key,
            kind: DeviceKind::App,
            account: admission.account,
            label: &label.unwrap_or_default(),
            adult: Some(admission.adult),
            entry: admission.entry.as_ref(),
            chain: admission.chain.as_ref(),
        };
        // First the person, so that the roster's event shows them among the members.
        store::accounts::set_household(tx, admission.account, app.household).await?;
        store::accounts::set_role(tx, admission.account, admission.role).await?;
        Ok(add_device(tx, app.household, addition, self.clock.now()).await?)
    }

    /// Turns somebody away and forgets their sign-up, so that the handle is free again; of somebody who
    /// had an account before, the request alone. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not, or they were admitted.
    pub async fn refuse(
        &self,
        speaker: &Speaker,
        invitation: InvitationId,
        account: AccountId,
    ) -> Result<(), RefuseMemberError> {
        let app = speaker.adult_app()?;
        let mut tx = self.db.write().await?;
        let join = store::invitations::find_join(&mut tx, account).await?;
        let join =
            join.filter(|join| join.household == app.household && join.invitation == invitation);
        let Some(join) = join else {
            let row = store::accounts::find(&mut tx, account).await?;
            let admitted = row.is_some_and(|row| row.household.0 == Some(app.household));
            return if admitted {
                Err(RefuseMemberError::Admitted)
            } else {
                Ok(())
            };
        };
        turn_away(&mut tx, &join).await?;
        tx.commit().await?;
        self.bus
            .publish(Audience::Account(account), Event::JoinRefused);
        Ok(())
    }

    /// Ends what has expired. Called now and then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let expired = store::invitations::take_expired(&mut tx, now).await?;
        let forgotten = store::invitations::joins_before(&mut tx, now.minus(JOIN_LIFETIME)).await?;
        for join in &forgotten {
            turn_away(&mut tx, join).await?;
        }
        tx.commit().await?;
        for row in expired {
            self.tell_ended(row.household, row.id, &[]);
        }
        for join in forgotten {
            self.bus
                .publish(Audience::Account(join.account), Event::JoinRefused);
        }
        Ok(())
    }

    fn tell_ended(
        &self,
        household: HouseholdId,
        invitation: InvitationId,
        turned_away: &[AccountId],
    ) {
        self.bus.publish(
            Audience::Household(household),
            Event::InvitationEnded { invitation },
        );
        for account in turned_away {
            self.bus
                .publish(Audience::Account(*account), Event::JoinRefused);
        }
    }
}

/// The key of the app that waits with this invitation; `None` when it was admitted already.
async fn waiting_key(
    tx: &mut Tx,
    app: AdultApp,
    admission: Admission<'_>,
) -> Result<Option<PublicKey>, AdmitMemberError> {
    let device = store::devices::find(tx, admission.device).await?;
    let device = device.filter(|device| device.account == admission.account);
    let Some(device) = device else {
        return Err(AdmitMemberError::NotFound);
    };
    let fits = |join: &JoinRow| {
        join.household == app.household
            && join.invitation == admission.invitation
            && join.app == admission.device
    };
    match store::invitations::find_join(tx, admission.account).await? {
        Some(join) if fits(&join) => {
            let key = PublicKey::try_from(device.public_key.as_slice());
            key.map(Some).map_err(|_| GrowError::SaysOtherwise.into())
        }
        None if device.household.0 == Some(app.household) => Ok(None),
        _ => Err(AdmitMemberError::NotFound),
    }
}

/// Ends an invitation of this household; returns those who waited on it and were turned away.
async fn end(
    tx: &mut Tx,
    household: HouseholdId,
    invitation: InvitationId,
    admitted: Option<AccountId>,
) -> Result<Vec<AccountId>, StoreError> {
    let row = store::invitations::find(tx, invitation).await?;
    if row.is_some_and(|row| row.household == household) {
        store::invitations::delete(tx, invitation).await?;
    }
    let mut turned_away = Vec::new();
    for join in store::invitations::joins(tx, household).await? {
        if join.invitation != invitation {
            continue;
        }
        if Some(join.account) == admitted {
            store::invitations::delete_join(tx, join.account).await?;
        } else {
            turn_away(tx, &join).await?;
            turned_away.push(join.account);
        }
    }
    Ok(turned_away)
}

/// Forgets somebody who was never admitted, with the app and the tokens of their sign-up; of somebody
/// who was a person here before, only the request and the app made for it.
async fn turn_away(tx: &mut Tx, join: &JoinRow) -> Result<(), StoreError> {
    if join.rejoins {
        store::devices::forget(tx, join.app).await
    } else {
        store::accounts::delete(tx, join.account).await
    }
}
