//! The table of contacts.

use homeline_protocol::Handle;
use homeline_protocol::id::{ContactId, HouseholdId};

use super::{StoreError, Tx, on_tx};

/// A contact's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ContactRow {
    /// The id, unique in its household.
    #[sqlx(try_from = "String")]
    pub id: ContactId,
    /// What the family calls them.
    pub name: String,
    /// Their handle.
    #[sqlx(try_from = "String")]
    pub handle: Handle,
    /// The signed card.
    pub card: Vec<u8>,
    /// The card's revision.
    pub revision: i64,
}

/// The contacts of a household, by name.
pub async fn of_household(tx: &mut Tx, id: HouseholdId) -> Result<Vec<ContactRow>, StoreError> {
    let query = sqlx::query_as("select * from contact where household = $1 order by name, id")
        .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// One contact.
pub async fn find(
    tx: &mut Tx,
    household: HouseholdId,
    id: ContactId,
) -> Result<Option<ContactRow>, StoreError> {
    let query = sqlx::query_as("select * from contact where household = $1 and id = $2")
        .bind(household.to_string())
        .bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// How many contacts a household has.
pub async fn count(tx: &mut Tx, household: HouseholdId) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("select count(*) from contact where household = $1")
        .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// Whether a household has a contact with this handle.
pub async fn has(tx: &mut Tx, household: HouseholdId, handle: &Handle) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar::<_, i64>(
        "select count(*) from contact where household = $1 and handle = $2",
    )
    .bind(household.to_string())
    .bind(handle.as_str());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?) > 0)
}

/// Adds or replaces a contact.
pub async fn put(
    tx: &mut Tx,
    household: HouseholdId,
    contact: &ContactRow,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into contact (household, id, name, handle, card, revision) \
         values ($1, $2, $3, $4, $5, $6) on conflict (household, id) do update set \
         name = excluded.name, handle = excluded.handle, card = excluded.card, \
         revision = excluded.revision",
    )
    .bind(household.to_string())
    .bind(contact.id.to_string())
    .bind(contact.name.clone())
    .bind(contact.handle.as_str().to_owned())
    .bind(contact.card.clone())
    .bind(contact.revision);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets a contact.
pub async fn delete(tx: &mut Tx, household: HouseholdId, id: ContactId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from contact where household = $1 and id = $2")
        .bind(household.to_string())
        .bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
