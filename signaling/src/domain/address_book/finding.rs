//! Looks a name up among the household's contacts and the account's own imported entries.

use homeline_protocol::PhoneText;
use homeline_protocol::session::{Choice, Found, NumberKind, NumberOf, PhoneNumber};

use super::rules::{self, CHOICES_MAX, Candidate, Fit};
use super::service::{contact_number, entry_number};
use super::{AddressBooks, BookError, NumberUsedError};
use crate::model::Speaker;
use crate::store::address_book::EntryRow;
use crate::store::contacts::ContactRow;
use crate::store::{self, StoreError, Tx};

impl AddressBooks {
    /// Finds somebody by name: exactly one way to reach them, several to ask about, or nobody. Whole
    /// names come before parts of names; hidden entries are not found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        speaker: &Speaker,
        name: &str,
        kind: Option<NumberKind>,
    ) -> Result<Found, BookError> {
        let said = rules::fold(name);
        let mut tx = self.db.read().await?;
        let contacts = match speaker.household {
            Some(household) => store::contacts::of_household(&mut tx, household).await?,
            None => Vec::new(),
        };
        let entries = store::address_book::shown(&mut tx, speaker.account).await?;
        let contacts: Vec<_> = fitting(&said, contacts, |row| &row.name);
        let entries: Vec<_> = fitting(&said, entries, |row| &row.name);
        let best = contacts.iter().map(|(fit, _)| *fit);
        let Some(best) = best.chain(entries.iter().map(|(fit, _)| *fit)).max() else {
            return Ok(Found::Nobody);
        };
        let mut candidates = Vec::new();
        // One more than is answered, so that the answer can say that there are more.
        for row in best_of(best, contacts).take(CHOICES_MAX + 1) {
            candidates.push(of_contact(&mut tx, speaker, row).await?);
        }
        for row in best_of(best, entries).take(CHOICES_MAX + 1) {
            candidates.push(of_entry(&mut tx, speaker, row).await?);
        }
        Ok(rules::choose(candidates, kind))
    }

    /// Notes that the speaker called a number of a contact or an imported entry.
    ///
    /// # Errors
    /// When the speaker knows no such number.
    pub async fn used(
        &self,
        speaker: &Speaker,
        of: NumberOf,
        number: &PhoneText,
    ) -> Result<(), NumberUsedError> {
        let mut tx = self.db.write().await?;
        let known = match of {
            NumberOf::Contact { contact } => match speaker.household {
                Some(household) => {
                    let rows = store::numbers::of_contact(&mut tx, household, contact).await?;
                    rows.iter().any(|row| row.text.0 == *number)
                }
                None => false,
            },
            NumberOf::Entry { entry } => {
                let range = (entry, entry);
                let rows = store::numbers::of_entries(&mut tx, speaker.account, range).await?;
                rows.iter().any(|row| row.text.0 == *number)
            }
        };
        if !known {
            return Err(NumberUsedError::NotFound);
        }
        store::last_numbers::put(&mut tx, speaker.account, of, number).await?;
        Ok(tx.commit().await?)
    }
}

fn fitting<T>(said: &str, rows: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<(Fit, T)> {
    let fitting = rows.into_iter().filter_map(|row| {
        let fit = rules::fit(said, name(&row))?;
        Some((fit, row))
    });
    fitting.collect()
}

fn best_of<T>(best: Fit, rows: Vec<(Fit, T)>) -> impl Iterator<Item = T> {
    rows.into_iter()
        .filter(move |(fit, _)| *fit == best)
        .map(|(_, row)| row)
}

async fn of_contact(
    tx: &mut Tx,
    speaker: &Speaker,
    row: ContactRow,
) -> Result<Candidate, StoreError> {
    let numbers = match speaker.household {
        Some(household) => store::numbers::of_contact(tx, household, row.id).await?,
        None => Vec::new(),
    };
    let of = NumberOf::Contact { contact: row.id };
    let last = store::last_numbers::find(tx, speaker.account, of).await?;
    Ok(Candidate {
        choice: Choice {
            name: row.name,
            contact: Some(row.id),
            entry: None,
            handle: Some(row.handle),
            number: None,
        },
        numbers: numbers.into_iter().map(contact_number).collect(),
        last,
    })
}

async fn of_entry(tx: &mut Tx, speaker: &Speaker, row: EntryRow) -> Result<Candidate, StoreError> {
    let rows = store::numbers::of_entries(tx, speaker.account, (row.id, row.id)).await?;
    let handle = rows.iter().find_map(|row| row.registered.0.clone());
    let numbers: Vec<PhoneNumber> = rows.into_iter().map(entry_number).collect();
    let of = NumberOf::Entry { entry: row.id };
    let last = store::last_numbers::find(tx, speaker.account, of).await?;
    Ok(Candidate {
        choice: Choice {
            name: row.name,
            contact: None,
            entry: Some(row.id),
            handle,
            number: None,
        },
        numbers,
        last,
    })
}
