//! The tables of running and past calls.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::EndReason;

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A running call's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RunningCallRow {
    /// The call.
    #[sqlx(try_from = "String")]
    pub id: CallId,
    /// Who called.
    #[sqlx(try_from = "String")]
    pub caller: AccountId,
    /// With which device.
    #[sqlx(try_from = "String")]
    pub caller_device: DeviceId,
    /// Who was called, if anybody.
    #[sqlx(try_from = "Option<String>")]
    pub callee: Nullable<AccountId>,
    /// The handle called.
    #[sqlx(try_from = "String")]
    pub callee_handle: Handle,
    /// What a guest who was called said as their name.
    pub callee_name: Option<String>,
    /// With picture.
    pub video: bool,
    /// When it began.
    #[sqlx(try_from = "i64")]
    pub started_at_ms: UnixMillis,
    /// When it was answered.
    pub answered_at_ms: Option<i64>,
}

/// A past call's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PastCallRow {
    /// Whose history it is in.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// The call.
    #[sqlx(try_from = "String")]
    pub id: CallId,
    /// Whether this person called.
    pub outgoing: bool,
    /// The other side.
    #[sqlx(try_from = "String")]
    pub party_handle: Handle,
    /// Its name then.
    pub party_name: String,
    /// With picture.
    pub video: bool,
    /// When it began.
    #[sqlx(try_from = "i64")]
    pub started_at_ms: UnixMillis,
    /// When it was answered.
    pub answered_at_ms: Option<i64>,
    /// When it ended.
    #[sqlx(try_from = "i64")]
    pub ended_at_ms: UnixMillis,
    /// Why.
    #[sqlx(try_from = "String")]
    pub reason: ReasonColumn,
    /// False for a missed call that nobody has seen.
    pub seen: bool,
}

/// A reason as its column says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonColumn(pub EndReason);

impl ReasonColumn {
    const ALL: [(EndReason, &'static str); 13] = [
        (EndReason::HungUp, "hung_up"),
        (EndReason::Declined, "declined"),
        (EndReason::Cancelled, "cancelled"),
        (EndReason::NoAnswer, "no_answer"),
        (EndReason::AnsweredElsewhere, "answered_elsewhere"),
        (EndReason::Busy, "busy"),
        (EndReason::Unreachable, "unreachable"),
        (EndReason::DeviceLost, "device_lost"),
        (EndReason::DeviceRevoked, "device_revoked"),
        (EndReason::ServerRestarted, "server_restarted"),
        (EndReason::EncryptionRefused, "encryption_refused"),
        (EndReason::MediaFailed, "media_failed"),
        (EndReason::Moved, "moved"),
    ];

    /// As the column says it.
    #[must_use]
    pub fn text(self) -> &'static str {
        let found = Self::ALL.iter().find(|(reason, _)| *reason == self.0);
        found.map_or("hung_up", |(_, text)| text)
    }
}

impl TryFrom<String> for ReasonColumn {
    type Error = String;
    fn try_from(column: String) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, text)| *text == column);
        found
            .map(|(reason, _)| Self(*reason))
            .ok_or(format!("unknown reason {column:?}"))
    }
}

/// Writes down a call that begins; false when its id was used before.
pub async fn begin(tx: &mut Tx, call: &RunningCallRow) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "insert into running_call \
         (id, caller, caller_device, callee, callee_handle, callee_name, video, started_at_ms) \
         select $1, $2, $3, $4, $5, $6, $7, $8 \
         where not exists (select 1 from past_call where id = $1) \
         on conflict do nothing",
    )
    .bind(call.id.to_string())
    .bind(call.caller.to_string())
    .bind(call.caller_device.to_string())
    .bind(call.callee.0.map(|id| id.to_string()))
    .bind(call.callee_handle.as_str())
    .bind(&call.callee_name)
    .bind(call.video)
    .bind(call.started_at_ms.column());
    let done = on_tx!(tx, connection => query.execute(connection).await?);
    Ok(done.rows_affected() > 0)
}

/// Writes down that a call was answered.
pub async fn answer(
    tx: &mut Tx,
    id: CallId,
    device: DeviceId,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update running_call set answered_at_ms = $2, answered_device = $3, \
         callee = coalesce(callee, (select account from device where id = $3)) where id = $1",
    )
    .bind(id.to_string())
    .bind(at.column())
    .bind(device.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// A running call.
pub async fn find_running(tx: &mut Tx, id: CallId) -> Result<Option<RunningCallRow>, StoreError> {
    let query = sqlx::query_as("select * from running_call where id = $1").bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// All running calls, as they stand at a start.
pub async fn all_running(tx: &mut Tx) -> Result<Vec<RunningCallRow>, StoreError> {
    let query = sqlx::query_as("select * from running_call order by started_at_ms");
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Takes a running call out.
pub async fn remove_running(tx: &mut Tx, id: CallId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from running_call where id = $1").bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Adds a past call to a person's history.
pub async fn insert_past(tx: &mut Tx, call: &PastCallRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into past_call (account, id, outgoing, party_handle, party_name, video, \
         started_at_ms, answered_at_ms, ended_at_ms, reason, seen) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
    )
    .bind(call.account.to_string())
    .bind(call.id.to_string())
    .bind(call.outgoing)
    .bind(call.party_handle.as_str())
    .bind(&call.party_name)
    .bind(call.video)
    .bind(call.started_at_ms.column())
    .bind(call.answered_at_ms)
    .bind(call.ended_at_ms.column())
    .bind(call.reason.text())
    .bind(call.seen);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets what is older than a person's `keep` newest calls.
pub async fn forget_oldest(tx: &mut Tx, account: AccountId, keep: u32) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from past_call where account = $1 and started_at_ms < (select started_at_ms \
         from past_call where account = $1 order by started_at_ms desc limit 1 offset $2)",
    )
    .bind(account.to_string())
    .bind(i64::from(keep.max(1)) - 1);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// A person's past calls that began before a time, newest first.
pub async fn past_of(
    tx: &mut Tx,
    account: AccountId,
    before: UnixMillis,
    limit: u16,
) -> Result<Vec<PastCallRow>, StoreError> {
    let query = sqlx::query_as(
        "select * from past_call where account = $1 and started_at_ms < $2 \
         order by started_at_ms desc, id limit $3",
    )
    .bind(account.to_string())
    .bind(before.column())
    .bind(i64::from(limit));
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}
