//! The grants that this device holds, what it was asked lately, and its ledger: one place, written down
//! before anything follows from it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use homeline_e2ee::drop_in::ledger::{Change, EndedBy, LedgerFault, LedgerReader, What, Who};
use homeline_e2ee::drop_in::{Grant, GrantError, Live, TakeError};
use homeline_e2ee::key::PrivateKey;
use homeline_e2ee::roster::Roster;
use homeline_e2ee::signed::Signed;
use homeline_protocol::id::CallId;
use homeline_protocol::session::DropInRefusal;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::keep::{Kept, Owner};
use crate::store::{Identity, StoreError};
use crate::time::now;

pub(super) struct Book {
    owner: Owner,
    key: PrivateKey,
    path: Option<PathBuf>,
    kept: Mutex<Kept>,
    /// Something waits for the server.
    wrote: Notify,
    /// The last that was written down is not.
    unsaved: AtomicBool,
}

impl Book {
    pub(super) fn open(identity: &Identity, path: Option<&Path>) -> Result<Self, StoreError> {
        let owner = Owner {
            device: identity.device_key.public(),
            genesis: identity.genesis,
        };
        let path = path.map(Kept::path);
        let kept = match &path {
            Some(path) => Kept::load(path, owner)?,
            None => Kept::default(),
        };
        let book = Self {
            owner,
            key: identity.device_key.clone(),
            path,
            kept: Mutex::new(kept),
            wrote: Notify::new(),
            unsaved: AtomicBool::new(false),
        };
        book.end_what_was_open();
        Ok(book)
    }

    /// A device that was torn out of a drop-in says so when it begins again. It lasted at most until now.
    fn end_what_was_open(&self) {
        let opened = self.kept().opened;
        if let Some((call, at)) = opened {
            self.ended(call, now().since(at), EndedBy::Connection);
            self.save();
        }
    }

    /// Never held across an await.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// False: it could not be written down, and nothing may follow from it.
    pub(super) fn save(&self) -> bool {
        let kept = self.kept();
        if kept.ledger.next().is_some() {
            self.wrote.notify_one();
        }
        let Some(path) = &self.path else { return true };
        let saved = kept.save(path, self.owner);
        self.unsaved.store(saved.is_err(), Ordering::Relaxed);
        match saved {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "what this device keeps about drop-ins can't be written");
                false
            }
        }
    }

    /// What could not be stored is tried again: everyone out must outlive a restart.
    pub(super) fn save_what_was_not(&self) {
        if self.unsaved.load(Ordering::Relaxed) {
            self.save();
        }
    }

    /// Returns when something was written since it last returned.
    pub(super) async fn wrote(&self) {
        self.wrote.notified().await;
    }

    /// Takes a grant, or a change of one. `told`: it came as news, so that one that does not hold is
    /// written down; what is shown with everything else is shown again and again, and has no effect.
    pub(super) fn take(&self, statement: &[u8], roster: &Roster, told: bool) {
        let Ok(signed) = Signed::decode(statement) else {
            if told {
                self.grant_refused(statement, DropInRefusal::Forged);
            }
            return;
        };
        let (taken, before) = {
            let mut kept = self.kept();
            let before = kept.held.seen.clone();
            (kept.held.take(now(), &signed, roster), before)
        };
        match taken {
            Ok(grant) => {
                let known = before.get(&grant.id).map(|seen| seen.revision);
                if known != Some(grant.revision) {
                    self.grant_taken(&grant, statement, known.is_some());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a drop-in grant is not taken");
                if let Some(refusal) = named(error).filter(|_| told) {
                    self.grant_refused(statement, refusal);
                }
            }
        }
    }

    fn grant_taken(&self, grant: &Grant, statement: &[u8], known: bool) {
        let change = match (grant.revoked, known) {
            (true, _) => Change::Revoked,
            (false, true) => Change::Changed,
            (false, false) => Change::Given,
        };
        self.write(What::GrantTaken {
            grant: grant.id,
            revision: grant.revision,
            statement: Sha256::digest(statement).into(),
            change,
        });
    }

    fn grant_refused(&self, statement: &[u8], refusal: DropInRefusal) {
        let statement = Sha256::digest(statement).into();
        self.write(What::GrantRefused { statement, refusal });
    }

    pub(super) fn opened(&self, live: &Live, who: Who) {
        self.kept().opened = Some((live.call, now()));
        self.write(What::Opened {
            call: live.call,
            who,
            grant: live.permit.grant,
            revision: live.permit.revision,
            picture: live.picture,
            opening: live.permit.opening,
        });
    }

    pub(super) fn ended(&self, call: CallId, lasted_ms: u64, by: EndedBy) {
        self.kept().opened = None;
        self.write(What::Ended {
            call,
            lasted_ms,
            by,
        });
    }

    pub(super) fn refused(&self, call: CallId, who: Who, refusal: DropInRefusal) {
        self.write(What::Refused { call, who, refusal });
    }

    /// With a full ledger nothing opens; what else happened is not written.
    pub(super) fn write(&self, what: What) {
        let written = self
            .kept()
            .ledger
            .write(now(), self.owner.genesis, &self.key, what);
        if let Err(error) = written {
            tracing::warn!(%error, "an entry of the ledger is left out");
        }
    }

    /// Compares the server's end of this ledger with the own one.
    pub(super) fn meet(&self, length: u64, last: Option<&Signed>) -> Result<(), LedgerFault> {
        self.kept().ledger.meet(length, last)
    }

    /// Goes on from what the server has, which was read whole.
    pub(super) fn resume(&self, read: LedgerReader) -> Result<(), LedgerFault> {
        let found = read.finish()?;
        let mut kept = self.kept();
        let resumed = kept
            .ledger
            .resume(now(), self.owner.genesis, &self.key, found);
        if let Err(error) = resumed {
            tracing::warn!(%error, "the ledger does not go on yet");
        }
        Ok(())
    }
}

/// `None`: there was no room, which is nobody's fault.
fn named(error: TakeError) -> Option<DropInRefusal> {
    match error {
        TakeError::Grant(error) => Some(named_grant(error)),
        TakeError::Replayed { .. } => Some(DropInRefusal::Replayed),
        TakeError::Revoked => Some(DropInRefusal::Revoked),
        TakeError::NotYet => Some(DropInRefusal::NotYet),
        TakeError::Full => None,
    }
}

pub(super) fn named_grant(error: GrantError) -> DropInRefusal {
    match error {
        GrantError::Decode(_) | GrantError::Signature(_) => DropInRefusal::Forged,
        GrantError::OtherHousehold => DropInRefusal::OtherHousehold,
        GrantError::SignerMayNot => DropInRefusal::SignerMayNot,
    }
}
