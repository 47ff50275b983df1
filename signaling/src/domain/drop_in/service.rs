//! The verbs of grants.

use std::collections::BTreeSet;

use homeline_protocol::Blob;
use homeline_protocol::id::{DeviceId, GrantId, HouseholdId};
use homeline_protocol::session::{Callee, DeviceKind, DropInGrant, Event};

use super::rules::{self, GRANT_BYTES_MAX, GRANTS_MAX};
use super::{MayDropInError, PutGrantError, SetDropInError};
use crate::bus::{Audience, Bus, Notice};
use crate::domain::households::adult_of;
use crate::domain::identity::{ContactCard, GrantStatement, GrantTo, Roster, StatementError};
use crate::domain::reach::{Asking, Reach, Way, reach};
use crate::domain::roster;
use crate::model::{Clock, NoRight, Speaker};
use crate::store::drop_in::GrantRow;
use crate::store::{self, Db, Nullable, StoreError, Tx};

/// Who may drop in.
#[derive(Debug)]
pub struct DropIn {
    pub(super) db: Db,
    bus: Bus,
    clock: Clock,
    reach: Reach,
}

impl DropIn {
    /// The service, from its parts.
    #[must_use]
    pub fn new((db, bus, clock): (Db, Bus, Clock), reach: Reach) -> Self {
        Self {
            db,
            bus,
            clock,
            reach,
        }
    }

    /// Gives, changes, renews or revokes a grant, and tells the household. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not, or the statement does not hold or may not follow what is stored.
    pub async fn put(
        &self,
        speaker: &Speaker,
        id: GrantId,
        statement: &Blob,
    ) -> Result<(), PutGrantError> {
        let app = speaker.adult_app()?;
        if statement.0.len() > GRANT_BYTES_MAX {
            return Err(PutGrantError::TooLong);
        }
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let before = store::drop_in::find(&mut tx, app.household, id).await?;
        if before
            .as_ref()
            .is_some_and(|row| row.statement == statement.0)
        {
            return Ok(());
        }
        let roster = roster::load(&mut tx, app.household).await?;
        let said = GrantStatement::open(statement.as_ref(), &roster)?;
        if said.id != id {
            return Err(StatementError::SaysOtherwise.into());
        }
        let devices = home_devices(&mut tx, app.household).await?;
        rules::check(&said, before.as_ref(), &devices, now)?;
        if !said.revoked {
            check_contact(&mut tx, app.household, &said.to, &roster).await?;
        }
        store::drop_in::delete_expired(&mut tx, now).await?;
        let all = store::drop_in::of_household(&mut tx, app.household, now).await?;
        if all.len() >= GRANTS_MAX && !all.iter().any(|row| row.id == id) {
            return Err(PutGrantError::Full);
        }
        store::drop_in::put(&mut tx, app.household, &row(&said, statement)?).await?;
        tx.commit().await?;
        let statement = statement.clone();
        let event = Event::DropInGrantPut(DropInGrant { id, statement });
        let household = app.household;
        self.bus.notify(Notice::DropInChanged { household });
        self.bus.publish(Audience::Household(app.household), event);
        Ok(())
    }

    /// Switches drop-in off at a home device, or on again.
    ///
    /// # Errors
    /// When the speaker is neither the device nor an adult's app of its household.
    pub async fn set_device(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        on: bool,
    ) -> Result<(), SetDropInError> {
        let mut tx = self.db.write().await?;
        let household = if speaker.device == Some(device) {
            let household = speaker.household.ok_or(NoRight::NoHousehold);
            household.map_err(crate::domain::households::NotAdult::from)?
        } else {
            adult_of(&mut tx, speaker).await?
        };
        let row = store::devices::find(&mut tx, device).await?;
        let row = row
            .filter(|row| row.household.0 == Some(household) && row.removed_at_ms.is_none())
            .filter(|row| row.kind.0 == DeviceKind::HomeDevice)
            .ok_or(SetDropInError::NotFound)?;
        let mut settings = row.settings.view();
        settings.drop_in = on;
        store::devices::set_settings(&mut tx, device, &row.label, &settings).await?;
        tx.commit().await?;
        let event = Event::DeviceSettingsChanged {
            device,
            label: row.label,
            settings,
        };
        self.bus.publish(Audience::Household(household), event);
        self.bus.notify(Notice::DropInChanged { household });
        Ok(())
    }

    /// Whether the speaker may drop in on somebody now. That nobody could be reached is not told.
    ///
    /// # Errors
    /// In the words that a drop-in would be refused with.
    pub async fn may(&self, speaker: &Speaker, to: &Callee) -> Result<(), MayDropInError> {
        let asking = Asking {
            account: speaker.account,
            device: speaker.device,
            household: speaker.household,
            way: Way::DropIn,
            now: self.clock.now(),
        };
        let mut tx = self.db.read().await?;
        let world = self.reach.world(&mut tx, asking, to).await?;
        reach(&world.ok_or(MayDropInError::NotFound)?)?;
        Ok(())
    }
}

async fn home_devices(
    tx: &mut Tx,
    household: HouseholdId,
) -> Result<BTreeSet<DeviceId>, StoreError> {
    let rows = store::devices::of_household(tx, household).await?;
    let stands = rows
        .into_iter()
        .filter(|row| row.kind.0 == DeviceKind::HomeDevice);
    Ok(stands.map(|row| row.id).collect())
}

/// Whoever is let in must be a contact whose card pins that key: devices ask the same.
async fn check_contact(
    tx: &mut Tx,
    household: HouseholdId,
    to: &GrantTo,
    roster: &Roster,
) -> Result<(), PutGrantError> {
    let nobody = matches!(
        to,
        GrantTo::Person { person: None, .. } | GrantTo::Household { people: None, .. }
    );
    if nobody {
        return Err(StatementError::SaysOtherwise.into());
    }
    let Some((contact, key)) = to.contact() else {
        return Ok(());
    };
    let row = store::contacts::find(tx, household, contact).await?;
    let row = row.ok_or(PutGrantError::NotAContact)?;
    // A card whose signer has left is signed anew by an adult's app; until then it pins nothing.
    let card = ContactCard::open(&row.card, roster).map_err(|_| PutGrantError::NotAContact)?;
    if card.their_genesis == key {
        Ok(())
    } else {
        Err(PutGrantError::NotAContact)
    }
}

fn row(said: &GrantStatement, statement: &Blob) -> Result<GrantRow, StatementError> {
    let bounded = i64::try_from(said.revision).map_err(|_| StatementError::SaysOtherwise)?;
    Ok(GrantRow {
        id: said.id,
        revision: bounded,
        contact: Nullable(said.to.contact().map(|(contact, _)| contact)),
        signer: said.signer,
        statement: statement.0.clone(),
        revoked: said.revoked,
        expires_at_ms: crate::model::UnixMillis(said.expires_at_ms),
    })
}
