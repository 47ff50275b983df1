//! The table of drop-in grants.

use homeline_protocol::id::{ContactId, DeviceId, GrantId, HouseholdId};

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A grant's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct GrantRow {
    /// The id, unique in its household.
    #[sqlx(try_from = "String")]
    pub id: GrantId,
    /// The statement's revision.
    pub revision: i64,
    /// The contact that it is to; absent: the own household.
    #[sqlx(try_from = "Option<String>")]
    pub contact: Nullable<ContactId>,
    /// The app that signed it.
    #[sqlx(try_from = "String")]
    pub signer: DeviceId,
    /// The signed statement.
    pub statement: Vec<u8>,
    /// Whether it ends the grant.
    pub revoked: bool,
    /// When it ends by itself.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// All of a household, revoked ones too, but for those that have ended by themselves.
pub async fn of_household(
    tx: &mut Tx,
    household: HouseholdId,
    now: UnixMillis,
) -> Result<Vec<GrantRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from drop_in_grant where household = $1 and expires_at_ms > $2 order by id",
    )
    .bind(household.to_string())
    .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Those that let somebody in now: not revoked, not ended, signed by an app that is an adult's of the
/// household still.
pub async fn counting(
    tx: &mut Tx,
    household: HouseholdId,
    now: UnixMillis,
) -> Result<Vec<GrantRow>, StoreError> {
    let query = sqlx::query_as(
        "select drop_in_grant.* from drop_in_grant join device on device.id = drop_in_grant.signer \
         where drop_in_grant.household = $1 and expires_at_ms > $2 and not revoked \
         and device.household = $1 and device.adult and device.removed_at_ms is null \
         order by drop_in_grant.id",
    )
    .bind(household.to_string())
    .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Those to one contact.
pub async fn of_contact(
    tx: &mut Tx,
    household: HouseholdId,
    contact: ContactId,
) -> Result<Vec<GrantRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from drop_in_grant where household = $1 and contact = $2 order by id",
    )
    .bind(household.to_string())
    .bind(contact.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// One grant, however it stands.
pub async fn find(
    tx: &mut Tx,
    household: HouseholdId,
    id: GrantId,
) -> Result<Option<GrantRow>, StoreError> {
    let query = sqlx::query_as("select * from drop_in_grant where household = $1 and id = $2")
        .bind(household.to_string())
        .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Adds or replaces a grant.
pub async fn put(tx: &mut Tx, household: HouseholdId, grant: &GrantRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into drop_in_grant \
         (household, id, revision, contact, signer, statement, revoked, expires_at_ms) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (household, id) do update set \
         revision = excluded.revision, contact = excluded.contact, signer = excluded.signer, \
         statement = excluded.statement, revoked = excluded.revoked, \
         expires_at_ms = excluded.expires_at_ms",
    )
    .bind(household.to_string())
    .bind(grant.id.to_string())
    .bind(grant.revision)
    .bind(grant.contact.0.map(|contact| contact.to_string()))
    .bind(grant.signer.to_string())
    .bind(grant.statement.clone())
    .bind(grant.revoked)
    .bind(grant.expires_at_ms.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets a grant.
pub async fn delete(tx: &mut Tx, household: HouseholdId, id: GrantId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from drop_in_grant where household = $1 and id = $2")
        .bind(household.to_string())
        .bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets those that have ended by themselves.
pub async fn delete_expired(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from drop_in_grant where expires_at_ms <= $1").bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
