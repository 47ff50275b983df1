//! Adds, changes and deletes contacts.

use homeline_protocol::id::{AccountId, ContactId, GrantId, HouseholdId};
use homeline_protocol::session::{Contact, Event};
use homeline_protocol::{Blob, Handle};

use crate::bus::{Audience, Bus, Notice};
use crate::domain::identity::{ContactCard, GrantStatement, Pin, PublicKey, StatementError};
use crate::domain::roster::{self, GrowError};
use crate::model::{NoRight, Speaker, is_name};
use crate::store::contacts::ContactRow;
use crate::store::rules::children;
use crate::store::{self, Db, StoreError, Tx};

/// More people than a household knows; a full address book refuses further ones.
const CONTACTS_MAX: i64 = 5_000;
/// A card's longest form: name, handle, a few keys.
const CARD_BYTES_MAX: usize = 1024;

/// Why a contact is not stored.
#[derive(Debug, thiserror::Error)]
pub enum PutContactError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The name is no name, or the card too long.
    #[error("{0}")]
    Field(&'static str),
    /// The card does not hold, or says something else.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A newer card is stored.
    #[error("a newer card is stored")]
    Outdated,
    /// The address book is full.
    #[error("the household has {CONTACTS_MAX} contacts")]
    Full,
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a contact is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteContactError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// The card does not hold, or says something else.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A newer card is stored.
    #[error("a newer card is stored")]
    Outdated,
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Contacts.
#[derive(Debug)]
pub struct Contacts {
    db: Db,
    bus: Bus,
}

impl Contacts {
    /// The service, from its parts.
    #[must_use]
    pub fn new(db: Db, bus: Bus) -> Self {
        Self { db, bus }
    }

    /// Adds or changes a contact. Whether anyone has the handle is not told. Repeating it is no
    /// error.
    ///
    /// # Errors
    /// When the speaker may not, the card does not hold or is older than the stored one, or the
    /// address book is full.
    pub async fn put(&self, speaker: &Speaker, contact: Contact) -> Result<(), PutContactError> {
        let app = speaker.adult_app()?;
        if !is_name(&contact.name) {
            return Err(PutContactError::Field(
                "A contact's name has 1 to 64 characters.",
            ));
        }
        if contact.card.0.len() > CARD_BYTES_MAX {
            return Err(PutContactError::Field(
                "A contact card has at most 1024 bytes.",
            ));
        }
        let mut tx = self.db.write().await?;
        let before = store::contacts::find(&mut tx, app.household, contact.id).await?;
        if before
            .as_ref()
            .is_some_and(|before| is_same(before, &contact))
        {
            return Ok(());
        }
        let (card, revision) = open(&mut tx, app.household, &contact.card).await?;
        check_card(&card, &contact.name, &contact.handle, contact.id)?;
        match before {
            Some(before) if before.revision >= revision => return Err(PutContactError::Outdated),
            Some(_) => {}
            None if store::contacts::count(&mut tx, app.household).await? >= CONTACTS_MAX => {
                return Err(PutContactError::Full);
            }
            None => {}
        }
        let row = ContactRow {
            id: contact.id,
            name: contact.name.clone(),
            handle: contact.handle.clone(),
            card: contact.card.0.clone(),
            revision,
        };
        store::contacts::put(&mut tx, app.household, &row).await?;
        let children = children::who_chose(&mut tx, contact.id).await?;
        let key = card.their_genesis;
        let ended = end_grants(&mut tx, app.household, contact.id, Some(key)).await?;
        tx.commit().await?;
        self.tell_calls(children);
        self.tell_ended(app.household, ended);
        self.bus.publish(
            Audience::Household(app.household),
            Event::ContactPut(contact),
        );
        Ok(())
    }

    /// Deletes a contact. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not, or the card is no newer, signed deletion of this contact.
    pub async fn delete(
        &self,
        speaker: &Speaker,
        contact: ContactId,
        card: &Blob,
    ) -> Result<(), DeleteContactError> {
        let app = speaker.adult_app()?;
        let mut tx = self.db.write().await?;
        let before = store::contacts::find(&mut tx, app.household, contact).await?;
        let Some(before) = before else { return Ok(()) };
        let roster = roster::load(&mut tx, app.household).await?;
        let card = ContactCard::open(card.as_ref(), &roster)?;
        if card.contact != contact || card.pin != Pin::Deleted {
            return Err(StatementError::SaysOtherwise.into());
        }
        if i64::try_from(card.revision).is_ok_and(|revision| revision <= before.revision) {
            return Err(DeleteContactError::Outdated);
        }
        let children = children::who_chose(&mut tx, contact).await?;
        store::contacts::delete(&mut tx, app.household, contact).await?;
        store::last_numbers::forget_contact(&mut tx, contact).await?;
        let ended = end_grants(&mut tx, app.household, contact, None).await?;
        tx.commit().await?;
        self.tell_calls(children);
        self.tell_ended(app.household, ended);
        self.bus.publish(
            Audience::Household(app.household),
            Event::ContactDeleted { contact },
        );
        Ok(())
    }
}

impl Contacts {
    /// A child's chosen contact is another one now, or none: their running calls are looked at.
    fn tell_calls(&self, children: Vec<AccountId>) {
        for account in children {
            self.bus.notify(Notice::ChildLimited { account });
        }
    }

    fn tell_ended(&self, household: HouseholdId, grants: Vec<GrantId>) {
        if !grants.is_empty() {
            self.bus.notify(Notice::DropInChanged { household });
        }
        for grant in grants {
            let event = Event::DropInGrantEnded { grant };
            self.bus.publish(Audience::Household(household), event);
        }
    }
}

/// Takes out who may drop in as this contact, but with the key that is pinned now.
async fn end_grants(
    tx: &mut Tx,
    household: HouseholdId,
    contact: ContactId,
    pinned: Option<PublicKey>,
) -> Result<Vec<GrantId>, StoreError> {
    let mut ended = Vec::new();
    for row in store::drop_in::of_contact(tx, household, contact).await? {
        let to = GrantStatement::stored(&row.statement).map(|said| said.to.contact());
        let key = to.ok().flatten().map(|(_, key)| key);
        if key.is_none() || key != pinned {
            store::drop_in::delete(tx, household, row.id).await?;
            ended.push(row.id);
        }
    }
    Ok(ended)
}

async fn open(
    tx: &mut Tx,
    household: HouseholdId,
    card: &Blob,
) -> Result<(ContactCard, i64), PutContactError> {
    let roster = roster::load(tx, household).await?;
    let card = ContactCard::open(card.as_ref(), &roster)?;
    let revision = i64::try_from(card.revision).map_err(|_| StatementError::SaysOtherwise)?;
    Ok((card, revision))
}

fn check_card(
    card: &ContactCard,
    name: &str,
    handle: &Handle,
    contact: ContactId,
) -> Result<(), StatementError> {
    let agrees = card.contact == contact
        && card.name == name
        && card.handle == handle.as_str()
        && card.pin == Pin::Kept;
    if agrees {
        Ok(())
    } else {
        Err(StatementError::SaysOtherwise)
    }
}

fn is_same(row: &ContactRow, contact: &Contact) -> bool {
    row.card == contact.card.0 && row.name == contact.name && row.handle == contact.handle
}
