//! The verbs of ledgers.

use std::collections::BTreeSet;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{DeviceKind, Event, LedgerHead, Role};

use super::rules::{self, ENTRY_BYTES_MAX, LEDGERS_MAX, LIST_MAX, Place};
use super::{AppendError, ReadLedgerError};
use crate::bus::{Audience, Bus};
use crate::domain::households::{NotAdult, adult_of};
use crate::domain::identity::LedgerStatement;
use crate::model::{NoRight, Speaker};
use crate::store::{self, Db, StoreError, Tx};

/// What happened at home devices.
#[derive(Debug)]
pub struct Ledgers {
    db: Db,
    bus: Bus,
}

impl Ledgers {
    /// The service, from its parts.
    #[must_use]
    pub fn new(db: Db, bus: Bus) -> Self {
        Self { db, bus }
    }

    /// Stores the next entry of the speaker's own ledger, and tells the household's adults. Repeating it is no
    /// error.
    ///
    /// # Errors
    /// When the speaker is no home device, the entry does not hold or does not follow, or there is no room.
    pub async fn append(
        &self,
        speaker: &Speaker,
        index: u64,
        entry: &Blob,
    ) -> Result<(), AppendError> {
        let whose = target(speaker).ok_or(AppendError::NotATarget)?;
        if entry.0.len() > ENTRY_BYTES_MAX {
            return Err(AppendError::TooLong);
        }
        let said = LedgerStatement::open(&entry.0)?;
        let (household, device) = whose;
        let mut tx = self.db.write().await?;
        let before = store::ledgers::end(&mut tx, household, device).await?;
        let end = match rules::place(&said, whose, index, before.as_ref())? {
            Place::Next(end) => end,
            Place::Earlier => return known(&mut tx, whose, index, entry).await,
        };
        if before.is_none() {
            let ledgers = store::ledgers::lengths(&mut tx, household).await?;
            if ledgers.len() >= LEDGERS_MAX {
                return Err(AppendError::TooManyLedgers);
            }
        }
        store::ledgers::append(&mut tx, whose, &end, &entry.0).await?;
        let apps = adults_apps(&mut tx, household).await?;
        tx.commit().await?;
        for app in apps {
            let entry = entry.clone();
            let event = Event::LedgerGrew {
                device,
                index,
                entry,
            };
            self.bus.publish(Audience::Device(app), event);
        }
        Ok(())
    }

    /// How long the household's ledgers are, to an adult's app; to a home device, its own.
    ///
    /// # Errors
    /// When the speaker may not see them.
    pub async fn heads(&self, speaker: &Speaker) -> Result<Vec<LedgerHead>, ReadLedgerError> {
        let mut tx = self.db.read().await?;
        let (household, own) = reader(&mut tx, speaker).await?;
        let rows = store::ledgers::lengths(&mut tx, household).await?;
        let shown = rows
            .into_iter()
            .filter(|row| own.is_none_or(|own| own == row.device));
        Ok(shown
            .map(|row| LedgerHead {
                device: row.device,
                length: u64::try_from(row.length).unwrap_or_default(),
            })
            .collect())
    }

    /// Entries of one ledger, in order, and whether there are more.
    ///
    /// # Errors
    /// When the speaker may not see them, or there is no such ledger.
    pub async fn list(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        from: u64,
        limit: u16,
    ) -> Result<(Vec<Blob>, bool), ReadLedgerError> {
        if !(1..=LIST_MAX).contains(&limit) {
            return Err(ReadLedgerError::Limit);
        }
        let mut tx = self.db.read().await?;
        let (household, own) = reader(&mut tx, speaker).await?;
        if own.is_some_and(|own| own != device) {
            return Err(NotAdult::from(NoRight::NotAdult).into());
        }
        let known = store::ledgers::end(&mut tx, household, device).await?;
        let row = store::devices::find(&mut tx, device).await?;
        let theirs = row.is_some_and(|row| row.household.0 == Some(household));
        if known.is_none() && !theirs {
            return Err(ReadLedgerError::NotFound);
        }
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let wanted = i64::from(limit);
        let rows = store::ledgers::list(&mut tx, household, device, (from, wanted + 1)).await?;
        let more = rows.len() > usize::from(limit);
        let entries = rows.into_iter().take(usize::from(limit)).map(Blob);
        Ok((entries.collect(), more))
    }
}

/// A home device of a household, which has a ledger.
fn target(speaker: &Speaker) -> Option<(HouseholdId, DeviceId)> {
    let stands = speaker.kind == DeviceKind::HomeDevice && !speaker.guest;
    speaker.household.zip(speaker.device).filter(|_| stands)
}

/// Whoever may read: an adult's app all of its household, a home device its own.
async fn reader(
    tx: &mut Tx,
    speaker: &Speaker,
) -> Result<(HouseholdId, Option<DeviceId>), ReadLedgerError> {
    match target(speaker) {
        Some((household, device)) => Ok((household, Some(device))),
        None => Ok((adult_of(tx, speaker).await?, None)),
    }
}

/// An entry that should be stored already: the same, or the ledger has another end.
async fn known(
    tx: &mut Tx,
    (household, device): (HouseholdId, DeviceId),
    index: u64,
    entry: &Blob,
) -> Result<(), AppendError> {
    let from = i64::try_from(index).unwrap_or(i64::MAX);
    let stored = store::ledgers::list(tx, household, device, (from, 1)).await?;
    match stored.first() == Some(&entry.0) {
        true => Ok(()),
        false => Err(AppendError::OtherEnd),
    }
}

async fn adults_apps(tx: &mut Tx, household: HouseholdId) -> Result<Vec<DeviceId>, StoreError> {
    let members = store::accounts::members(tx, household).await?;
    let adults = members.iter().filter(|row| row.role.0 != Role::Child);
    let adults: BTreeSet<AccountId> = adults.map(|row| row.id).collect();
    let devices = store::devices::of_household(tx, household).await?;
    let apps = devices
        .into_iter()
        .filter(|row| row.kind.0 == DeviceKind::App && adults.contains(&row.account));
    Ok(apps.map(|row| row.id).collect())
}
