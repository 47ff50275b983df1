//! The table of ledger entries.

use homeline_protocol::id::{DeviceId, HouseholdId};

use super::{StoreError, Tx, on_tx};

/// Where a ledger ends.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct EndRow {
    /// The place of its last entry.
    pub place: i64,
    /// That entry's hash.
    pub hash: Vec<u8>,
}

/// The length of one ledger.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LengthRow {
    /// Whose.
    #[sqlx(try_from = "String")]
    pub device: DeviceId,
    /// How many entries it has.
    pub length: i64,
}

/// The last entry of a ledger; `None`: it has none.
pub async fn end(
    tx: &mut Tx,
    household: HouseholdId,
    device: DeviceId,
) -> Result<Option<EndRow>, StoreError> {
    let query = sqlx::query_as(
        "select place, hash from ledger_entry where household = $1 and device = $2 \
         order by place desc limit 1",
    )
    .bind(household.to_string())
    .bind(device.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// How long the ledgers of a household are, those of removed devices too.
pub async fn lengths(tx: &mut Tx, household: HouseholdId) -> Result<Vec<LengthRow>, StoreError> {
    let query = sqlx::query_as(
        "select device, max(place) + 1 as length from ledger_entry where household = $1 \
         group by device order by device",
    )
    .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Entries from a place on, in order.
pub async fn list(
    tx: &mut Tx,
    household: HouseholdId,
    device: DeviceId,
    (from, limit): (i64, i64),
) -> Result<Vec<Vec<u8>>, StoreError> {
    let query = sqlx::query_scalar(
        "select entry from ledger_entry where household = $1 and device = $2 and place >= $3 \
         order by place limit $4",
    )
    .bind(household.to_string())
    .bind(device.to_string())
    .bind(from)
    .bind(limit);
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Adds an entry at the end of a ledger.
pub async fn append(
    tx: &mut Tx,
    (household, device): (HouseholdId, DeviceId),
    end: &EndRow,
    entry: &[u8],
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into ledger_entry (household, device, place, hash, entry) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(household.to_string())
    .bind(device.to_string())
    .bind(end.place)
    .bind(end.hash.clone())
    .bind(entry.to_vec());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
