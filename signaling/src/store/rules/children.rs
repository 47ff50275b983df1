//! What the adults let children do.

use homeline_protocol::id::{AccountId, ContactId};

use crate::model::UnixMillis;
use crate::store::{Nullable, StoreError, Tx, on_tx};

/// A child's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ChildRow {
    /// Who.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// May call and be called.
    pub calling: bool,
    /// May write and be written to.
    pub messaging: bool,
    /// May drop in.
    pub drop_in: bool,
    /// Which adult consented, if one has.
    #[sqlx(try_from = "Option<String>")]
    pub consent_by: Nullable<AccountId>,
    /// When.
    pub consent_at_ms: Option<i64>,
}

/// A child's row.
pub async fn find(tx: &mut Tx, account: AccountId) -> Result<Option<ChildRow>, StoreError> {
    let query = sqlx::query_as("select * from child where account = $1").bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Adds or replaces a child's row, without the contacts.
pub async fn put(tx: &mut Tx, child: &ChildRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into child (account, calling, messaging, drop_in, consent_by, consent_at_ms) \
         values ($1, $2, $3, $4, $5, $6) on conflict (account) do update set \
         calling = excluded.calling, messaging = excluded.messaging, \
         drop_in = excluded.drop_in, consent_by = excluded.consent_by, \
         consent_at_ms = excluded.consent_at_ms",
    )
    .bind(child.account.to_string())
    .bind(child.calling)
    .bind(child.messaging)
    .bind(child.drop_in)
    .bind(child.consent_by.0.map(|id| id.to_string()))
    .bind(child.consent_at_ms);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets what a child may: it is none any more.
pub async fn delete(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    for table in [
        "delete from child where account = $1",
        "delete from child_contact where account = $1",
    ] {
        let query = sqlx::query(table).bind(account.to_string());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// The children for whom a contact is chosen.
pub async fn who_chose(tx: &mut Tx, contact: ContactId) -> Result<Vec<AccountId>, StoreError> {
    let query = sqlx::query_scalar::<_, String>(
        "select account from child_contact where contact = $1 order by account",
    )
    .bind(contact.to_string());
    let ids = on_tx!(tx, connection => query.fetch_all(connection).await?);
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

impl ChildRow {
    /// What holds for a child about whom the adults have said nothing yet.
    #[must_use]
    pub fn unasked(account: AccountId) -> Self {
        Self {
            account,
            calling: true,
            messaging: true,
            drop_in: false,
            consent_by: Nullable(None),
            consent_at_ms: None,
        }
    }

    /// Notes who consented and when, or that nobody does any more.
    pub fn set_consent(&mut self, given: Option<(AccountId, UnixMillis)>) {
        self.consent_by = Nullable(given.map(|(by, _)| by));
        self.consent_at_ms = given.map(|(_, at)| at.column());
    }
}
