//! Keeps every call twice over: while it runs, so that none is lost in a crash, and afterwards in
//! the history of both people, with one reason for its end.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, CallId, DeviceId};
use homeline_protocol::session::{CallDirection, EndReason, Party, PastCall};

use crate::domain::guests::GUEST_HANDLE;
use crate::model::UnixMillis;
use crate::store::calls::{self, PastCallRow, ReasonColumn, RunningCallRow};
use crate::store::{Db, Nullable, StoreError, Tx, accounts};

/// Most past calls in one reply.
const LIMIT_MAX: u16 = 200;

/// Past and running calls on record.
#[derive(Debug, Clone)]
pub struct History {
    db: Db,
    per_account_max: u32,
}

/// A call that begins.
#[derive(Debug, Clone)]
pub struct RunningCallRecord {
    /// The call.
    pub call: CallId,
    /// Who calls.
    pub caller: AccountId,
    /// With which device.
    pub caller_device: DeviceId,
    /// Whom, if anybody.
    pub callee: Option<AccountId>,
    /// The handle called.
    pub callee_handle: Handle,
    /// What a guest who is called said as their name.
    pub callee_name: Option<String>,
    /// With picture.
    pub video: bool,
    /// Now.
    pub started_at: UnixMillis,
}

/// Somebody missed a call.
#[derive(Debug, Clone)]
pub struct Missed {
    /// Who.
    pub account: AccountId,
    /// Which.
    pub call: PastCall,
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// When.
    pub at: UnixMillis,
    /// Why.
    pub reason: EndReason,
    /// Whether the caller may see the callee's own name: it rang. Otherwise a history would tell
    /// whether anybody has a handle.
    pub callee_named: bool,
    /// Whether the callee missed it.
    pub missed: bool,
}

/// A call that a stop of the server cut off.
#[derive(Debug, Clone, Copy)]
pub struct Interrupted {
    /// The call.
    pub call: CallId,
    /// Who called.
    pub caller: AccountId,
    /// Who was called.
    pub callee: Option<AccountId>,
}

/// Why the history can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The call's id was used before.
    #[error("the call's id was used before")]
    Used,
    /// A limit is out of its bounds.
    #[error("the limit is 1 to 200")]
    BadLimit,
    /// The database failed.
    #[error(transparent)]
    Internal(#[from] StoreError),
}

impl History {
    /// On this database.
    #[must_use]
    pub fn new(db: Db, per_account_max: u32) -> Self {
        Self {
            db,
            per_account_max,
        }
    }

    /// Writes down that a call begins.
    ///
    /// # Errors
    /// [`HistoryError::Used`] when there was a call with this id.
    pub async fn begin(&self, call: RunningCallRecord) -> Result<(), HistoryError> {
        let mut tx = self.db.write().await?;
        let row = RunningCallRow {
            id: call.call,
            caller: call.caller,
            caller_device: call.caller_device,
            callee: Nullable(call.callee),
            callee_handle: call.callee_handle,
            callee_name: call.callee_name,
            video: call.video,
            started_at_ms: call.started_at,
            answered_at_ms: None,
        };
        if !calls::begin(&mut tx, &row).await? {
            return Err(HistoryError::Used);
        }
        Ok(tx.commit().await?)
    }

    /// Writes down that a call was answered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(
        &self,
        call: CallId,
        device: DeviceId,
        at: UnixMillis,
    ) -> Result<(), HistoryError> {
        let mut tx = self.db.write().await?;
        calls::answer(&mut tx, call, device, at).await?;
        Ok(tx.commit().await?)
    }

    /// Moves a running call into the history of both people.
    ///
    /// # Errors
    /// When the database fails; then the call still counts as running, and the next start ends it.
    pub async fn ended(&self, call: CallId, ended: Ended) -> Result<Option<Missed>, HistoryError> {
        let mut tx = self.db.write().await?;
        let missed = match calls::find_running(&mut tx, call).await? {
            Some(row) => self.end(&mut tx, &row, ended).await?,
            None => None,
        };
        tx.commit().await?;
        Ok(missed)
    }

    /// Ends all calls that the last stop cut off. To be called once, before any call begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_interrupted(&self, at: UnixMillis) -> Result<Vec<Interrupted>, HistoryError> {
        let mut tx = self.db.write().await?;
        let mut interrupted = Vec::new();
        for row in calls::all_running(&mut tx).await? {
            let reason = EndReason::ServerRestarted;
            let callee_named = row.answered_at_ms.is_some();
            let missed = !callee_named;
            self.end(
                &mut tx,
                &row,
                Ended {
                    at,
                    reason,
                    callee_named,
                    missed,
                },
            )
            .await?;
            interrupted.push(Interrupted {
                call: row.id,
                caller: row.caller,
                callee: row.callee.0,
            });
        }
        tx.commit().await?;
        Ok(interrupted)
    }

    /// A person's past calls, newest first.
    ///
    /// # Errors
    /// When the limit is out of its bounds or the database fails.
    pub async fn list(
        &self,
        account: AccountId,
        before_ms: Option<u64>,
        limit: u16,
    ) -> Result<Vec<PastCall>, HistoryError> {
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(HistoryError::BadLimit);
        }
        let before = UnixMillis(before_ms.unwrap_or(u64::MAX));
        let mut tx = self.db.read().await?;
        let rows = calls::past_of(&mut tx, account, before, limit).await?;
        Ok(rows.into_iter().map(past_call).collect())
    }

    async fn end(
        &self,
        tx: &mut Tx,
        row: &RunningCallRow,
        ended: Ended,
    ) -> Result<Option<Missed>, HistoryError> {
        self.end_members(tx, row, ended).await?;
        calls::remove_running(tx, row.id).await?;
        let (caller_row, callee_row) = self.both(tx, row, ended).await?;
        if let Some(past) = caller_row {
            self.keep(tx, &past).await?;
        }
        let Some(past) = callee_row else {
            return Ok(None);
        };
        self.keep(tx, &past).await?;
        let account = past.account;
        let missed = (!past.seen).then(|| Missed {
            account,
            call: past_call(past),
        });
        Ok(missed)
    }

    /// The records of the two between whom the call began.
    pub(super) async fn both(
        &self,
        tx: &mut Tx,
        row: &RunningCallRow,
        ended: Ended,
    ) -> Result<(Option<PastCallRow>, Option<PastCallRow>), HistoryError> {
        let Some(caller) = accounts::find(tx, row.caller).await? else {
            return Ok((None, None));
        };
        let callee = match row.callee.0 {
            Some(callee) => accounts::find(tx, callee).await?,
            None => None,
        };
        let name = callee.as_ref().filter(|_| ended.callee_named);
        let unnamed = row.callee_name.as_deref();
        let unnamed = unnamed.unwrap_or(row.callee_handle.as_str());
        let name = name.map_or(unnamed, |callee| &callee.display_name);
        let past = |account, outgoing, party: Party, seen| PastCallRow {
            account,
            id: row.id,
            outgoing,
            party_handle: party.handle,
            party_name: party.display_name,
            video: row.video,
            started_at_ms: row.started_at_ms,
            answered_at_ms: row.answered_at_ms,
            ended_at_ms: ended.at,
            reason: ReasonColumn(ended.reason),
            seen,
        };
        let to_callee = Party {
            handle: row.callee_handle.clone(),
            display_name: name.to_owned(),
            guest: false,
        };
        let to_caller = Party {
            handle: caller.handle,
            display_name: caller.display_name,
            guest: false,
        };
        let hers = past(caller.id, true, to_callee, true);
        let his = callee.map(|callee| past(callee.id, false, to_caller, !ended.missed));
        Ok((Some(hers), his))
    }

    /// Once kept, a record stays: whoever left a call earlier has theirs already.
    pub(super) async fn keep(&self, tx: &mut Tx, past: &PastCallRow) -> Result<(), HistoryError> {
        calls::insert_past(tx, past).await?;
        calls::forget_oldest(tx, past.account, self.per_account_max).await?;
        Ok(())
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }
}

pub(super) fn past_call(row: PastCallRow) -> PastCall {
    PastCall {
        call: row.id,
        direction: if row.outgoing {
            CallDirection::Outgoing
        } else {
            CallDirection::Incoming
        },
        party: Party {
            guest: row.party_handle.as_str() == GUEST_HANDLE,
            handle: row.party_handle,
            display_name: row.party_name,
        },
        video: row.video,
        started_at_ms: row.started_at_ms.0,
        answered_at_ms: row.answered_at_ms.map(|at| UnixMillis::from(at).0),
        ended_at_ms: row.ended_at_ms.0,
        reason: row.reason.0,
    }
}
