//! The tables of households, their rosters and their answer policies.

use homeline_protocol::id::{DeviceId, HouseholdId};

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A household's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HouseholdRow {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: HouseholdId,
    /// The genesis key.
    pub genesis: Vec<u8>,
    /// The recovery key's certificate, signed by genesis, and its binding, signed by itself.
    pub recovery_certificate: Vec<u8>,
    /// argon2id of the recovery secret.
    pub recovery_hash: String,
}

/// A home device's answer policy.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PolicyRow {
    /// The device.
    #[sqlx(try_from = "String")]
    pub device: DeviceId,
    /// The signed policy.
    pub policy: Vec<u8>,
    /// Its revision.
    pub revision: i64,
}

/// Adds a household.
pub async fn insert(
    tx: &mut Tx,
    household: &HouseholdRow,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into household (id, genesis, recovery_certificate, recovery_hash, created_at_ms) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(household.id.to_string())
    .bind(household.genesis.clone())
    .bind(household.recovery_certificate.clone())
    .bind(household.recovery_hash.clone())
    .bind(at.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The household with this id.
pub async fn find(tx: &mut Tx, id: HouseholdId) -> Result<Option<HouseholdRow>, StoreError> {
    let query = sqlx::query_as("select * from household where id = $1").bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// The whole roster, in order.
pub async fn roster(tx: &mut Tx, id: HouseholdId) -> Result<Vec<Vec<u8>>, StoreError> {
    let query =
        sqlx::query_scalar("select entry from roster_entry where household = $1 order by seq")
            .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Adds an entry to the roster.
pub async fn append(
    tx: &mut Tx,
    id: HouseholdId,
    seq: u64,
    entry: &[u8],
) -> Result<(), StoreError> {
    let query = sqlx::query("insert into roster_entry (household, seq, entry) values ($1, $2, $3)")
        .bind(id.to_string())
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .bind(entry.to_vec());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The answer policies of a household.
pub async fn policies(tx: &mut Tx, id: HouseholdId) -> Result<Vec<PolicyRow>, StoreError> {
    let query = sqlx::query_as("select * from answer_policy where household = $1 order by device")
        .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// The answer policy of a device.
pub async fn policy(tx: &mut Tx, device: DeviceId) -> Result<Option<PolicyRow>, StoreError> {
    let query =
        sqlx::query_as("select * from answer_policy where device = $1").bind(device.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Adds or replaces an answer policy.
pub async fn put_policy(
    tx: &mut Tx,
    id: HouseholdId,
    policy: &PolicyRow,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into answer_policy (device, household, policy, revision) values ($1, $2, $3, $4) \
         on conflict (device) do update set policy = excluded.policy, revision = excluded.revision",
    )
    .bind(policy.device.to_string())
    .bind(id.to_string())
    .bind(policy.policy.clone())
    .bind(policy.revision);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets the answer policy of a device that was removed.
pub async fn delete_policy(tx: &mut Tx, device: DeviceId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from answer_policy where device = $1").bind(device.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
