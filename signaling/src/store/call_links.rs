//! The table of call links.

use homeline_protocol::id::{AccountId, CallLinkId};

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A call link.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CallLinkRow {
    /// The id in the link.
    #[sqlx(try_from = "String")]
    pub id: CallLinkId,
    /// Whose it is.
    #[sqlx(try_from = "String")]
    pub maker: AccountId,
    /// What its maker calls it.
    pub label: String,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub made_at_ms: UnixMillis,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// Keeps a new link.
pub async fn insert(tx: &mut Tx, link: &CallLinkRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into call_link (id, maker, label, made_at_ms, expires_at_ms) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(link.id.to_string())
    .bind(link.maker.to_string())
    .bind(&link.label)
    .bind(link.made_at_ms.column())
    .bind(link.expires_at_ms.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// A link, ended or not.
pub async fn find(tx: &mut Tx, id: CallLinkId) -> Result<Option<CallLinkRow>, StoreError> {
    let query = sqlx::query_as("select * from call_link where id = $1").bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// A person's links, the newest first, ended ones too until they are swept up.
pub async fn of_maker(tx: &mut Tx, maker: AccountId) -> Result<Vec<CallLinkRow>, StoreError> {
    let query =
        sqlx::query_as("select * from call_link where maker = $1 order by made_at_ms desc, id")
            .bind(maker.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Those that have ended.
pub async fn expired(tx: &mut Tx, now: UnixMillis) -> Result<Vec<CallLinkRow>, StoreError> {
    let query = sqlx::query_as("select * from call_link where expires_at_ms <= $1 order by id")
        .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Takes a link out.
pub async fn delete(tx: &mut Tx, id: CallLinkId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from call_link where id = $1").bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
