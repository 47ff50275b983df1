//! The verbs about children.

use std::collections::BTreeSet;

use homeline_protocol::id::{AccountId, HouseholdId};
use homeline_protocol::session::{ChildLimits, Event, Role};

use crate::bus::{Audience, Bus, Notice};
use crate::domain::households::{NotAdult, adult_of, child};
use crate::model::Speaker;
use crate::store::rules::children::{self, ChildRow};
use crate::store::rules::chosen::{self, Chosen};
use crate::store::{self, Db, StoreError, Tx};

/// Contacts that are chosen for one child. Whoever needs more is not chosen any more.
const CONTACTS_MAX: usize = 256;

/// What the adults let children do.
#[derive(Debug)]
pub struct Children {
    db: Db,
    bus: Bus,
}

/// Why nothing changes for a child.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The speaker is no adult's app.
    #[error(transparent)]
    NotAdult(#[from] NotAdult),
    /// The household has no such child.
    #[error("no such child")]
    NotFound,
    /// A field is out of its bounds.
    #[error("{0}")]
    Field(&'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Children {
    /// The service, from its parts.
    #[must_use]
    pub fn new(db: Db, bus: Bus) -> Self {
        Self { db, bus }
    }

    /// Sets what a child may. It holds at once: a running call that it does not allow goes on without
    /// the child.
    ///
    /// # Errors
    /// When the speaker is no adult's app, there is no such child, or too many contacts are chosen.
    pub async fn set_limits(
        &self,
        speaker: &Speaker,
        account: AccountId,
        limits: &ChildLimits,
    ) -> Result<(), ChildError> {
        let different: BTreeSet<_> = limits.contacts.iter().collect();
        if limits.contacts.len() > CONTACTS_MAX || different.len() < limits.contacts.len() {
            let message = "At most 256 contacts are chosen for a child, none named twice.";
            return Err(ChildError::Field(message));
        }
        let mut tx = self.db.write().await?;
        let (household, before) = find(&mut tx, speaker, account).await?;
        let row = ChildRow {
            calling: limits.calling,
            messaging: limits.messaging,
            drop_in: limits.drop_in,
            ..before
        };
        children::put(&mut tx, &row).await?;
        chosen::set(&mut tx, Chosen::ForChild, account, &limits.contacts).await?;
        self.tell(tx, household, account).await
    }

    async fn tell(
        &self,
        mut tx: Tx,
        household: HouseholdId,
        account: AccountId,
    ) -> Result<(), ChildError> {
        let child = child(&mut tx, account).await?;
        tx.commit().await?;
        self.bus
            .publish(Audience::Household(household), Event::ChildChanged(child));
        self.bus.notify(Notice::ChildLimited { account });
        Ok(())
    }
}

/// A child of the household of which the speaker is an adult.
async fn find(
    tx: &mut Tx,
    speaker: &Speaker,
    account: AccountId,
) -> Result<(HouseholdId, ChildRow), ChildError> {
    let household = adult_of(tx, speaker).await?;
    let row = store::accounts::find(tx, account).await?;
    let is_child =
        row.is_some_and(|row| row.household.0 == Some(household) && row.role.0 == Role::Child);
    if !is_child {
        return Err(ChildError::NotFound);
    }
    let row = children::find(tx, account).await?;
    Ok((household, row.unwrap_or_else(|| ChildRow::unasked(account))))
}
