//! Contacts that were chosen for something: for a child, or to get through do not disturb. Two tables of
//! one shape.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, ContactId, HouseholdId};

use crate::store::{StoreError, Tx, on_tx};

/// For what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// A child may reach them, and be reached.
    ForChild,
    /// They get through a person's do not disturb.
    Undisturbed,
}

/// The statements about one of the tables.
struct Statements {
    list: &'static str,
    handles: &'static str,
    delete: &'static str,
    insert: &'static str,
}

/// The chosen contacts.
pub async fn contacts(
    tx: &mut Tx,
    of: Chosen,
    account: AccountId,
) -> Result<Vec<ContactId>, StoreError> {
    let query = sqlx::query_scalar::<_, String>(of.statements().list).bind(account.to_string());
    let ids = on_tx!(tx, connection => query.fetch_all(connection).await?);
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Their handles, as the household's address book has them now.
pub async fn handles(
    tx: &mut Tx,
    of: Chosen,
    account: AccountId,
    household: HouseholdId,
) -> Result<Vec<Handle>, StoreError> {
    let query = sqlx::query_scalar::<_, String>(of.statements().handles)
        .bind(account.to_string())
        .bind(household.to_string());
    let handles = on_tx!(tx, connection => query.fetch_all(connection).await?);
    let handles = handles.iter();
    Ok(handles.filter_map(|handle| handle.parse().ok()).collect())
}

/// Replaces the chosen contacts.
pub async fn set(
    tx: &mut Tx,
    of: Chosen,
    account: AccountId,
    contacts: &[ContactId],
) -> Result<(), StoreError> {
    let statements = of.statements();
    let query = sqlx::query(statements.delete).bind(account.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    for contact in contacts {
        let query = sqlx::query(statements.insert)
            .bind(account.to_string())
            .bind(contact.to_string());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

impl Chosen {
    fn statements(self) -> Statements {
        match self {
            Self::ForChild => Statements {
                list: "select contact from child_contact where account = $1 order by contact",
                handles: "select contact.handle from child_contact chosen \
                          join contact on contact.id = chosen.contact \
                          where chosen.account = $1 and contact.household = $2",
                delete: "delete from child_contact where account = $1",
                insert: "insert into child_contact (account, contact) values ($1, $2) \
                         on conflict do nothing",
            },
            Self::Undisturbed => Statements {
                list: "select contact from quiet_exception where account = $1 order by contact",
                handles: "select contact.handle from quiet_exception chosen \
                          join contact on contact.id = chosen.contact \
                          where chosen.account = $1 and contact.household = $2",
                delete: "delete from quiet_exception where account = $1",
                insert: "insert into quiet_exception (account, contact) values ($1, $2) \
                         on conflict do nothing",
            },
        }
    }
}
