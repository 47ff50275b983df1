//! The table of people.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, HouseholdId};
use homeline_protocol::session::Role;

use super::{Nullable, StoreError, Tx, on_tx};
use crate::model::UnixMillis;

/// A person's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AccountRow {
    /// The id.
    #[sqlx(try_from = "String")]
    pub id: AccountId,
    /// What others type.
    #[sqlx(try_from = "String")]
    pub handle: Handle,
    /// What devices speak.
    pub display_name: String,
    /// argon2id.
    pub password_hash: String,
    /// Absent until admitted.
    #[sqlx(try_from = "Option<String>")]
    pub household: Nullable<HouseholdId>,
    /// What they are there.
    #[sqlx(try_from = "String")]
    pub role: RoleColumn,
}

/// A role as its column says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleColumn(pub Role);

impl RoleColumn {
    fn text(self) -> &'static str {
        match self.0 {
            Role::Owner => "owner",
            Role::Adult => "adult",
            Role::Child => "child",
        }
    }
}

impl TryFrom<String> for RoleColumn {
    type Error = String;
    fn try_from(column: String) -> Result<Self, String> {
        match column.as_str() {
            "owner" => Ok(Self(Role::Owner)),
            "adult" => Ok(Self(Role::Adult)),
            "child" => Ok(Self(Role::Child)),
            _ => Err(format!("unknown role {column:?}")),
        }
    }
}

/// A new person.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// The id.
    pub id: AccountId,
    /// What others type.
    pub handle: &'a Handle,
    /// What devices speak.
    pub display_name: &'a str,
    /// argon2id.
    pub password_hash: &'a str,
    /// Absent until admitted.
    pub household: Option<HouseholdId>,
    /// What they are there, or will be.
    pub role: Role,
    /// Now.
    pub at: UnixMillis,
}

/// Adds a person.
pub async fn insert(tx: &mut Tx, account: NewAccount<'_>) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into account \
         (id, handle, display_name, password_hash, household, created_at_ms, role) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(account.id.to_string())
    .bind(account.handle.as_str())
    .bind(account.display_name)
    .bind(account.password_hash)
    .bind(account.household.map(|id| id.to_string()))
    .bind(account.at.column())
    .bind(RoleColumn(account.role).text());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// The person with this id.
pub async fn find(tx: &mut Tx, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
    let query = sqlx::query_as("select * from account where id = $1").bind(id.to_string());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// The person with this handle.
pub async fn by_handle(tx: &mut Tx, handle: &Handle) -> Result<Option<AccountRow>, StoreError> {
    let query = sqlx::query_as("select * from account where handle = $1").bind(handle.as_str());
    Ok(on_tx!(tx, connection => query.fetch_optional(connection).await?))
}

/// The members of a household, in the order in which they came.
pub async fn members(tx: &mut Tx, household: HouseholdId) -> Result<Vec<AccountRow>, StoreError> {
    let query =
        sqlx::query_as("select * from account where household = $1 order by created_at_ms, id")
            .bind(household.to_string());
    Ok(on_tx!(tx, connection => query.fetch_all(connection).await?))
}

/// How many people there are.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("select count(*) from account");
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?))
}

/// Admits a person to a household.
pub async fn set_household(
    tx: &mut Tx,
    id: AccountId,
    household: HouseholdId,
) -> Result<(), StoreError> {
    let query = sqlx::query("update account set household = $2 where id = $1")
        .bind(id.to_string())
        .bind(household.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Changes what a member is.
pub async fn set_role(tx: &mut Tx, id: AccountId, role: Role) -> Result<(), StoreError> {
    let query = sqlx::query("update account set role = $2 where id = $1")
        .bind(id.to_string())
        .bind(RoleColumn(role).text());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Changes the name that devices speak.
pub async fn set_display_name(tx: &mut Tx, id: AccountId, name: &str) -> Result<(), StoreError> {
    let query = sqlx::query("update account set display_name = $2 where id = $1")
        .bind(id.to_string())
        .bind(name);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Replaces the password.
pub async fn set_password(tx: &mut Tx, id: AccountId, hash: &str) -> Result<(), StoreError> {
    let query = sqlx::query("update account set password_hash = $2 where id = $1")
        .bind(id.to_string())
        .bind(hash);
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Forgets a person who was never admitted, with the app and the tokens they signed up with.
pub async fn delete(tx: &mut Tx, id: AccountId) -> Result<(), StoreError> {
    let query = sqlx::query("delete from account where id = $1").bind(id.to_string());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
