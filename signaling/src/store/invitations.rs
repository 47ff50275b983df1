//! The tables of invitations and of those who used one and wait.

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId, InvitationId};

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// An open invitation.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct InvitationRow {
    /// The id in the link.
    #[sqlx(try_from = "String")]
    pub id: InvitationId,
    /// Into which household.
    #[sqlx(try_from = "String")]
    pub household: HouseholdId,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// Somebody who waits for admission.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct JoinRow {
    /// Who.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// The invitation used.
    #[sqlx(try_from = "String")]
    pub invitation: InvitationId,
    /// Into which household.
    #[sqlx(try_from = "String")]
    pub household: HouseholdId,
    /// Their app.
    #[sqlx(try_from = "String")]
    pub app: DeviceId,
    /// HMAC with the link's secret; only the inviter's app can check it.
    pub proof: Vec<u8>,
    /// Whether the account was there before.
    pub rejoins: bool,
}

/// Adds an invitation.
pub async fn insert(tx: &mut Tx, invitation: InvitationRow) -> Result<(), StoreError> {
    let query =
        sqlx::query("insert into invitation (id, household, expires_at_ms) values ($1, $2, $3)")
            .bind(invitation.id.to_string())
            .bind(invitation.household.to_string())
            .bind(invitation.expires_at_ms.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The invitation with this id.
pub async fn find(tx: &mut Tx, id: InvitationId) -> Result<Option<InvitationRow>, StoreError> {
    let query = sqlx::query_as("select * from invitation where id = $1").bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// The invitations of a household.
pub async fn of_household(
    tx: &mut Tx,
    household: HouseholdId,
) -> Result<Vec<InvitationRow>, StoreError> {
    let query =
        sqlx::query_as("select * from invitation where household = $1 order by expires_at_ms, id")
            .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Forgets an invitation.
pub async fn delete(tx: &mut Tx, id: InvitationId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from invitation where id = $1").bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets expired invitations, and says which.
pub async fn take_expired(tx: &mut Tx, now: UnixMillis) -> Result<Vec<InvitationRow>, StoreError> {
    let query = sqlx::query_as("delete from invitation where expires_at_ms <= $1 returning *")
        .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Adds a join request.
pub async fn insert_join(tx: &mut Tx, join: &JoinRow, at: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into join_request (account, invitation, household, app, proof, created_at_ms, rejoins) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(join.account.to_string())
    .bind(join.invitation.to_string())
    .bind(join.household.to_string())
    .bind(join.app.to_string())
    .bind(join.proof.clone())
    .bind(at.column())
    .bind(join.rejoins);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The join request of an account.
pub async fn find_join(tx: &mut Tx, account: AccountId) -> Result<Option<JoinRow>, StoreError> {
    let query =
        sqlx::query_as("select * from join_request where account = $1").bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Those who wait for admission to a household, longest first.
pub async fn joins(tx: &mut Tx, household: HouseholdId) -> Result<Vec<JoinRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from join_request where household = $1 order by created_at_ms, account",
    )
    .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Those who have waited since before a moment.
pub async fn joins_before(tx: &mut Tx, moment: UnixMillis) -> Result<Vec<JoinRow>, StoreError> {
    let query = sqlx::query_as("select * from join_request where created_at_ms <= $1")
        .bind(moment.column());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Forgets a join request.
pub async fn delete_join(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from join_request where account = $1").bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
