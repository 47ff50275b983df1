//! The table of consents.

use homeline_protocol::EmailAddress;
use homeline_protocol::id::{AccountId, ConsentId, HouseholdId, MailId};

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A consent's row, without the secret's hash. No `Debug`: it is personal.
#[derive(Clone, sqlx::FromRow)]
pub struct ConsentRow {
    /// The consent.
    #[sqlx(try_from = "String")]
    pub id: ConsentId,
    /// The child.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// The household it holds in.
    #[sqlx(try_from = "String")]
    pub household: HouseholdId,
    /// The adult.
    #[sqlx(try_from = "String")]
    pub given_by: AccountId,
    /// Their name.
    pub name: String,
    /// Their address.
    #[sqlx(try_from = "String")]
    pub email: EmailAddress,
    /// To which text.
    pub text_version: i64,
    /// When.
    #[sqlx(try_from = "i64")]
    pub given_at_ms: UnixMillis,
    /// The mail that confirms it, where the server sends any.
    #[sqlx(try_from = "Option<String>")]
    pub mail: Nullable<MailId>,
    /// When it ended.
    pub withdrawn_at_ms: Option<i64>,
}

/// Adds a consent.
pub async fn insert(
    tx: &mut Tx,
    consent: &ConsentRow,
    secret_hash: [u8; 32],
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into consent (id, account, household, given_by, name, email, text_version, \
         given_at_ms, secret_hash, mail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(consent.id.to_string())
    .bind(consent.account.to_string())
    .bind(consent.household.to_string())
    .bind(consent.given_by.to_string())
    .bind(&consent.name)
    .bind(consent.email.as_str())
    .bind(consent.text_version)
    .bind(consent.given_at_ms.column())
    .bind(secret_hash.to_vec())
    .bind(consent.mail.0.map(|id| id.to_string()));
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The newest consent for a child in a household.
pub async fn newest(
    tx: &mut Tx,
    account: AccountId,
    household: HouseholdId,
) -> Result<Option<ConsentRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from consent where account = $1 and household = $2 \
         order by withdrawn_at_ms is null desc, given_at_ms desc limit 1",
    )
    .bind(account.to_string())
    .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// The consent whose link has this secret.
pub async fn by_secret(tx: &mut Tx, hash: [u8; 32]) -> Result<Option<ConsentRow>, StoreError> {
    let query = sqlx::query_as("select * from consent where secret_hash = $1").bind(hash.to_vec());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Ends whatever consent for a child still stands.
pub async fn end_all(tx: &mut Tx, account: AccountId, at: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update consent set withdrawn_at_ms = $2 where account = $1 and withdrawn_at_ms is null",
    )
    .bind(account.to_string())
    .bind(at.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
