//! The table of bearer tokens.

use homeline_protocol::id::{AccountId, DeviceId};

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A token's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TokenRow {
    /// Whose.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// The app or home device it speaks for, if any.
    #[sqlx(try_from = "Option<String>")]
    pub device: Nullable<DeviceId>,
    /// When it was last seen, to the hour or so.
    #[sqlx(try_from = "i64")]
    pub last_used_at_ms: UnixMillis,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// Adds a token.
pub async fn insert(
    tx: &mut Tx,
    hash: [u8; 32],
    (account, device): (AccountId, Option<DeviceId>),
    now: UnixMillis,
    expires: UnixMillis,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into token (hash, account, device, created_at_ms, last_used_at_ms, expires_at_ms) \
         values ($1, $2, $3, $4, $4, $5)",
    )
    .bind(hash.to_vec())
    .bind(account.to_string())
    .bind(device.map(|id| id.to_string()))
    .bind(now.column())
    .bind(expires.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The token with this hash.
pub async fn find(tx: &mut Tx, hash: [u8; 32]) -> Result<Option<TokenRow>, StoreError> {
    let query = sqlx::query_as("select * from token where hash = $1").bind(hash.to_vec());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Notes that a token was used, and until when it lives now.
pub async fn touch(
    tx: &mut Tx,
    hash: [u8; 32],
    now: UnixMillis,
    expires: UnixMillis,
) -> Result<(), StoreError> {
    let query =
        sqlx::query("update token set last_used_at_ms = $2, expires_at_ms = $3 where hash = $1")
            .bind(hash.to_vec())
            .bind(now.column())
            .bind(expires.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets one token.
pub async fn delete(tx: &mut Tx, hash: [u8; 32]) -> Result<(), StoreError> {
    let query = sqlx::query("delete from token where hash = $1").bind(hash.to_vec());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets the tokens of a device.
pub async fn delete_of_device(tx: &mut Tx, device: DeviceId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from token where device = $1").bind(device.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets the tokens that a password alone was given for.
pub async fn delete_keyless(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from token where account = $1 and device is null")
        .bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Keeps only the newest `keep` tokens of a device, or of an account without a device.
pub async fn keep_newest(
    tx: &mut Tx,
    (account, device): (AccountId, Option<DeviceId>),
    keep: i64,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from token where hash in (select hash from token \
         where account = $1 and coalesce(device, '') = $2 \
         order by last_used_at_ms desc, expires_at_ms desc limit 1000 offset $3)",
    )
    .bind(account.to_string())
    .bind(device.map(|id| id.to_string()).unwrap_or_default())
    .bind(keep);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets tokens that have ended.
pub async fn delete_expired(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query("delete from token where expires_at_ms <= $1").bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
