//! The table of mail that waits.

use homeline_protocol::EmailAddress;
use homeline_protocol::id::{HouseholdId, MailId};

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// Given-up mails that are remembered; older ones are forgotten.
const GIVEN_UP_MAX: i64 = 1_000;

/// A mail that waits. No `Debug`: it is personal.
#[derive(Clone, sqlx::FromRow)]
pub struct MailRow {
    /// The mail.
    #[sqlx(try_from = "String")]
    pub id: MailId,
    /// Whose.
    #[sqlx(try_from = "String")]
    pub household: HouseholdId,
    /// To whom.
    #[sqlx(try_from = "String")]
    pub recipient: EmailAddress,
    /// What about.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When it was promised.
    #[sqlx(try_from = "i64")]
    pub created_at_ms: UnixMillis,
    /// How often it was tried.
    pub tries: i64,
}

/// Adds a mail, to be tried at once.
pub async fn insert(tx: &mut Tx, mail: &MailRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into mail \
         (id, household, recipient, subject, body, created_at_ms, tries, next_try_at_ms) \
         values ($1, $2, $3, $4, $5, $6, $7, $6)",
    )
    .bind(mail.id.to_string())
    .bind(mail.household.to_string())
    .bind(mail.recipient.as_str())
    .bind(&mail.subject)
    .bind(&mail.body)
    .bind(mail.created_at_ms.column())
    .bind(mail.tries);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// How many wait.
pub async fn waiting(tx: &mut Tx) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("select count(*) from mail where next_try_at_ms is not null");
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// The mail that is due first, if one is due by now.
pub async fn due(tx: &mut Tx, now: UnixMillis) -> Result<Option<MailRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from mail where next_try_at_ms <= $1 order by next_try_at_ms, id limit 1",
    )
    .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// When the next one is due.
pub async fn next_due(tx: &mut Tx) -> Result<Option<UnixMillis>, StoreError> {
    let query = sqlx::query_scalar::<_, Option<i64>>("select min(next_try_at_ms) from mail");
    let next = on_tx!(tx, connection => query.fetch_one(connection).await?);
    Ok(next.map(UnixMillis::from))
}

/// Takes a mail out: it was sent.
pub async fn delete(tx: &mut Tx, id: MailId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from mail where id = $1").bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Puts a mail off.
pub async fn put_off(
    tx: &mut Tx,
    id: MailId,
    tries: i64,
    until: UnixMillis,
) -> Result<(), StoreError> {
    let query = sqlx::query("update mail set tries = $2, next_try_at_ms = $3 where id = $1")
        .bind(id.to_string())
        .bind(tries)
        .bind(until.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Gives a mail up, and forgets what it said and to whom.
pub async fn give_up(tx: &mut Tx, id: MailId) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update mail set recipient = '', subject = '', body = '', next_try_at_ms = null \
         where id = $1",
    )
    .bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    let query = sqlx::query(
        "delete from mail where next_try_at_ms is null and id not in (select id from mail \
         where next_try_at_ms is null order by created_at_ms desc, id limit $1)",
    )
    .bind(GIVEN_UP_MAX);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Whether a mail waits (true) or was given up (false); nothing when it was sent.
pub async fn is_waiting(tx: &mut Tx, id: MailId) -> Result<Option<bool>, StoreError> {
    let query =
        sqlx::query_scalar::<_, Option<i64>>("select next_try_at_ms from mail where id = $1")
            .bind(id.to_string());
    let next = on_tx!(tx, connection => query.fetch_optional(connection).await?);
    Ok(next.map(|next| next.is_some()))
}
