//! The tables of phone numbers: of imported entries and contacts, verified ones, and which of them
//! an account may see matched.

use homeline_protocol::id::{AccountId, ContactId, EntryId, HouseholdId};
use homeline_protocol::session::NumberKind;
use homeline_protocol::{E164, Handle, PhoneText};

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A number to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRow {
    /// Its sort.
    pub kind: NumberKind,
    /// As it was written.
    pub text: PhoneText,
    /// What can be dialled.
    pub e164: Option<E164>,
}

/// A number of an imported entry.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EntryNumberRow {
    /// Whose.
    #[sqlx(try_from = "String")]
    pub entry: EntryId,
    /// Its sort.
    #[sqlx(try_from = "String")]
    pub kind: KindColumn,
    /// As it was written.
    #[sqlx(try_from = "String")]
    pub text: TextColumn,
    /// What can be dialled.
    #[sqlx(try_from = "Option<String>")]
    pub e164: Nullable<E164>,
    /// Who is registered with it, may be found by it, and may be seen by this account.
    #[sqlx(try_from = "Option<String>")]
    pub registered: Nullable<Handle>,
}

/// A number of a contact.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ContactNumberRow {
    /// Whose.
    #[sqlx(try_from = "String")]
    pub contact: ContactId,
    /// Its sort.
    #[sqlx(try_from = "String")]
    pub kind: KindColumn,
    /// As it was written.
    #[sqlx(try_from = "String")]
    pub text: TextColumn,
    /// What can be dialled.
    #[sqlx(try_from = "Option<String>")]
    pub e164: Nullable<E164>,
    /// Who is registered with it and may be found by it, if whoever typed it may look it up.
    #[sqlx(try_from = "Option<String>")]
    pub registered: Nullable<Handle>,
}

/// A sort of number as a column holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindColumn(pub NumberKind);

/// What it was called that is no sort.
#[derive(Debug, thiserror::Error)]
#[error("no sort of number")]
pub struct UnknownKind;

impl TryFrom<String> for KindColumn {
    type Error = UnknownKind;
    fn try_from(word: String) -> Result<Self, UnknownKind> {
        let kinds = [
            NumberKind::Mobile,
            NumberKind::Home,
            NumberKind::Work,
            NumberKind::Other,
        ];
        let kind = kinds.into_iter().find(|kind| kind_word(*kind) == word);
        kind.map(Self).ok_or(UnknownKind)
    }
}

/// A number's text as a column holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextColumn(pub PhoneText);

impl From<String> for TextColumn {
    fn from(text: String) -> Self {
        Self(PhoneText(text))
    }
}

/// A verified number.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct VerifiedRow {
    /// The number.
    #[sqlx(try_from = "String")]
    pub e164: E164,
    /// Whose it is.
    #[sqlx(try_from = "String")]
    pub account: AccountId,
    /// Whether those who hold it may find the account.
    pub discoverable: bool,
}

/// How a column holds a sort of number.
#[must_use]
pub fn kind_word(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Mobile => "mobile",
        NumberKind::Home => "home",
        NumberKind::Work => "work",
        NumberKind::Other => "other",
    }
}

/// The numbers of those entries of an account that lie between two, inclusive, in order. Who is
/// registered is looked up here alone, and only for numbers that the account may look up: an unknown
/// number, one whose owner does not want to be found, and a child's come out alike.
pub async fn of_entries(
    tx: &mut Tx,
    account: AccountId,
    (first, last): (EntryId, EntryId),
) -> Result<Vec<EntryNumberRow>, StoreError> {
    let query = sqlx::query_as(
        "select number.entry, number.kind, number.text, number.e164, owner.handle as registered \
         from imported_number number \
         join imported_entry entry on entry.id = number.entry \
         left join number_lookup lookup \
         on lookup.account = entry.account and lookup.e164 = number.e164 \
         left join verified_number verified on verified.e164 = lookup.e164 \
         and verified.discoverable and verified.account <> entry.account \
         left join account owner on owner.id = verified.account and owner.role <> 'child' \
         where entry.account = $1 and entry.id >= $2 and entry.id <= $3 \
         order by number.entry, number.place",
    )
    .bind(account.to_string())
    .bind(first.to_string())
    .bind(last.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// The numbers of a household's contacts after one of them, in order.
pub async fn of_contacts(
    tx: &mut Tx,
    household: HouseholdId,
    after: Option<ContactId>,
    limit: i64,
) -> Result<Vec<ContactNumberRow>, StoreError> {
    let query = sqlx::query_as(
        "select contact, kind, text, e164, registered from typed_number \
         where household = $1 and contact > $2 order by contact, place limit $3",
    )
    .bind(household.to_string())
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit);
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// The numbers of one contact, in order.
pub async fn of_contact(
    tx: &mut Tx,
    household: HouseholdId,
    contact: ContactId,
) -> Result<Vec<ContactNumberRow>, StoreError> {
    let query = sqlx::query_as(
        "select contact, kind, text, e164, registered from typed_number \
         where household = $1 and contact = $2 order by place",
    )
    .bind(household.to_string())
    .bind(contact.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// Replaces the numbers of a contact. They are looked up from the budget of whoever typed them.
pub async fn put_contact(
    tx: &mut Tx,
    household: HouseholdId,
    (contact, typed_by): (ContactId, AccountId),
    numbers: &[NumberRow],
) -> Result<(), StoreError> {
    let older = sqlx::query("delete from contact_number where household = $1 and contact = $2")
        .bind(household.to_string())
        .bind(contact.to_string());
    on_tx!(&mut *tx, connection => older.execute(connection).await?);
    for (place, number) in (0_i64..).zip(numbers) {
        let query = sqlx::query(
            "insert into contact_number (household, contact, place, kind, text, e164, typed_by) \
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(household.to_string())
        .bind(contact.to_string())
        .bind(place)
        .bind(kind_word(number.kind))
        .bind(number.text.0.clone())
        .bind(number.e164.as_ref().map(ToString::to_string))
        .bind(typed_by.to_string());
        on_tx!(&mut *tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// Lets an account look up so many of the numbers it holds and could not look up so far; says how
/// many there were.
pub async fn allow_lookups(tx: &mut Tx, account: AccountId, most: i64) -> Result<i64, StoreError> {
    let query = sqlx::query(
        "insert into number_lookup (account, e164) \
         select distinct held.account, held.e164 from held_number held \
         where held.account = $1 and not exists \
         (select 1 from number_lookup known \
         where known.account = $1 and known.e164 = held.e164) \
         order by held.e164 limit $2",
    )
    .bind(account.to_string())
    .bind(most);
    let done = on_tx!(tx, connection => query.execute(connection).await?.rows_affected());
    Ok(i64::try_from(done).unwrap_or(i64::MAX))
}

/// Whether an account holds numbers that it may not look up yet.
pub async fn waits_for_lookups(tx: &mut Tx, account: AccountId) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar(
        "select count(*) from (select 1 from held_number held \
         where held.account = $1 and not exists \
         (select 1 from number_lookup known \
         where known.account = $1 and known.e164 = held.e164) limit 1) waiting",
    )
    .bind(account.to_string());
    let waiting: i64 = on_tx!(tx, connection => query.fetch_one(connection).await?);
    Ok(waiting > 0)
}

/// Forgets lookups of numbers that the account holds no more.
pub async fn forget_lookups(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from number_lookup where account = $1 and e164 not in \
         (select held.e164 from held_number held where held.account = $1)",
    )
    .bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// An account's verified number.
pub async fn verified(tx: &mut Tx, account: AccountId) -> Result<Option<VerifiedRow>, StoreError> {
    let query = sqlx::query_as(
        "select e164, account, discoverable from verified_number where account = $1",
    )
    .bind(account.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Whose a verified number is.
pub async fn owner(tx: &mut Tx, number: &E164) -> Result<Option<VerifiedRow>, StoreError> {
    let query =
        sqlx::query_as("select e164, account, discoverable from verified_number where e164 = $1")
            .bind(number.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// Gives a number to an account: whoever had it has it no more, nor the account another one.
pub async fn give(
    tx: &mut Tx,
    account: AccountId,
    number: &E164,
    discoverable: bool,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let older = sqlx::query("delete from verified_number where e164 = $1 or account = $2")
        .bind(number.to_string())
        .bind(account.to_string());
    on_tx!(&mut *tx, connection => older.execute(connection).await?);
    let query = sqlx::query(
        "insert into verified_number (e164, account, discoverable, verified_at_ms) \
         values ($1, $2, $3, $4)",
    )
    .bind(number.to_string())
    .bind(account.to_string())
    .bind(discoverable)
    .bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets an account's verified number.
pub async fn forget(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    let query =
        sqlx::query("delete from verified_number where account = $1").bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Says whether an account may be found by its number; false if it has none.
pub async fn set_discoverable(
    tx: &mut Tx,
    account: AccountId,
    on: bool,
) -> Result<bool, StoreError> {
    let query = sqlx::query("update verified_number set discoverable = $2 where account = $1")
        .bind(account.to_string())
        .bind(on);
    let done = on_tx!(tx, connection => query.execute(connection).await?.rows_affected());
    Ok(done > 0)
}
