//! The tables of imported address books: what accounts chose, imports, entries and their numbers.

use homeline_protocol::id::{AccountId, EntryId, ImportId};

use super::numbers::{self, NumberRow};
use super::{StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// What an account chose.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ChoiceRow {
    /// Whether importing is allowed; absent until chosen.
    pub import: Option<bool>,
    /// Absent: the server's default.
    pub region: Option<String>,
    /// Numbers that may still be looked up.
    pub lookups_left: i64,
    /// The day for which that is said, in days since 1970.
    pub lookups_day: i64,
}

/// An import.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RunRow {
    /// Its source.
    pub source: String,
    /// Its id.
    #[sqlx(try_from = "String")]
    pub id: ImportId,
    /// When it was finished.
    pub finished_at_ms: Option<i64>,
    /// Entries of the source when it was finished.
    pub entries: i64,
    /// Entries that went when it was finished.
    pub removed: i64,
}

/// An imported entry.
#[derive(Clone, sqlx::FromRow)]
pub struct EntryRow {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: EntryId,
    /// Where it came from.
    pub source: String,
    /// The name.
    pub name: String,
    /// Whether the person hid it.
    pub hidden: bool,
}

/// An entry that an unfinished import brings.
pub struct Staged<'a> {
    /// The id that it gets if it is new.
    pub id: EntryId,
    /// The source's own id.
    pub source_id: &'a str,
    /// The name.
    pub name: &'a str,
    /// The numbers.
    pub numbers: &'a [NumberRow],
}

/// What an account chose, if it ever did.
pub async fn choice(tx: &mut Tx, account: AccountId) -> Result<Option<ChoiceRow>, StoreError> {
    let query = sqlx::query_as(
        "select import, region, lookups_left, lookups_day from address_book where account = $1",
    )
    .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Keeps what an account chose.
pub async fn put_choice(
    tx: &mut Tx,
    account: AccountId,
    choice: &ChoiceRow,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into address_book (account, import, region, lookups_left, lookups_day) \
         values ($1, $2, $3, $4, $5) on conflict (account) do update set \
         import = excluded.import, region = excluded.region, \
         lookups_left = excluded.lookups_left, lookups_day = excluded.lookups_day",
    )
    .bind(account.to_string())
    .bind(choice.import)
    .bind(choice.region.clone())
    .bind(choice.lookups_left)
    .bind(choice.lookups_day);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// An account's import by its id.
pub async fn run(
    tx: &mut Tx,
    account: AccountId,
    id: ImportId,
) -> Result<Option<RunRow>, StoreError> {
    let query = sqlx::query_as("select * from import_run where account = $1 and id = $2")
        .bind(account.to_string())
        .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// The sources of which an account has imported.
pub async fn sources(tx: &mut Tx, account: AccountId) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query_scalar("select source from import_run where account = $1")
        .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Begins an import in place of the source's last one; what that had staged goes.
pub async fn begin(
    tx: &mut Tx,
    account: AccountId,
    source: &str,
    id: ImportId,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let older = sqlx::query("delete from import_run where account = $1 and source = $2")
        .bind(account.to_string())
        .bind(source.to_owned());
    on_tx!(&mut *tx, connection => older.execute(connection).await?);
    let query = sqlx::query(
        "insert into import_run (account, source, id, began_at_ms, entries, removed) \
         values ($1, $2, $3, $4, 0, 0)",
    )
    .bind(account.to_string())
    .bind(source.to_owned())
    .bind(id.to_string())
    .bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Stages an entry, in place of one with the same id of the source.
pub async fn stage(
    tx: &mut Tx,
    account: AccountId,
    source: &str,
    entry: Staged<'_>,
) -> Result<(), StoreError> {
    let older = sqlx::query(
        "delete from import_staged where account = $1 and source = $2 and source_id = $3",
    )
    .bind(account.to_string())
    .bind(source.to_owned())
    .bind(entry.source_id.to_owned());
    on_tx!(&mut *tx, connection => older.execute(connection).await?);
    let query = sqlx::query(
        "insert into import_staged (account, source, source_id, id, name) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(account.to_string())
    .bind(source.to_owned())
    .bind(entry.source_id.to_owned())
    .bind(entry.id.to_string())
    .bind(entry.name.to_owned());
    on_tx!(&mut *tx, connection => query.execute(connection).await?);
    for (place, number) in (0_i64..).zip(entry.numbers) {
        let query = sqlx::query(
            "insert into import_staged_number (entry, place, kind, text, e164) \
             values ($1, $2, $3, $4, $5)",
        )
        .bind(entry.id.to_string())
        .bind(place)
        .bind(numbers::kind_word(number.kind))
        .bind(number.text.0.clone())
        .bind(number.e164.as_ref().map(ToString::to_string));
        on_tx!(&mut *tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// How many entries an account has staged, over all sources.
pub async fn staged(tx: &mut Tx, account: AccountId) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("select count(*) from import_staged where account = $1")
        .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// How many entries an account has of other sources than this one.
pub async fn of_other_sources(
    tx: &mut Tx,
    account: AccountId,
    source: &str,
) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar(
        "select count(*) from imported_entry where account = $1 and source <> $2",
    )
    .bind(account.to_string())
    .bind(source.to_owned());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// How many entries an account has.
pub async fn count(tx: &mut Tx, account: AccountId) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("select count(*) from imported_entry where account = $1")
        .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// Puts what is staged in the place of what the source brought before, and notes that the import is
/// finished. Says how many entries the source has now, and how many went.
pub async fn finish(
    tx: &mut Tx,
    account: AccountId,
    run: &RunRow,
    now: UnixMillis,
) -> Result<(i64, i64), StoreError> {
    let removed = execute(
        tx,
        "delete from imported_entry where account = $1 and source = $2 and source_id not in \
         (select source_id from import_staged where account = $1 and source = $2)",
        (account, &run.source),
    )
    .await?;
    execute(
        tx,
        "insert into imported_entry (id, account, source, source_id, name, hidden) \
         select id, account, source, source_id, name, false from import_staged \
         where account = $1 and source = $2 \
         on conflict (account, source, source_id) do update set name = excluded.name",
        (account, &run.source),
    )
    .await?;
    execute(
        tx,
        "delete from imported_number where entry in \
         (select id from imported_entry where account = $1 and source = $2)",
        (account, &run.source),
    )
    .await?;
    execute(
        tx,
        "insert into imported_number (entry, place, kind, text, e164) \
         select kept.id, number.place, number.kind, number.text, number.e164 \
         from import_staged staged \
         join import_staged_number number on number.entry = staged.id \
         join imported_entry kept on kept.account = staged.account \
         and kept.source = staged.source and kept.source_id = staged.source_id \
         where staged.account = $1 and staged.source = $2",
        (account, &run.source),
    )
    .await?;
    let entries = execute(
        tx,
        "delete from import_staged where account = $1 and source = $2",
        (account, &run.source),
    )
    .await?;
    let query = sqlx::query(
        "update import_run set finished_at_ms = $3, entries = $4, removed = $5 \
         where account = $1 and id = $2",
    )
    .bind(account.to_string())
    .bind(run.id.to_string())
    .bind(now.column())
    .bind(entries)
    .bind(removed);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok((entries, removed))
}

/// Runs a statement about one source of an account; says how many rows it changed.
async fn execute(
    tx: &mut Tx,
    sql: &'static str,
    (account, source): (AccountId, &str),
) -> Result<i64, StoreError> {
    let query = sqlx::query(sql)
        .bind(account.to_string())
        .bind(source.to_owned());
    let done = on_tx!(tx, connection => query.execute(connection).await?.rows_affected());
    Ok(i64::try_from(done).unwrap_or(i64::MAX))
}

/// An account's entries after one of them, by id.
pub async fn page(
    tx: &mut Tx,
    account: AccountId,
    after: Option<EntryId>,
    limit: i64,
) -> Result<Vec<EntryRow>, StoreError> {
    let query = sqlx::query_as(
        "select id, source, name, hidden from imported_entry \
         where account = $1 and id > $2 order by id limit $3",
    )
    .bind(account.to_string())
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit);
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// An account's entries that are not hidden.
pub async fn shown(tx: &mut Tx, account: AccountId) -> Result<Vec<EntryRow>, StoreError> {
    let query = sqlx::query_as(
        "select id, source, name, hidden from imported_entry \
         where account = $1 and not hidden order by id",
    )
    .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Hides an entry or shows it again; false if the account has none such.
pub async fn hide(
    tx: &mut Tx,
    account: AccountId,
    entry: EntryId,
    hidden: bool,
) -> Result<bool, StoreError> {
    let query = sqlx::query("update imported_entry set hidden = $3 where account = $1 and id = $2")
        .bind(account.to_string())
        .bind(entry.to_string())
        .bind(hidden);
    let done = on_tx!(tx, connection => query.execute(connection).await?.rows_affected());
    Ok(done > 0)
}

/// Forgets all that an account imported, and what it was about to.
pub async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    for sql in [
        "delete from imported_entry where account = $1",
        "delete from import_run where account = $1",
    ] {
        let query = sqlx::query(sql).bind(account.to_string());
        on_tx!(&mut *tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// Forgets what imports staged that began before a moment and were never finished.
pub async fn delete_unfinished(tx: &mut Tx, before: UnixMillis) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from import_run where finished_at_ms is null and began_at_ms < $1")
            .bind(before.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
