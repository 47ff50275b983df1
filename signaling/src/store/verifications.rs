//! The table of codes on their way to phone numbers.

use homeline_protocol::E164;
use homeline_protocol::id::AccountId;

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A code on its way.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct VerificationRow {
    /// The number.
    #[sqlx(try_from = "String")]
    pub e164: E164,
    /// argon2id of the code.
    pub code_hash: String,
    /// How often a code may still be entered.
    pub tries_left: i64,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// Keeps a code; an account has one at a time, so an older one ends.
pub async fn put(
    tx: &mut Tx,
    account: AccountId,
    verification: &VerificationRow,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into number_verification (account, e164, code_hash, tries_left, expires_at_ms) \
         values ($1, $2, $3, $4, $5) on conflict (account) do update set e164 = excluded.e164, \
         code_hash = excluded.code_hash, tries_left = excluded.tries_left, \
         expires_at_ms = excluded.expires_at_ms",
    )
    .bind(account.to_string())
    .bind(verification.e164.to_string())
    .bind(verification.code_hash.clone())
    .bind(verification.tries_left)
    .bind(verification.expires_at_ms.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// An account's code.
pub async fn find(tx: &mut Tx, account: AccountId) -> Result<Option<VerificationRow>, StoreError> {
    let query = sqlx::query_as(
        "select e164, code_hash, tries_left, expires_at_ms from number_verification \
         where account = $1",
    )
    .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Takes one try away.
pub async fn count_try(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update number_verification set tries_left = tries_left - 1 where account = $1",
    )
    .bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets an account's code.
pub async fn delete(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from number_verification where account = $1").bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets codes that have ended.
pub async fn delete_expired(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from number_verification where expires_at_ms <= $1").bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
