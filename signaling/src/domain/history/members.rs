//! The records of those who were added to a call or left it before its end, and of missed calls.

use homeline_protocol::id::{AccountId, CallId};
use homeline_protocol::session::{EndReason, Party, PastCall};

use super::service::{Ended, History, HistoryError, Missed, past_call};
use crate::model::UnixMillis;
use crate::store::Tx;
use crate::store::call_members::{self, CallMemberRow};
use crate::store::calls::{self, PastCallRow, ReasonColumn, RunningCallRow};

/// Most missed calls in one reply. Older ones show once these are seen.
const MISSED_MAX: u16 = 200;

impl History {
    /// Writes down that somebody is being added to a running call.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn adding(
        &self,
        call: CallId,
        account: AccountId,
        from: Party,
        at: UnixMillis,
    ) -> Result<(), HistoryError> {
        let mut tx = self.db().write().await?;
        let member = CallMemberRow {
            call,
            account,
            inviter_handle: from.handle,
            inviter_name: from.display_name,
            added_at_ms: at,
            answered_at_ms: None,
        };
        call_members::add(&mut tx, &member).await?;
        Ok(tx.commit().await?)
    }

    /// Writes down that somebody who was added has answered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn joined(
        &self,
        call: CallId,
        account: AccountId,
        at: UnixMillis,
    ) -> Result<(), HistoryError> {
        let mut tx = self.db().write().await?;
        call_members::answer(&mut tx, call, account, at).await?;
        Ok(tx.commit().await?)
    }

    /// Keeps the record of somebody whose part in a running call is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn left(
        &self,
        call: CallId,
        account: AccountId,
        ended: Ended,
    ) -> Result<Option<Missed>, HistoryError> {
        let mut tx = self.db().write().await?;
        let Some(row) = calls::find_running(&mut tx, call).await? else {
            return Ok(None);
        };
        let members = call_members::of_call(&mut tx, call).await?;
        let past = match members.iter().find(|member| member.account == account) {
            Some(member) => {
                // Somebody who was added before, and went: the newest record of the call counts.
                call_members::forget_past(&mut tx, call, account).await?;
                call_members::remove(&mut tx, call, account).await?;
                Some(member_record(&row, member, ended))
            }
            None => {
                let (caller, callee) = self.both(&mut tx, &row, ended).await?;
                [caller, callee]
                    .into_iter()
                    .flatten()
                    .find(|past| past.account == account)
            }
        };
        let Some(past) = past else {
            return Ok(None);
        };
        self.keep(&mut tx, &past).await?;
        tx.commit().await?;
        let missed = (!past.seen).then(|| Missed {
            account,
            call: past_call(past),
        });
        Ok(missed)
    }

    /// A person's missed calls that nobody has seen, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed(&self, account: AccountId) -> Result<Vec<PastCall>, HistoryError> {
        let mut tx = self.db().read().await?;
        let rows = call_members::unseen(&mut tx, account, MISSED_MAX).await?;
        Ok(rows.into_iter().map(past_call).collect())
    }

    /// A person has seen their missed calls that began until a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_seen(
        &self,
        account: AccountId,
        until: UnixMillis,
    ) -> Result<(), HistoryError> {
        let mut tx = self.db().write().await?;
        call_members::mark_seen(&mut tx, account, until).await?;
        Ok(tx.commit().await?)
    }

    /// Everybody who was added and is there still has the call's end.
    pub(super) async fn end_members(
        &self,
        tx: &mut Tx,
        row: &RunningCallRow,
        ended: Ended,
    ) -> Result<(), HistoryError> {
        for member in call_members::of_call(tx, row.id).await? {
            call_members::forget_past(tx, row.id, member.account).await?;
            call_members::remove(tx, row.id, member.account).await?;
            // Only a server that was stopped ends a call while it rings for somebody.
            let missed = ended.reason == EndReason::ServerRestarted;
            let past = member_record(row, &member, Ended { missed, ..ended });
            self.keep(tx, &past).await?;
        }
        Ok(())
    }
}

fn member_record(row: &RunningCallRow, member: &CallMemberRow, ended: Ended) -> PastCallRow {
    PastCallRow {
        account: member.account,
        id: row.id,
        outgoing: false,
        party_handle: member.inviter_handle.clone(),
        party_name: member.inviter_name.clone(),
        video: row.video,
        started_at_ms: member.added_at_ms,
        answered_at_ms: member.answered_at_ms,
        ended_at_ms: ended.at,
        reason: ReasonColumn(ended.reason),
        seen: !ended.missed || member.answered_at_ms.is_some(),
    }
}
