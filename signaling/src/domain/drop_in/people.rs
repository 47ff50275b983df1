//! Who the people of a contact are, for a grant that names them. Ids only, and only to a household that has
//! pinned the very key of theirs.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, ContactId};

use super::DropIn;
use crate::domain::identity::{ContactCard, Pin, household_id};
use crate::domain::roster::{self, GrowError};
use crate::model::{NoRight, Speaker};
use crate::store::{self, StoreError};

/// Why nobody is named.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The speaker may not.
    #[error(transparent)]
    NoRight(#[from] NoRight),
    /// There is no such contact, its key was never seen, or its handle is another household's by now.
    #[error("no such contact with the key that is pinned")]
    NotFound,
    /// The roster cannot be read.
    #[error(transparent)]
    Roster(#[from] GrowError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DropIn {
    /// The person who has a contact's handle, and everybody of their household.
    ///
    /// # Errors
    /// [`PeopleError`]. That nobody has the handle is told as that its key is another.
    pub async fn people(
        &self,
        speaker: &Speaker,
        contact: ContactId,
    ) -> Result<(AccountId, Vec<AccountId>), PeopleError> {
        let app = speaker.adult_app()?;
        let mut tx = self.db.read().await?;
        let row = store::contacts::find(&mut tx, app.household, contact).await?;
        let row = row.ok_or(PeopleError::NotFound)?;
        let roster = roster::load(&mut tx, app.household).await?;
        let card = ContactCard::open(&row.card, &roster).map_err(|_| PeopleError::NotFound)?;
        let handle: Handle = card.handle.parse().map_err(|_| PeopleError::NotFound)?;
        let person = store::accounts::by_handle(&mut tx, &handle).await?;
        let person = person.ok_or(PeopleError::NotFound)?;
        // A key that was never seen is all zeros, which is no household's.
        let pinned = household_id(card.their_genesis);
        if card.pin == Pin::Deleted || person.household.0 != Some(pinned) {
            return Err(PeopleError::NotFound);
        }
        let members = store::accounts::members(&mut tx, pinned).await?;
        let household = members.into_iter().map(|row| row.id).collect();
        Ok((person.id, household))
    }
}
