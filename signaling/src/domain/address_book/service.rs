//! The service: what an account chose, what it holds, and the numbers of contacts.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, ContactId, EntryId};
use homeline_protocol::session::{
    AddressBook, ContactNumbers, Event, ImportedEntry, OwnNumber, PhoneNumber, WrittenNumber,
};

use super::import::UNFINISHED_LIFETIME;
use super::{BookError, HideError, ListError, SetNumbersError, rules};
use crate::bus::{Audience, Bus};
use crate::domain::numbers::{BadRegion, HomeRegion, Numbers, read_all};
use crate::model::{Clock, NoRight, Speaker};
use crate::store::address_book::{ChoiceRow, EntryRow};
use crate::store::numbers::{ContactNumberRow, EntryNumberRow};
use crate::store::{self, Db, StoreError, Tx};

/// Entries in one page.
const PAGE: i64 = 200;
/// Typed numbers in one page; a contact's stay together.
const NUMBERS_PAGE: i64 = 2_000;

/// Address books.
pub struct AddressBooks {
    pub(super) db: Db,
    pub(super) bus: Bus,
    pub(super) clock: Clock,
    pub(super) numbers: Arc<Numbers>,
}

impl fmt::Debug for AddressBooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressBooks")
    }
}

impl AddressBooks {
    /// The service, from its parts.
    #[must_use]
    pub fn new((db, bus, clock): (Db, Bus, Clock), numbers: Arc<Numbers>) -> Self {
        Self {
            db,
            bus,
            clock,
            numbers,
        }
    }

    /// What the account chose and holds. A new day's lookups are made use of first.
    ///
    /// # Errors
    /// When the speaker is no app.
    pub async fn settings(&self, speaker: &Speaker) -> Result<AddressBook, BookError> {
        speaker.app()?;
        let account = speaker.account;
        let mut tx = self.db.read().await?;
        let choice = self.choice(&mut tx, account).await?;
        let waits =
            choice.lookups_left > 0 && store::numbers::waits_for_lookups(&mut tx, account).await?;
        let region = choice.region.clone();
        let entries = store::address_book::count(&mut tx, account).await?;
        let number = store::numbers::verified(&mut tx, account).await?;
        drop(tx);
        if waits {
            let mut tx = self.db.write().await?;
            self.allow_lookups(&mut tx, account).await?;
            tx.commit().await?;
        }
        Ok(AddressBook {
            import: choice.import,
            region: region.unwrap_or_else(|| self.numbers.default_region().to_owned()),
            entries: u32::try_from(entries).unwrap_or(u32::MAX),
            number: number.map(|row| OwnNumber {
                number: row.e164,
                discoverable: row.discoverable,
            }),
            verification: self.numbers.can_send(),
        })
    }

    /// Allows importing, or forbids it: then all that was imported goes at once.
    ///
    /// # Errors
    /// When the speaker is no app.
    pub async fn set_import(&self, speaker: &Speaker, on: bool) -> Result<(), BookError> {
        speaker.app()?;
        let account = speaker.account;
        let mut tx = self.db.write().await?;
        let mut choice = self.choice(&mut tx, account).await?;
        choice.import = Some(on);
        store::address_book::put_choice(&mut tx, account, &choice).await?;
        if !on {
            store::address_book::delete_all(&mut tx, account).await?;
            store::numbers::forget_lookups(&mut tx, account).await?;
            store::last_numbers::forget_gone(&mut tx, account).await?;
        }
        tx.commit().await?;
        self.tell(account);
        Ok(())
    }

    /// The region in which numbers are read from now on.
    ///
    /// # Errors
    /// When the speaker is no app, or the region is none.
    pub async fn set_region(&self, speaker: &Speaker, region: &str) -> Result<(), BookError> {
        speaker.app()?;
        region
            .parse::<HomeRegion>()
            .map_err(|BadRegion| BadRegion)?;
        let mut tx = self.db.write().await?;
        let mut choice = self.choice(&mut tx, speaker.account).await?;
        choice.region = Some(region.to_owned());
        store::address_book::put_choice(&mut tx, speaker.account, &choice).await?;
        tx.commit().await?;
        self.tell(speaker.account);
        Ok(())
    }

    /// Imported entries after one of them, and whether there are more.
    ///
    /// # Errors
    /// When the speaker is no app: a home device shows nobody a person's whole address book.
    pub async fn list(
        &self,
        speaker: &Speaker,
        after: Option<EntryId>,
    ) -> Result<(Vec<ImportedEntry>, bool), ListError> {
        speaker.app()?;
        let mut tx = self.db.read().await?;
        let mut rows = store::address_book::page(&mut tx, speaker.account, after, PAGE + 1).await?;
        let more = rows.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
        if more {
            rows.pop();
        }
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok((Vec::new(), false));
        };
        let range = (first.id, last.id);
        let numbers = store::numbers::of_entries(&mut tx, speaker.account, range).await?;
        Ok((with_numbers(rows, numbers), more))
    }

    /// Hides an imported entry or shows it again.
    ///
    /// # Errors
    /// When the account has no such entry.
    pub async fn hide(
        &self,
        speaker: &Speaker,
        entry: EntryId,
        hidden: bool,
    ) -> Result<(), HideError> {
        speaker.app()?;
        let mut tx = self.db.write().await?;
        if !store::address_book::hide(&mut tx, speaker.account, entry, hidden).await? {
            return Err(HideError::NotFound);
        }
        tx.commit().await?;
        self.tell(speaker.account);
        Ok(())
    }

    /// Keeps the numbers that were typed for a contact of the household.
    ///
    /// # Errors
    /// When the speaker may not, a number is out of its bounds, or there is no such contact.
    pub async fn set_contact_numbers(
        &self,
        speaker: &Speaker,
        contact: ContactId,
        numbers: &[WrittenNumber],
    ) -> Result<(), SetNumbersError> {
        let app = speaker.adult_app()?;
        let mut tx = self.db.write().await?;
        let region = self.numbers.region(&mut tx, app.account).await?;
        let rows = read_all(numbers, region).map_err(SetNumbersError::Field)?;
        if store::contacts::find(&mut tx, app.household, contact)
            .await?
            .is_none()
        {
            return Err(SetNumbersError::NotFound);
        }
        let typed = (contact, app.account);
        store::numbers::put_contact(&mut tx, app.household, typed, &rows).await?;
        store::numbers::forget_lookups(&mut tx, app.account).await?;
        self.allow_lookups(&mut tx, app.account).await?;
        let rows = store::numbers::of_contact(&mut tx, app.household, contact).await?;
        tx.commit().await?;
        let mut put = ContactNumbers {
            contact,
            numbers: Vec::new(),
            registered: None,
        };
        for row in rows {
            add(&mut put, row);
        }
        let event = Event::ContactNumbersPut(put);
        self.bus.publish(Audience::Household(app.household), event);
        Ok(())
    }

    /// The typed numbers of contacts after one of them, and whether there are more.
    ///
    /// # Errors
    /// When the speaker belongs to no household.
    pub async fn contact_numbers(
        &self,
        speaker: &Speaker,
        after: Option<ContactId>,
    ) -> Result<(Vec<ContactNumbers>, bool), ListError> {
        let household = speaker.household.ok_or(NoRight::NoHousehold)?;
        let mut tx = self.db.read().await?;
        let rows = store::numbers::of_contacts(&mut tx, household, after, NUMBERS_PAGE + 1).await?;
        let more = rows.len() > usize::try_from(NUMBERS_PAGE).unwrap_or(usize::MAX);
        let mut contacts: Vec<ContactNumbers> = Vec::new();
        for row in rows {
            let id = row.contact;
            if contacts.last().is_none_or(|last| last.contact != id) {
                contacts.push(ContactNumbers {
                    contact: id,
                    numbers: Vec::new(),
                    registered: None,
                });
            }
            if let Some(last) = contacts.last_mut() {
                add(last, row);
            }
        }
        if more {
            // The last one may go on beyond the page.
            contacts.pop();
        }
        Ok((contacts, more))
    }

    /// Forgets imports that were never finished. Called now and then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let before = self.clock.now().minus(UNFINISHED_LIFETIME);
        let mut tx = self.db.write().await?;
        store::address_book::delete_unfinished(&mut tx, before).await?;
        tx.commit().await
    }

    /// What an account chose, with the lookups that are left now.
    pub(super) async fn choice(
        &self,
        tx: &mut Tx,
        account: AccountId,
    ) -> Result<ChoiceRow, StoreError> {
        let now = self.clock.now();
        let kept = store::address_book::choice(tx, account).await?;
        let mut choice = kept.unwrap_or_else(|| rules::unasked(now));
        rules::refill(&mut choice, now);
        Ok(choice)
    }

    pub(super) fn tell(&self, account: AccountId) {
        let event = Event::AddressBookChanged;
        self.bus.publish(Audience::Account(account), event);
    }
}

fn with_numbers(rows: Vec<EntryRow>, numbers: Vec<EntryNumberRow>) -> Vec<ImportedEntry> {
    let mut of_entry: HashMap<EntryId, (Vec<PhoneNumber>, Option<Handle>)> = HashMap::new();
    for row in numbers {
        let (numbers, registered) = of_entry.entry(row.entry).or_default();
        if registered.is_none() {
            registered.clone_from(&row.registered.0);
        }
        numbers.push(entry_number(row));
    }
    let entries = rows.into_iter().map(|row| {
        let (numbers, registered) = of_entry.remove(&row.id).unwrap_or_default();
        ImportedEntry {
            id: row.id,
            source: row.source,
            name: row.name,
            numbers,
            hidden: row.hidden,
            registered,
        }
    });
    entries.collect()
}

fn add(to: &mut ContactNumbers, row: ContactNumberRow) {
    if to.registered.is_none() {
        to.registered.clone_from(&row.registered.0);
    }
    to.numbers.push(contact_number(row));
}

pub(super) fn entry_number(row: EntryNumberRow) -> PhoneNumber {
    PhoneNumber {
        kind: row.kind.0,
        text: row.text.0,
        e164: row.e164.0,
    }
}

pub(super) fn contact_number(row: ContactNumberRow) -> PhoneNumber {
    PhoneNumber {
        kind: row.kind.0,
        text: row.text.0,
        e164: row.e164.0,
    }
}
