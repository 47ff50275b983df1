//! Roles, removal and leaving.

use std::collections::BTreeSet;
use std::sync::Arc;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{DeviceKind, ErrorCode, Event, Role};

use super::rules::{BadRole, Departure, Standing, check_role, departure};
use super::{LeaveError, RemoveMemberError, SetRoleError};
use crate::bus::{Audience, Bus, Notice};
use crate::domain::accounts::Accounts;
use crate::domain::calls::Calls;
use crate::domain::households::{adult_of, child};
use crate::domain::roster::{self, RosterGate, member_view};
use crate::model::{Clock, NoRight, Speaker};
use crate::store::rules::{children, leaving};
use crate::store::{self, Db, StoreError, Tx};

/// Members.
#[derive(Debug)]
pub struct Members {
    pub(super) db: Db,
    pub(super) bus: Bus,
    pub(super) clock: Clock,
    pub(super) gate: RosterGate,
    pub(super) accounts: Arc<Accounts>,
    pub(super) calls: Calls,
}

impl Members {
    /// The service, from its parts.
    #[must_use]
    pub fn new(
        (db, bus, clock): (Db, Bus, Clock),
        gate: RosterGate,
        accounts: Arc<Accounts>,
        calls: Calls,
    ) -> Self {
        Self {
            db,
            bus,
            clock,
            gate,
            accounts,
            calls,
        }
    }

    /// Makes a member an adult or a child. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker is no adult's app, or the role can't be changed so.
    pub async fn set_role(
        &self,
        speaker: &Speaker,
        account: AccountId,
        role: Role,
    ) -> Result<(), SetRoleError> {
        let mut tx = self.db.write().await?;
        let household = adult_of(&mut tx, speaker).await?;
        let members = standings(&mut tx, household).await?;
        let member = members.iter().find(|one| one.account == account);
        let member = *member.ok_or(SetRoleError::NotFound)?;
        check_role(speaker.account, member, role).map_err(|bad| match bad {
            BadRole::NotThis => SetRoleError::NotThis,
            BadRole::HasAdultApp => SetRoleError::HasAdultApp,
        })?;
        if member.role == role {
            return Ok(());
        }
        store::accounts::set_role(&mut tx, account, role).await?;
        let child = match role {
            Role::Child => Some(child(&mut tx, account).await?),
            Role::Owner | Role::Adult => {
                children::delete(&mut tx, account).await?;
                None
            }
        };
        let row = store::accounts::find(&mut tx, account).await?;
        let row = row.ok_or(SetRoleError::NotFound)?;
        tx.commit().await?;
        if role == Role::Child {
            self.calls.guests().end_links_of(account).await?;
        }
        let audience = Audience::Household(household);
        let changed = Event::MemberChanged(member_view(&row));
        self.bus.publish(audience, changed);
        if let Some(child) = child {
            self.bus.publish(audience, Event::ChildChanged(child));
            self.bus.notify(Notice::ChildLimited { account });
        }
        Ok(())
    }

    /// Takes a member out, with all their devices, in one transaction.
    ///
    /// # Errors
    /// When the speaker's app may not sign, or the entries are not exactly the removals of their
    /// devices.
    pub async fn remove(
        &self,
        speaker: &Speaker,
        account: AccountId,
        entries: &[Blob],
    ) -> Result<(), RemoveMemberError> {
        let app = speaker.adult_app()?;
        let _gate = self.gate.enter().await;
        let mut tx = self.db.write().await?;
        let row = store::accounts::find(&mut tx, account).await?;
        let row = row.filter(|row| row.household.0 == Some(app.household));
        let row = row.ok_or(RemoveMemberError::NotFound)?;
        if account == app.account || row.role.0 == Role::Owner {
            return Err(RemoveMemberError::NotThis);
        }
        let devices = devices_of(&mut tx, account).await?;
        leaving::leave(&mut tx, account).await?;
        children::delete(&mut tx, account).await?;
        let now = self.clock.now();
        let grown = roster::remove_devices(&mut tx, app.household, &devices, entries, now).await?;
        tx.commit().await?;
        self.calls.guests().end_links_of(account).await?;
        self.end_sessions(&devices);
        grown.publish(&self.bus);
        Ok(())
    }

    /// Leaves the household. An app that may sign does it at once; for any other an adult's app is
    /// asked. Asking twice is no error.
    ///
    /// # Errors
    /// When the others would be without an adult, nobody would be left, or the entries are not exactly
    /// the removals of all own devices.
    pub async fn leave(&self, speaker: &Speaker, entries: &[Blob]) -> Result<(), LeaveError> {
        let household = speaker.household.ok_or(NoRight::NoHousehold)?;
        if speaker.kind != DeviceKind::App {
            return Err(LeaveError::NotApp);
        }
        let account = speaker.account;
        let _gate = self.gate.enter().await;
        let mut tx = self.db.write().await?;
        let members = standings(&mut tx, household).await?;
        let heir = match departure(&members, account) {
            Departure::Last => return Err(LeaveError::LastMember),
            Departure::LeavesNoAdult => return Err(LeaveError::LastAdult),
            Departure::GoesOn { heir } => heir,
        };
        let now = self.clock.now();
        if !speaker.adult {
            leaving::ask(&mut tx, account, now).await?;
            tx.commit().await?;
            let event = Event::LeaveRequested { account };
            self.bus.publish(Audience::Household(household), event);
            return Ok(());
        }
        let devices = devices_of(&mut tx, account).await?;
        leaving::leave(&mut tx, account).await?;
        if let Some(heir) = heir {
            store::accounts::set_role(&mut tx, heir, Role::Owner).await?;
        }
        let grown = roster::remove_devices(&mut tx, household, &devices, entries, now).await?;
        tx.commit().await?;
        self.calls.guests().end_links_of(account).await?;
        self.end_sessions(&devices);
        grown.publish(&self.bus);
        Ok(())
    }

    fn end_sessions(&self, devices: &BTreeSet<DeviceId>) {
        for device in devices {
            self.bus.end_sessions(*device, ErrorCode::DeviceRevoked);
        }
    }
}

/// The members of a household in the order in which they came.
pub(super) async fn standings(
    tx: &mut Tx,
    household: HouseholdId,
) -> Result<Vec<Standing>, StoreError> {
    let devices = store::devices::of_household(tx, household).await?;
    let members = store::accounts::members(tx, household).await?;
    let signs = |account| {
        devices
            .iter()
            .any(|one| one.account == account && one.adult)
    };
    Ok(members
        .into_iter()
        .map(|row| Standing {
            account: row.id,
            role: row.role.0,
            signs: signs(row.id),
        })
        .collect())
}

async fn devices_of(tx: &mut Tx, account: AccountId) -> Result<BTreeSet<DeviceId>, StoreError> {
    let rows = store::devices::of_account(tx, account).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
