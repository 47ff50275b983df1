//! The table of people who were added to a running call, and the mark of missed calls.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, CallId};

use super::calls::PastCallRow;
use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// Somebody who was added to a running call.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CallMemberRow {
    /// The call.
    #[sqlx(try_from = "String")]
    pub call: CallId,
    /// Who.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// Who added them.
    #[sqlx(try_from = "String")]
    pub inviter_handle: Handle,
    /// The inviter's name then.
    pub inviter_name: String,
    /// When it began to ring.
    #[sqlx(try_from = "i64")]
    pub added_at_ms: UnixMillis,
    /// When they answered.
    pub answered_at_ms: Option<i64>,
}

/// Writes down that somebody is being added. Somebody who is added again begins anew.
pub async fn add(tx: &mut Tx, member: &CallMemberRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into call_member (call, account, inviter_handle, inviter_name, added_at_ms) \
         select id, $2, $3, $4, $5 from running_call where id = $1 \
         on conflict (call, account) do update set inviter_handle = excluded.inviter_handle, \
         inviter_name = excluded.inviter_name, added_at_ms = excluded.added_at_ms, \
         answered_at_ms = null",
    )
    .bind(member.call.to_string())
    .bind(member.account.to_string())
    .bind(member.inviter_handle.as_str())
    .bind(&member.inviter_name)
    .bind(member.added_at_ms.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Writes down that somebody who was added has answered.
pub async fn answer(
    tx: &mut Tx,
    call: CallId,
    account: AccountId,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let query =
        sqlx::query("update call_member set answered_at_ms = $3 where call = $1 and account = $2")
            .bind(call.to_string())
            .bind(account.to_string())
            .bind(at.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Everybody who was added to a call and has a part in it still.
pub async fn of_call(tx: &mut Tx, call: CallId) -> Result<Vec<CallMemberRow>, StoreError> {
    let query = sqlx::query_as("select * from call_member where call = $1 order by added_at_ms")
        .bind(call.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Takes somebody out.
pub async fn remove(tx: &mut Tx, call: CallId, account: AccountId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from call_member where call = $1 and account = $2")
        .bind(call.to_string())
        .bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// A person's missed calls that nobody has seen, newest first.
pub async fn unseen(
    tx: &mut Tx,
    account: AccountId,
    limit: u16,
) -> Result<Vec<PastCallRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from past_call where account = $1 and seen = $2 \
         order by started_at_ms desc, id limit $3",
    )
    .bind(account.to_string())
    .bind(false)
    .bind(i64::from(limit));
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// A person has seen their missed calls that began until a time.
pub async fn mark_seen(
    tx: &mut Tx,
    account: AccountId,
    until: UnixMillis,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update past_call set seen = $3 where account = $1 and started_at_ms <= $2 and seen = $4",
    )
    .bind(account.to_string())
    .bind(until.column())
    .bind(true)
    .bind(false);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets a person's record of a call, because a later one of the same call replaces it.
pub async fn forget_past(tx: &mut Tx, call: CallId, account: AccountId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from past_call where id = $1 and account = $2")
        .bind(call.to_string())
        .bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
