//! What a person has set for themself: do not disturb, blocks, the top contact.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, ContactId, HouseholdId};
use homeline_protocol::session::{QuietWindow, TopContact, Weekday};

use crate::model::UnixMillis;
use crate::store::{Nullable, StoreError, Tx, on_tx};

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// The part of a person's row that they set for themself.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SettingsRow {
    /// Do not disturb on everything, without end time.
    pub quiet_everywhere: bool,
    /// The zone of the weekly windows; absent without a schedule.
    pub quiet_zone: Option<String>,
    /// Whom one press calls, if a contact.
    #[sqlx(try_from = "Option<String>")]
    pub top_contact: Nullable<ContactId>,
    /// Whom one press calls, if by handle.
    #[sqlx(try_from = "Option<String>")]
    pub top_handle: Nullable<Handle>,
}

#[derive(Debug, sqlx::FromRow)]
struct WindowRow {
    days: i64,
    from_minute: i64,
    to_minute: i64,
}

/// What a person has set for themself, but for the lists.
pub async fn settings(tx: &mut Tx, account: AccountId) -> Result<Option<SettingsRow>, StoreError> {
    let query = sqlx::query_as(
        "select quiet_everywhere, quiet_zone, top_contact, top_handle from account where id = $1",
    )
    .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// How a person stands to somebody who asks for them, and their do not disturb but for the lists.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StandingRow {
    blocks: i64,
    knows: i64,
    quiet_everywhere: Option<bool>,
    /// The zone of the weekly windows; absent without a schedule.
    pub quiet_zone: Option<String>,
}

impl StandingRow {
    /// Whether they have blocked the other.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.blocks > 0
    }

    /// Whether the other is in their household's address book.
    #[must_use]
    pub fn knows(&self) -> bool {
        self.knows > 0
    }

    /// Whether do not disturb is on everywhere.
    #[must_use]
    pub fn quiet_everywhere(&self) -> bool {
        self.quiet_everywhere.unwrap_or_default()
    }
}

/// How a person stands to somebody who asks for them: one question, since every call asks it.
pub async fn standing(
    tx: &mut Tx,
    (account, household): (AccountId, HouseholdId),
    asker: &Handle,
) -> Result<StandingRow, StoreError> {
    let query = sqlx::query_as(
        "select \
         (select count(*) from block where account = $1 and handle = $2) as blocks, \
         (select count(*) from contact where household = $3 and handle = $2) as knows, \
         (select quiet_everywhere from account where id = $1) as quiet_everywhere, \
         (select quiet_zone from account where id = $1) as quiet_zone",
    )
    .bind(account.to_string())
    .bind(asker.as_str())
    .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// Switches do not disturb on everything.
pub async fn set_quiet_everywhere(
    tx: &mut Tx,
    account: AccountId,
    on: bool,
) -> Result<(), StoreError> {
    let query = sqlx::query("update account set quiet_everywhere = $2 where id = $1")
        .bind(account.to_string())
        .bind(on);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Sets the zone of the weekly windows.
pub async fn set_quiet_zone(
    tx: &mut Tx,
    account: AccountId,
    zone: Option<&str>,
) -> Result<(), StoreError> {
    let query = sqlx::query("update account set quiet_zone = $2 where id = $1")
        .bind(account.to_string())
        .bind(zone.map(str::to_owned));
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The weekly windows.
pub async fn windows(tx: &mut Tx, account: AccountId) -> Result<Vec<QuietWindow>, StoreError> {
    let query = sqlx::query_as(
        "select days, from_minute, to_minute from quiet_window where account = $1 order by place",
    )
    .bind(account.to_string());
    let rows: Vec<WindowRow> = on_tx!(tx, connection => query.fetch_all(connection).await?);
    Ok(rows.into_iter().map(window).collect())
}

/// Replaces the weekly windows.
pub async fn set_windows(
    tx: &mut Tx,
    account: AccountId,
    windows: &[QuietWindow],
) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from quiet_window where account = $1").bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    for (place, window) in (0_i64..).zip(windows) {
        let bits = |day: &Weekday| {
            DAYS.iter()
                .position(|one| one == day)
                .map_or(0, |at| 1 << at)
        };
        let query = sqlx::query(
            "insert into quiet_window (account, place, days, from_minute, to_minute) \
             values ($1, $2, $3, $4, $5)",
        )
        .bind(account.to_string())
        .bind(place)
        .bind(window.days.iter().map(bits).sum::<i64>())
        .bind(i64::from(window.from_minute))
        .bind(i64::from(window.to_minute));
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// Whom a person has blocked, by handle.
pub async fn blocked(tx: &mut Tx, account: AccountId) -> Result<Vec<Handle>, StoreError> {
    let query = sqlx::query_scalar::<_, String>(
        "select handle from block where account = $1 order by handle",
    )
    .bind(account.to_string());
    let handles = on_tx!(tx, connection => query.fetch_all(connection).await?);
    Ok(handles
        .iter()
        .filter_map(|handle| handle.parse().ok())
        .collect())
}

/// Whether a person has blocked a handle.
pub async fn blocks(tx: &mut Tx, account: AccountId, handle: &Handle) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar::<_, i64>(
        "select count(*) from block where account = $1 and handle = $2",
    )
    .bind(account.to_string())
    .bind(handle.as_str());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?) > 0)
}

/// Blocks a handle.
pub async fn block(
    tx: &mut Tx,
    account: AccountId,
    handle: &Handle,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into block (account, handle, created_at_ms) values ($1, $2, $3) \
         on conflict do nothing",
    )
    .bind(account.to_string())
    .bind(handle.as_str())
    .bind(at.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Lets a handle through again.
pub async fn unblock(tx: &mut Tx, account: AccountId, handle: &Handle) -> Result<(), StoreError> {
    let query = sqlx::query("delete from block where account = $1 and handle = $2")
        .bind(account.to_string())
        .bind(handle.as_str());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Sets or clears whom one press calls.
pub async fn set_top_contact(
    tx: &mut Tx,
    account: AccountId,
    top: Option<&TopContact>,
) -> Result<(), StoreError> {
    let (contact, handle) = match top {
        None => (None, None),
        Some(TopContact::Contact { contact }) => (Some(contact.to_string()), None),
        Some(TopContact::Person { handle }) => (None, Some(handle.to_string())),
    };
    let query = sqlx::query("update account set top_contact = $2, top_handle = $3 where id = $1")
        .bind(account.to_string())
        .bind(contact)
        .bind(handle);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

fn window(row: WindowRow) -> QuietWindow {
    let minute = |column: i64| u16::try_from(column).unwrap_or(0);
    let on = |at: &usize| row.days & (1 << at) != 0;
    QuietWindow {
        days: (0..DAYS.len()).filter(on).map(|at| DAYS[at]).collect(),
        from_minute: minute(row.from_minute),
        to_minute: minute(row.to_minute),
    }
}
