//! The verbs of devices.

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{AnswerPolicy, Device, DeviceKind, ErrorCode, Event};

use super::{PutAnswerPolicyError, RemoveDeviceError, RenewCertificateError};
use crate::bus::{Audience, Bus};
use crate::domain::identity::{Chain, Identity, Kind, PolicyStatement, StatementError, device_id};
use crate::domain::roster::{self, RosterGate, device_view};
use crate::model::{Clock, Speaker};
use crate::store::devices::DeviceRow;
use crate::store::households::PolicyRow;
use crate::store::{self, Db, StoreError, Tx};

/// Apps and home devices.
#[derive(Debug)]
pub struct Devices {
    db: Db,
    bus: Bus,
    clock: Clock,
    gate: RosterGate,
}

impl Devices {
    /// The service, from its parts.
    #[must_use]
    pub fn new(db: Db, bus: Bus, clock: Clock, gate: RosterGate) -> Self {
        Self {
            db,
            bus,
            clock,
            gate,
        }
    }

    /// The devices of a household that are not removed, shown as offline.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_household(&self, household: HouseholdId) -> Result<Vec<Device>, StoreError> {
        let rows = store::devices::of_household(&mut self.db.read().await?, household).await?;
        Ok(rows.iter().map(device_view).collect())
    }

    /// The devices of a person that are certified and not removed, shown as offline: the person's
    /// apps, and the home devices whose default person they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_account(&self, account: AccountId) -> Result<Vec<Device>, StoreError> {
        let rows = store::devices::of_account(&mut self.db.read().await?, account).await?;
        Ok(rows.iter().map(device_view).collect())
    }

    /// Stores a renewed chain of a device of the household.
    ///
    /// # Errors
    /// When the speaker may not, or the chain does not fit the device.
    pub async fn renew_certificate(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        chain: &Blob,
    ) -> Result<(), RenewCertificateError> {
        let app = speaker.adult_app()?;
        let identity = Chain::verify(chain.as_ref(), self.clock.now())?;
        let mut tx = self.db.write().await?;
        let row = find(&mut tx, app.household, device).await?;
        let row = row.ok_or(RenewCertificateError::NotFound)?;
        let roster = roster::load(&mut tx, app.household).await?;
        if !fits(&identity, &row) || !roster.vouches_for(&identity) {
            return Err(RenewCertificateError::SaysOtherwise);
        }
        store::devices::set_chain(&mut tx, device, chain.as_ref()).await?;
        tx.commit().await?;
        let event = Event::CertificateRenewed {
            device,
            chain: chain.clone(),
        };
        self.bus.publish(Audience::Household(app.household), event);
        Ok(())
    }

    /// Takes a device out of the household. Its tokens open nothing from then on and its sessions
    /// end at once. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not, or the entry does not fit the roster.
    pub async fn remove(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        entry: &Blob,
    ) -> Result<(), RemoveDeviceError> {
        let app = speaker.adult_app()?;
        let _gate = self.gate.enter().await;
        let mut tx = self.db.write().await?;
        let row = store::devices::find(&mut tx, device)
            .await?
            .filter(|row| row.household.0 == Some(app.household));
        if row.as_ref().is_none_or(|row| row.removed_at_ms.is_some()) {
            // Its person may have deleted their account, which no roster entry says yet.
            let roster = roster::load(&mut tx, app.household).await?;
            match row {
                _ if roster.contains(device) => {}
                Some(_) => return Ok(()),
                None => return Err(RemoveDeviceError::NotFound),
            }
        }
        let now = self.clock.now();
        let grown =
            roster::remove_device(&mut tx, app.household, device, entry.as_ref(), now).await?;
        tx.commit().await?;
        self.bus.end_sessions(device, ErrorCode::DeviceRevoked);
        grown.publish(&self.bus);
        Ok(())
    }

    /// Stores the signed answer policy of a home device. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker may not, the statement does not hold, or a newer one is stored.
    pub async fn put_answer_policy(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        policy: &Blob,
    ) -> Result<(), PutAnswerPolicyError> {
        let app = speaker.adult_app()?;
        let mut tx = self.db.write().await?;
        find(&mut tx, app.household, device)
            .await?
            .filter(|row| row.kind.0 == DeviceKind::HomeDevice)
            .ok_or(PutAnswerPolicyError::NotFound)?;
        let before = store::households::policy(&mut tx, device).await?;
        if before
            .as_ref()
            .is_some_and(|before| before.policy == policy.0)
        {
            return Ok(());
        }
        let roster = roster::load(&mut tx, app.household).await?;
        let statement = PolicyStatement::open(policy.as_ref(), &roster)?;
        if device_id(statement.device) != device {
            return Err(StatementError::SaysOtherwise.into());
        }
        let revision =
            i64::try_from(statement.revision).map_err(|_| StatementError::SaysOtherwise)?;
        if before.is_some_and(|before| before.revision >= revision) {
            return Err(PutAnswerPolicyError::Outdated);
        }
        let row = PolicyRow {
            device,
            policy: policy.0.clone(),
            revision,
        };
        store::households::put_policy(&mut tx, app.household, &row).await?;
        tx.commit().await?;
        let event = Event::AnswerPolicyPut(AnswerPolicy {
            device,
            policy: policy.clone(),
        });
        self.bus.publish(Audience::Household(app.household), event);
        Ok(())
    }
}

async fn find(
    tx: &mut Tx,
    household: HouseholdId,
    device: DeviceId,
) -> Result<Option<DeviceRow>, StoreError> {
    let row = store::devices::find(tx, device).await?;
    Ok(row.filter(|row| row.household.0 == Some(household) && row.removed_at_ms.is_none()))
}

fn fits(identity: &Identity, row: &DeviceRow) -> bool {
    let kind = match row.kind.0 {
        DeviceKind::App => Kind::App,
        DeviceKind::HomeDevice => Kind::HomeDevice,
    };
    identity.key.0.as_slice() == row.public_key
        && identity.kind == kind
        && identity.adult == row.adult
        && identity.person == row.account.to_string()
}
