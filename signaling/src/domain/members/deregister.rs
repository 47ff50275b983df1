//! The end of an account, by its own person's word.
//!
//! Its handle is nobody's for thirty days, so that nobody is taken for somebody who just left. What is
//! in the signed roster can be taken out only by an app that may sign: the leaving one if it may, else
//! an adult's app later. Until then the entries name devices that reach nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{DeviceKind, ErrorCode, Event, Role};
use homeline_protocol::{Blob, Secret};

use super::DeregisterError;
use super::rules::{Departure, departure};
use super::service::{Members, standings};
use crate::bus::Audience;
use crate::domain::roster::{self, Grown};
use crate::model::Speaker;
use crate::store::rules::leaving;
use crate::store::{self, StoreError, Tx};

/// How long a handle is nobody's.
const HANDLE_RESTS: Duration = Duration::from_hours(30 * 24);

/// A de-registration as the request says it.
#[derive(Debug, Clone, Copy)]
pub struct Deregistration<'a> {
    /// The account's password.
    pub password: &'a Secret,
    /// Who takes over its home devices; without it they are removed.
    pub hand_over_to: Option<AccountId>,
    /// The signed removals of what goes, or none.
    pub entries: &'a [Blob],
}

/// What is to be told once all is stored.
#[derive(Debug, Default)]
struct Gone {
    devices: BTreeSet<DeviceId>,
    handed_over: BTreeSet<DeviceId>,
    grown: Option<Grown>,
    turned_away: Vec<AccountId>,
}

impl Members {
    /// Deletes the speaker's account. From then on it reaches nobody and nobody reaches it.
    ///
    /// # Errors
    /// When the password is wrong, the others would be without an adult, nobody can take over, or the
    /// entries are neither none nor exactly the removals of what goes.
    pub async fn deregister(
        &self,
        speaker: &Speaker,
        said: Deregistration<'_>,
    ) -> Result<(), DeregisterError> {
        let account = speaker.account;
        if speaker.kind != DeviceKind::App {
            return Err(DeregisterError::NotApp);
        }
        self.accounts.check_password(account, said.password).await?;
        let gate = self.gate.enter().await;
        // Looked at first, so that no call ends for a refusal.
        let mut tx = self.db.read().await?;
        self.plan(&mut tx, account, said.hand_over_to).await?;
        let devices = store::devices::of_account(&mut tx, account).await?;
        let devices: Vec<_> = devices.into_iter().map(|row| row.id).collect();
        drop(tx);
        // Before the account goes, so that the others keep these calls in their history.
        self.calls.hang_up_all(account, &devices).await;
        let mut tx = self.db.write().await?;
        let row = store::accounts::find(&mut tx, account).await?;
        let row = row.ok_or(DeregisterError::NotFound)?;
        let gone = match row.household.0 {
            Some(household) => self.take_out(&mut tx, account, household, said).await?,
            None => Gone::default(),
        };
        leaving::delete_account(&mut tx, account).await?;
        let until = self.clock.now().plus(HANDLE_RESTS);
        leaving::retire(&mut tx, &row.handle, until).await?;
        if let (Some(household), None) = (row.household.0, &gone.grown) {
            leaving::delete_household(&mut tx, household).await?;
        }
        tx.commit().await?;
        self.calls.guests().end_links_of(account).await?;
        self.tell(account, gone);
        drop(gate);
        Ok(())
    }

    /// Whether the account may go, and who follows an owner; `None` for the last member.
    async fn plan(
        &self,
        tx: &mut Tx,
        account: AccountId,
        hand_over_to: Option<AccountId>,
    ) -> Result<Option<Departure>, DeregisterError> {
        let row = store::accounts::find(tx, account).await?;
        let household = row.ok_or(DeregisterError::NotFound)?.household.0;
        let Some(household) = household else {
            return Ok(None);
        };
        let members = standings(tx, household).await?;
        if let Some(heir) = hand_over_to {
            let adult = |one: &&super::rules::Standing| {
                one.account == heir && heir != account && one.role != Role::Child
            };
            members.iter().find(adult).ok_or(DeregisterError::NoHeir)?;
        }
        match departure(&members, account) {
            Departure::LeavesNoAdult => Err(DeregisterError::LastAdult),
            departure => Ok(Some(departure)),
        }
    }

    /// Out of the household: devices handed over or removed, an owner followed by another.
    async fn take_out(
        &self,
        tx: &mut Tx,
        account: AccountId,
        household: HouseholdId,
        said: Deregistration<'_>,
    ) -> Result<Gone, DeregisterError> {
        let departure = self.plan(tx, account, said.hand_over_to).await?;
        let mut gone = Gone::default();
        for row in store::devices::of_account(tx, account).await? {
            match said
                .hand_over_to
                .filter(|_| row.kind.0 == DeviceKind::HomeDevice)
            {
                Some(heir) => {
                    leaving::hand_over(tx, row.id, heir).await?;
                    gone.handed_over.insert(row.id);
                }
                None => {
                    gone.devices.insert(row.id);
                }
            }
        }
        let Some(Departure::GoesOn { heir }) = departure else {
            let joins = store::invitations::joins(tx, household).await?;
            gone.turned_away = joins.into_iter().map(|join| join.account).collect();
            return Ok(gone);
        };
        if let Some(heir) = heir {
            store::accounts::set_role(tx, heir, Role::Owner).await?;
        }
        leaving::leave(tx, account).await?;
        let (now, devices) = (self.clock.now(), &gone.devices);
        gone.grown = Some(if said.entries.is_empty() {
            mark_removed(tx, devices, now).await?;
            roster::grown(tx, household, &[]).await?
        } else {
            roster::remove_devices(tx, household, devices, said.entries, now).await?
        });
        Ok(gone)
    }

    fn tell(&self, account: AccountId, gone: Gone) {
        for device in gone.devices {
            self.bus.end_sessions(device, ErrorCode::NotRegistered);
        }
        self.bus.end_account(account, ErrorCode::NotRegistered);
        for device in gone.handed_over {
            // It comes back at once, and speaks for its new person.
            self.bus.end_sessions(device, ErrorCode::ShuttingDown);
        }
        for waiting in gone.turned_away {
            self.bus
                .publish(Audience::Account(waiting), Event::JoinRefused);
        }
        if let Some(grown) = gone.grown {
            grown.publish(&self.bus);
        }
    }
}

async fn mark_removed(
    tx: &mut Tx,
    devices: &BTreeSet<DeviceId>,
    now: crate::model::UnixMillis,
) -> Result<(), StoreError> {
    for device in devices {
        store::devices::remove(tx, *device, now).await?;
    }
    Ok(())
}
