//! Takes in an app's address book: staged in batches, put in place at once when it is finished.

use homeline_protocol::id::{AccountId, EntryId, ImportId};
use homeline_protocol::session::{BroughtEntry, ImportResult};

use super::rules::{self, ENTRIES_MAX, SOURCES_MAX};
use super::{AddressBooks, ImportError};
use crate::domain::numbers::read_all;
use crate::domain::secrets::random_id;
use crate::model::{Speaker, is_name};
use crate::store::address_book::{RunRow, Staged};
use crate::store::{self, StoreError, Tx};

/// Imports that were never finished are forgotten after a day, with what they staged.
pub(super) const UNFINISHED_LIFETIME: std::time::Duration = std::time::Duration::from_hours(24);

impl AddressBooks {
    /// Begins an import, in place of an unfinished one of the same source. Repeating it is no error.
    ///
    /// # Errors
    /// When importing is not allowed, or there are too many sources.
    pub async fn begin_import(
        &self,
        speaker: &Speaker,
        import: ImportId,
        source: &str,
    ) -> Result<(), ImportError> {
        speaker.app()?;
        if !is_name(source) {
            return Err(ImportError::Field(
                "A source's name has 1 to 64 characters.",
            ));
        }
        let account = speaker.account;
        let mut tx = self.db.write().await?;
        self.allowed(&mut tx, account).await?;
        if let Some(run) = store::address_book::run(&mut tx, account, import).await? {
            let same = run.source == source;
            return if same { Ok(()) } else { Err(ImportError::Used) };
        }
        let sources = store::address_book::sources(&mut tx, account).await?;
        if sources.len() >= SOURCES_MAX && !sources.iter().any(|known| known == source) {
            return Err(ImportError::TooManySources);
        }
        store::address_book::begin(&mut tx, account, source, import, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Stages a part of an address book. Repeating it changes nothing.
    ///
    /// # Errors
    /// When an entry is out of its bounds, the import is unknown or finished, or it is too much.
    pub async fn import_batch(
        &self,
        speaker: &Speaker,
        import: ImportId,
        entries: &[BroughtEntry],
    ) -> Result<(), ImportError> {
        speaker.app()?;
        rules::check_batch(entries).map_err(ImportError::Field)?;
        let account = speaker.account;
        let mut tx = self.db.write().await?;
        self.allowed(&mut tx, account).await?;
        let run = store::address_book::run(&mut tx, account, import)
            .await?
            .ok_or(ImportError::Unknown)?;
        if run.finished_at_ms.is_some() {
            return Err(ImportError::Finished);
        }
        let region = self.numbers.region(&mut tx, account).await?;
        for entry in entries {
            let numbers = read_all(&entry.numbers, region).map_err(ImportError::Field)?;
            let staged = Staged {
                id: EntryId(random_id()),
                source_id: &entry.source_id,
                name: &entry.name,
                numbers: &numbers,
            };
            store::address_book::stage(&mut tx, account, &run.source, staged).await?;
        }
        let staged = store::address_book::staged(&mut tx, account).await?;
        let others = store::address_book::of_other_sources(&mut tx, account, &run.source).await?;
        if staged + others > ENTRIES_MAX {
            return Err(ImportError::Full);
        }
        Ok(tx.commit().await?)
    }

    /// Puts what was brought in the place of what the source brought before. Repeating it gives the
    /// same answer.
    ///
    /// # Errors
    /// When the import is unknown, or another source took the room meanwhile.
    pub async fn finish_import(
        &self,
        speaker: &Speaker,
        import: ImportId,
    ) -> Result<ImportResult, ImportError> {
        speaker.app()?;
        let account = speaker.account;
        let mut tx = self.db.write().await?;
        let run = store::address_book::run(&mut tx, account, import)
            .await?
            .ok_or(ImportError::Unknown)?;
        if run.finished_at_ms.is_some() {
            return Ok(result(run.entries, run.removed));
        }
        let (entries, removed) = self.put_in_place(&mut tx, account, &run).await?;
        tx.commit().await?;
        self.tell(account);
        Ok(result(entries, removed))
    }

    async fn put_in_place(
        &self,
        tx: &mut Tx,
        account: AccountId,
        run: &RunRow,
    ) -> Result<(i64, i64), ImportError> {
        let now = self.clock.now();
        let done = store::address_book::finish(tx, account, run, now).await?;
        if store::address_book::count(tx, account).await? > ENTRIES_MAX {
            return Err(ImportError::Full);
        }
        store::numbers::forget_lookups(tx, account).await?;
        store::last_numbers::forget_gone(tx, account).await?;
        self.allow_lookups(tx, account).await?;
        Ok(done)
    }

    /// Lets the account look up those of its new numbers that its budget allows.
    pub(super) async fn allow_lookups(
        &self,
        tx: &mut Tx,
        account: AccountId,
    ) -> Result<(), StoreError> {
        let mut choice = self.choice(tx, account).await?;
        let most = choice.lookups_left;
        choice.lookups_left -= store::numbers::allow_lookups(tx, account, most).await?;
        store::address_book::put_choice(tx, account, &choice).await
    }

    async fn allowed(&self, tx: &mut Tx, account: AccountId) -> Result<(), ImportError> {
        match self.choice(tx, account).await?.import {
            Some(true) => Ok(()),
            Some(false) | None => Err(ImportError::Off),
        }
    }
}

fn result(entries: i64, removed: i64) -> ImportResult {
    let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
    ImportResult {
        entries: count(entries),
        removed: count(removed),
    }
}
