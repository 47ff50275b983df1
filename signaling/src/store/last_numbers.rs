//! The table of numbers that were called last, one for each contact or imported entry of an account.

use homeline_protocol::PhoneText;
use homeline_protocol::id::{AccountId, ContactId};
use homeline_protocol::session::NumberOf;

use super::{StoreError, Tx, on_tx};

/// The number of a contact or an entry that an account called last.
pub async fn find(
    tx: &mut Tx,
    account: AccountId,
    of: NumberOf,
) -> Result<Option<PhoneText>, StoreError> {
    let query =
        sqlx::query_scalar("select number from last_number where account = $1 and whose = $2")
            .bind(account.to_string())
            .bind(column(of));
    let number: Option<String> = on_tx!(tx, connection => query.fetch_optional(connection).await?);
    Ok(number.map(PhoneText))
}

/// Notes it, in the place of the one before.
pub async fn put(
    tx: &mut Tx,
    account: AccountId,
    of: NumberOf,
    number: &PhoneText,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into last_number (account, whose, number) values ($1, $2, $3) \
         on conflict (account, whose) do update set number = excluded.number",
    )
    .bind(account.to_string())
    .bind(column(of))
    .bind(number.0.clone());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets those of a contact that is deleted.
pub async fn forget_contact(tx: &mut Tx, contact: ContactId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from last_number where whose = $1").bind(contact.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets those of entries that an account has no more: all but its own and its household's contacts'.
pub async fn forget_gone(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from last_number where account = $1 \
         and whose not in (select id from imported_entry where account = $1) \
         and whose not in (select contact.id from contact \
         join account on account.household = contact.household where account.id = $1)",
    )
    .bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

fn column(of: NumberOf) -> String {
    match of {
        NumberOf::Contact { contact } => contact.to_string(),
        NumberOf::Entry { entry } => entry.to_string(),
    }
}
