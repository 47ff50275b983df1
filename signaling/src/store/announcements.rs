//! The tables of announcements, and the column of sealing keys.

use homeline_protocol::id::{AnnouncementId, DeviceId, HouseholdId};
use homeline_protocol::session::{AnnouncementFate, AnnouncementHeard};

use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// An announcement's row, without its content.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AnnouncementRow {
    /// The id, unique in its household.
    #[sqlx(try_from = "String")]
    pub id: AnnouncementId,
    /// The announcing device.
    #[sqlx(try_from = "String")]
    pub device: DeviceId,
    /// What it signed.
    pub statement: Vec<u8>,
    /// When all begin.
    #[sqlx(try_from = "i64")]
    pub begin_at_ms: UnixMillis,
    /// When it is deleted.
    #[sqlx(try_from = "i64")]
    pub expires_at_ms: UnixMillis,
}

/// A device that an announcement is for.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct ReceiverRow {
    /// Which.
    #[sqlx(try_from = "String")]
    pub device: DeviceId,
    /// What became of it there.
    #[sqlx(try_from = "String")]
    pub fate: FateColumn,
}

/// An announcement as one of its devices finds it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct WaitingRow {
    /// The announcement.
    #[sqlx(flatten)]
    pub announcement: AnnouncementRow,
    /// What became of it there.
    #[sqlx(try_from = "String")]
    pub fate: FateColumn,
}

/// A device and what it signed about its sealing key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealingKeyRow {
    /// Whose.
    #[sqlx(try_from = "String")]
    pub id: DeviceId,
    /// The statement.
    pub sealing_key: Vec<u8>,
}

/// A fate as its column says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FateColumn(pub AnnouncementFate);

impl FateColumn {
    fn text(self) -> &'static str {
        match self.0 {
            AnnouncementFate::Told => "told",
            AnnouncementFate::Away => "away",
            AnnouncementFate::Quiet => "quiet",
            AnnouncementFate::Busy => "busy",
        }
    }
}

impl TryFrom<String> for FateColumn {
    type Error = String;
    fn try_from(column: String) -> Result<Self, String> {
        match column.as_str() {
            "told" => Ok(Self(AnnouncementFate::Told)),
            "away" => Ok(Self(AnnouncementFate::Away)),
            "quiet" => Ok(Self(AnnouncementFate::Quiet)),
            "busy" => Ok(Self(AnnouncementFate::Busy)),
            _ => Err(format!("unknown fate {column:?}")),
        }
    }
}

fn heard_text(heard: AnnouncementHeard) -> &'static str {
    match heard {
        AnnouncementHeard::Played => "played",
        AnnouncementHeard::Shown => "shown",
        AnnouncementHeard::PutAside => "put_aside",
    }
}

/// Notes a device's sealing key.
pub async fn put_key(tx: &mut Tx, device: DeviceId, statement: &[u8]) -> Result<(), StoreError> {
    let query = sqlx::query("update device set sealing_key = $2 where id = $1")
        .bind(device.to_string())
        .bind(statement.to_vec());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The sealing keys of a household's home devices, in the order in which they came.
pub async fn keys(tx: &mut Tx, household: HouseholdId) -> Result<Vec<SealingKeyRow>, StoreError> {
    let query = sqlx::query_as(
        "select id, sealing_key from device where household = $1 and kind = 'home_device' \
         and sealing_key is not null and removed_at_ms is null order by created_at_ms, id",
    )
    .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Adds an announcement with the devices that it is for.
pub async fn insert(
    tx: &mut Tx,
    household: HouseholdId,
    row: &AnnouncementRow,
    content: &[u8],
    receivers: &[ReceiverRow],
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into announcement \
         (household, id, device, statement, content, begin_at_ms, expires_at_ms) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(household.to_string())
    .bind(row.id.to_string())
    .bind(row.device.to_string())
    .bind(row.statement.clone())
    .bind(content.to_vec())
    .bind(row.begin_at_ms.column())
    .bind(row.expires_at_ms.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    for receiver in receivers {
        let query = sqlx::query(
            "insert into announcement_receiver (household, announcement, device, fate) \
             values ($1, $2, $3, $4)",
        )
        .bind(household.to_string())
        .bind(row.id.to_string())
        .bind(receiver.device.to_string())
        .bind(receiver.fate.text());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// One announcement of a household, fresh or not.
pub async fn find(
    tx: &mut Tx,
    household: HouseholdId,
    id: AnnouncementId,
) -> Result<Option<AnnouncementRow>, StoreError> {
    let query = sqlx::query_as(
        "select id, device, statement, begin_at_ms, expires_at_ms from announcement \
         where household = $1 and id = $2",
    )
    .bind(household.to_string())
    .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// How many a household has.
pub async fn count(tx: &mut Tx, household: HouseholdId) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("select count(*) from announcement where household = $1")
        .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// The devices that one is for.
pub async fn receivers(
    tx: &mut Tx,
    household: HouseholdId,
    id: AnnouncementId,
) -> Result<Vec<ReceiverRow>, StoreError> {
    let query = sqlx::query_as(
        "select device, fate from announcement_receiver \
         where household = $1 and announcement = $2 order by device",
    )
    .bind(household.to_string())
    .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// What waits for a device of a household: fresh, and not yet heard there.
pub async fn waiting(
    tx: &mut Tx,
    (household, device): (HouseholdId, DeviceId),
    now: UnixMillis,
) -> Result<Vec<WaitingRow>, StoreError> {
    let query = sqlx::query_as(
        "select announcement.id, announcement.device, statement, begin_at_ms, expires_at_ms, fate \
         from announcement join announcement_receiver as receiver \
         on receiver.household = announcement.household and receiver.announcement = announcement.id \
         where announcement.household = $1 and receiver.device = $2 and receiver.heard is null \
         and expires_at_ms > $3 order by begin_at_ms, announcement.id",
    )
    .bind(household.to_string())
    .bind(device.to_string())
    .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// The content of one, for a device that it is for.
pub async fn content(
    tx: &mut Tx,
    (household, device): (HouseholdId, DeviceId),
    id: AnnouncementId,
    now: UnixMillis,
) -> Result<Option<Vec<u8>>, StoreError> {
    let query = sqlx::query_scalar(
        "select content from announcement join announcement_receiver as receiver \
         on receiver.household = announcement.household and receiver.announcement = announcement.id \
         where announcement.household = $1 and announcement.id = $2 and receiver.device = $3 \
         and expires_at_ms > $4",
    )
    .bind(household.to_string())
    .bind(id.to_string())
    .bind(device.to_string())
    .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Notes what a device made of one; false when it had said so before, or it is not for it.
pub async fn set_heard(
    tx: &mut Tx,
    (household, device): (HouseholdId, DeviceId),
    id: AnnouncementId,
    heard: AnnouncementHeard,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "update announcement_receiver set heard = $4 \
         where household = $1 and announcement = $2 and device = $3 and heard is null",
    )
    .bind(household.to_string())
    .bind(id.to_string())
    .bind(device.to_string())
    .bind(heard_text(heard));
    let changed = on_tx!(tx, connection => query.execute(connection).await?.rows_affected());
    Ok(changed > 0)
}

/// Deletes what is not fresh any more, with all that was said about it.
pub async fn delete_expired(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from announcement where expires_at_ms <= $1").bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
