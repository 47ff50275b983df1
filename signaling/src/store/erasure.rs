//! Deletes everything that was collected about one person, whichever table it is in.
//!
//! What they or the household set (limits, do not disturb, blocks) and what lets them in (account,
//! devices, tokens) is not collected but given, and stays. A test holds the list of tables against the
//! schema, so that a new table can't be forgotten.

use homeline_protocol::Handle;
use homeline_protocol::id::AccountId;

use super::{StoreError, Tx, on_tx};

/// Who stands in other people's histories in place of somebody who was deleted from them. Nobody can
/// have this handle.
pub const NOBODY_HANDLE: &str = "removed-person";
/// Their name there.
const NOBODY_NAME: &str = "Removed person";

/// Deletes all of it. Other people keep that they had a call, when and how long, and not with whom.
pub async fn erase(tx: &mut Tx, account: AccountId, handle: &Handle) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update past_call set party_handle = $2, party_name = $3 where party_handle = $1",
    )
    .bind(handle.as_str())
    .bind(NOBODY_HANDLE)
    .bind(NOBODY_NAME);
    on_tx!(tx, connection => query.execute(connection).await?);
    for statement in [
        "delete from past_call where account = $1",
        "delete from last_number where account = $1",
        "delete from imported_entry where account = $1",
        "delete from import_run where account = $1",
        "delete from number_lookup where account = $1",
        "delete from number_verification where account = $1",
        "delete from verified_number where account = $1",
        "delete from address_book where account = $1",
        "delete from call_link where maker = $1",
        "delete from push_address where device in (select id from device where account = $1)",
    ] {
        let query = sqlx::query(statement).bind(account.to_string());
        on_tx!(tx, connection => query.execute(connection).await?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::Db;

    /// Tables from which `erase` deletes.
    const COLLECTED: [&str; 10] = [
        "address_book",
        "call_link",
        "import_run",
        "imported_entry",
        "last_number",
        "number_lookup",
        "number_verification",
        "past_call",
        "push_address",
        "verified_number",
    ];
    /// Tables that lead to a person or a device of theirs and stay, each for the reason above.
    const GIVEN: [&str; 16] = [
        "answer_policy",
        "block",
        // Of a call that runs; it goes with the call.
        "call_member",
        "certified_pairing",
        "child",
        "child_contact",
        "consent",
        // The household's; it says who typed it.
        "contact_number",
        "device",
        "join_request",
        "leave_request",
        "quiet_exception",
        "quiet_window",
        "recovery_ticket",
        "running_call",
        "token",
    ];

    #[tokio::test]
    async fn every_table_that_leads_to_a_person_is_deleted_from_or_stays_for_a_reason() {
        let db = Db::open_in_memory().await.unwrap();
        let mut tx = db.write().await.unwrap();
        let Tx::Sqlite(connection) = &mut tx;
        let leading: BTreeSet<String> = sqlx::query_scalar(
            "select distinct tables.name from sqlite_master as tables \
             join pragma_foreign_key_list(tables.name) as key \
             where tables.type = 'table' and key.\"table\" in ('account', 'device')",
        )
        .fetch_all(&mut **connection)
        .await
        .unwrap()
        .into_iter()
        .collect();
        let listed = COLLECTED.iter().chain(&GIVEN);
        let listed: BTreeSet<String> = listed.map(|name| (*name).to_owned()).collect();
        assert_eq!(
            leading, listed,
            "decide for each new table whether `erase` deletes from it"
        );
    }
}
