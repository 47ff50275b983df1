//! The table of recovery tickets.

use homeline_protocol::id::{AccountId, DeviceId};

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A ticket's row.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct TicketRow {
    /// Whose account it recovers.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// The app that was made with it, once it is used.
    #[sqlx(try_from = "Option<String>")]
    pub used_by: Nullable<DeviceId>,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// Adds a ticket; an account has one at a time, so an older one ends.
pub async fn insert(
    tx: &mut Tx,
    hash: [u8; 32],
    account: AccountId,
    expires: UnixMillis,
) -> Result<(), StoreError> {
    let older =
        sqlx::query("delete from recovery_ticket where account = $1").bind(account.to_string());
    on_tx!(&mut *tx, connection => older.execute(connection).await?);
    let query = sqlx::query(
        "insert into recovery_ticket (hash, account, expires_at_ms) values ($1, $2, $3)",
    )
    .bind(hash.to_vec())
    .bind(account.to_string())
    .bind(expires.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The ticket with this hash.
pub async fn find(tx: &mut Tx, hash: [u8; 32]) -> Result<Option<TicketRow>, StoreError> {
    let query = sqlx::query_as("select * from recovery_ticket where hash = $1").bind(hash.to_vec());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Notes which app was made with a ticket.
pub async fn use_up(tx: &mut Tx, hash: [u8; 32], app: DeviceId) -> Result<(), StoreError> {
    let query = sqlx::query("update recovery_ticket set used_by = $2 where hash = $1")
        .bind(hash.to_vec())
        .bind(app.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets tickets that have ended.
pub async fn delete_expired(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from recovery_ticket where expires_at_ms <= $1").bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
