//! Leaving: requests to leave, what goes with an account or a household, handles that rest.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};

use crate::model::UnixMillis;
use crate::store::{StoreError, Tx, on_tx};

/// Notes that a member asks to leave.
pub async fn ask(tx: &mut Tx, account: AccountId, at: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into leave_request (account, created_at_ms) values ($1, $2) on conflict do nothing",
    )
    .bind(account.to_string())
    .bind(at.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Members of a household who ask to leave.
pub async fn asking(tx: &mut Tx, household: HouseholdId) -> Result<Vec<AccountId>, StoreError> {
    let query = sqlx::query_scalar::<_, String>(
        "select leave_request.account from leave_request \
         join account on account.id = leave_request.account \
         where account.household = $1 order by leave_request.created_at_ms",
    )
    .bind(household.to_string());
    let ids = on_tx!(tx, connection => query.fetch_all(connection).await?);
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Takes a person out of their household. The role is that of somebody who begins anew, and what they
/// chose among the household's contacts stays behind with these.
pub async fn leave(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    for change in [
        "update account set household = null, role = 'adult', top_contact = null where id = $1",
        "delete from quiet_exception where account = $1",
        "delete from leave_request where account = $1",
    ] {
        let query = sqlx::query(change).bind(account.to_string());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// Gives a home device to another person, with what lets it in.
pub async fn hand_over(tx: &mut Tx, device: DeviceId, to: AccountId) -> Result<(), StoreError> {
    for change in [
        "update device set account = $2 where id = $1",
        "update token set account = $2 where device = $1",
    ] {
        let query = sqlx::query(change)
            .bind(device.to_string())
            .bind(to.to_string());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// Deletes an account with its devices, tokens, history and settings. A call that rings it goes on as
/// one to nobody.
pub async fn delete_account(tx: &mut Tx, account: AccountId) -> Result<(), StoreError> {
    for change in [
        "update running_call set callee = null where callee = $1",
        "delete from certified_pairing where device in (select id from device where account = $1)",
        "delete from answer_policy where device in (select id from device where account = $1)",
        "delete from recovery_ticket where used_by in (select id from device where account = $1)",
        "delete from account where id = $1",
    ] {
        let query = sqlx::query(change).bind(account.to_string());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// Deletes a household that nobody is a member of any more, with those who waited to join it.
pub async fn delete_household(tx: &mut Tx, household: HouseholdId) -> Result<(), StoreError> {
    for change in [
        "delete from device where id in \
         (select app from join_request where household = $1 and rejoins)",
        "delete from account where id in (select account from join_request where household = $1)",
        "delete from invitation where household = $1",
        "delete from contact where household = $1",
        "delete from roster_entry where household = $1",
        "delete from answer_policy where household = $1",
        "delete from certified_pairing where device in (select id from device where household = $1)",
        "delete from recovery_ticket where used_by in (select id from device where household = $1)",
        "delete from device where household = $1",
        "delete from household where id = $1",
    ] {
        let query = sqlx::query(change).bind(household.to_string());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

/// Lets a handle rest.
pub async fn retire(tx: &mut Tx, handle: &Handle, until: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into retired_handle (handle, until_ms) values ($1, $2) \
         on conflict (handle) do update set until_ms = excluded.until_ms",
    )
    .bind(handle.as_str())
    .bind(until.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}

/// Whether a handle rests.
pub async fn is_retired(tx: &mut Tx, handle: &Handle, now: UnixMillis) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar::<_, i64>(
        "select count(*) from retired_handle where handle = $1 and until_ms > $2",
    )
    .bind(handle.as_str())
    .bind(now.column());
    Ok(on_tx!(tx, connection => query.fetch_one(connection).await?) > 0)
}

/// Forgets the handles that have rested.
pub async fn forget_rested(tx: &mut Tx, now: UnixMillis) -> Result<(), StoreError> {
    let query = sqlx::query("delete from retired_handle where until_ms <= $1").bind(now.column());
    on_tx!(tx, connection => query.execute(connection).await?);
    Ok(())
}
