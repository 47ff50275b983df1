//! The own account and household, whole.

use homeline_protocol::id::HouseholdId;
use homeline_protocol::session::{
    AnswerPolicy, Contact, DeviceKind, DropInGrant, Home, Household, Invitation, JoinRequest,
};

use super::view::{children_of, person_settings};
use crate::domain::roster::{account_view, device_view, member_view};
use crate::model::{Clock, Speaker, UnixMillis};
use crate::store::contacts::ContactRow;
use crate::store::drop_in::GrantRow;
use crate::store::{self, Db, StoreError, Tx};

/// Households.
#[derive(Debug)]
pub struct Households {
    db: Db,
    clock: Clock,
}

/// Why there is no home to show.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The account or its household is gone.
    #[error("no such account")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Households {
    /// The service, from its parts.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// The speaker's account and household. Devices are shown as offline: the session's edge knows
    /// better and fills that in. Invitations and those who wait are shown to apps only.
    ///
    /// # Errors
    /// When the account is gone.
    pub async fn home(&self, speaker: &Speaker) -> Result<Home, HomeError> {
        let mut tx = self.db.read().await?;
        let account = store::accounts::find(&mut tx, speaker.account).await?;
        let mut home = Home {
            account: account_view(&account.ok_or(HomeError::NotFound)?),
            household: None,
            contacts: vec![],
            invitations: vec![],
            join_requests: vec![],
            answer_policies: vec![],
            settings: person_settings(&mut tx, speaker.account).await?,
            children: vec![],
            leave_requests: vec![],
            drop_in_grants: vec![],
        };
        if speaker.kind != DeviceKind::App {
            // A device stands where guests see it.
            home.settings.blocked.clear();
        }
        let Some(household) = speaker.household else {
            return Ok(home);
        };
        home.household = Some(self.household(&mut tx, household).await?);
        let contacts = store::contacts::of_household(&mut tx, household).await?;
        home.contacts = contacts.into_iter().map(contact_view).collect();
        let policies = store::households::policies(&mut tx, household).await?;
        home.answer_policies = policies
            .into_iter()
            .map(|row| AnswerPolicy {
                device: row.device,
                policy: row.policy.into(),
            })
            .collect();
        let now = self.clock.now();
        let grants = store::drop_in::of_household(&mut tx, household, now).await?;
        home.drop_in_grants = grants.into_iter().map(grant_view).collect();
        home.children = children_of(&mut tx, household).await?;
        home.leave_requests = store::rules::leaving::asking(&mut tx, household).await?;
        if speaker.kind == DeviceKind::App {
            home.invitations = invitations(&mut tx, household, self.clock.now()).await?;
            home.join_requests = join_requests(&mut tx, household).await?;
        }
        Ok(home)
    }

    async fn household(&self, tx: &mut Tx, id: HouseholdId) -> Result<Household, HomeError> {
        let row = store::households::find(tx, id)
            .await?
            .ok_or(HomeError::NotFound)?;
        let roster = store::households::roster(tx, id).await?;
        let members = store::accounts::members(tx, id).await?;
        let devices = store::devices::of_household(tx, id).await?;
        Ok(Household {
            id,
            genesis: row.genesis.into(),
            roster: roster.into_iter().map(Into::into).collect(),
            recovery_certificate: row.recovery_certificate.into(),
            members: members.iter().map(member_view).collect(),
            devices: devices.iter().map(device_view).collect(),
        })
    }
}

fn contact_view(row: ContactRow) -> Contact {
    Contact {
        id: row.id,
        name: row.name,
        handle: row.handle,
        card: row.card.into(),
    }
}

fn grant_view(row: GrantRow) -> DropInGrant {
    DropInGrant {
        id: row.id,
        statement: row.statement.into(),
    }
}

async fn invitations(
    tx: &mut Tx,
    household: HouseholdId,
    now: UnixMillis,
) -> Result<Vec<Invitation>, StoreError> {
    let rows = store::invitations::of_household(tx, household).await?;
    Ok(rows
        .into_iter()
        .filter(|row| row.expires_at_ms > now)
        .map(|row| Invitation {
            id: row.id,
            expires_at_ms: row.expires_at_ms.0,
        })
        .collect())
}

async fn join_requests(
    tx: &mut Tx,
    household: HouseholdId,
) -> Result<Vec<JoinRequest>, StoreError> {
    let mut requests = Vec::new();
    for join in store::invitations::joins(tx, household).await? {
        let account = store::accounts::find(tx, join.account).await?;
        let app = store::devices::find(tx, join.app).await?;
        let (Some(account), Some(app)) = (account, app) else {
            continue;
        };
        requests.push(JoinRequest {
            invitation: join.invitation,
            account: account_view(&account),
            app_key: app.public_key.into(),
            label: app.label,
            proof: join.proof.into(),
        });
    }
    Ok(requests)
}
