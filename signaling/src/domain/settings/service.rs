//! The verbs of settings. Each is stored before it is acknowledged, and told to whom it concerns.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    Capabilities, DeviceKind, DeviceSettings, DoNotDisturb, Event, Role, Switches, TopContact,
};

use super::SettingsError;
use super::rules::{self, BLOCKED_MAX};
use crate::bus::{Audience, Bus, Notice};
use crate::domain::households::{adult_of, person_settings};
use crate::model::{Clock, NoRight, Speaker};
use crate::store::devices::DeviceRow;
use crate::store::rules::chosen::{self, Chosen};
use crate::store::rules::people;
use crate::store::{self, Db, StoreError, Tx};

/// What people and devices set for themselves.
#[derive(Debug)]
pub struct Settings {
    db: Db,
    bus: Bus,
    clock: Clock,
}

impl Settings {
    /// The service, from its parts.
    #[must_use]
    pub fn new(db: Db, bus: Bus, clock: Clock) -> Self {
        Self { db, bus, clock }
    }

    /// Changes a device's label or room. The label in its certificate follows with the next renewal.
    ///
    /// # Errors
    /// When the speaker is no adult's app, there is no such device, or a text is too long.
    pub async fn set_device(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        label: Option<String>,
        room: Option<String>,
    ) -> Result<(), SettingsError> {
        label.as_deref().map_or(Ok(()), rules::check_label)?;
        room.as_deref().map_or(Ok(()), rules::check_room)?;
        let mut tx = self.db.write().await?;
        let household = adult_of(&mut tx, speaker).await?;
        let row = find(&mut tx, household, device).await?;
        let mut settings = row.settings.view();
        settings.room = room.unwrap_or(settings.room);
        let label = label.unwrap_or(row.label);
        self.store_device(tx, household, device, (label, settings))
            .await
    }

    /// Makes one device silent, or loud again.
    ///
    /// # Errors
    /// When the speaker is neither the device nor an app of its household that may.
    pub async fn set_device_do_not_disturb(
        &self,
        speaker: &Speaker,
        device: DeviceId,
        on: bool,
    ) -> Result<(), SettingsError> {
        let household = speaker.household.ok_or(NoRight::NoHousehold)?;
        let mut tx = self.db.write().await?;
        let row = find(&mut tx, household, device).await?;
        let account = store::accounts::find(&mut tx, speaker.account).await?;
        let role = account.map_or(Role::Child, |account| account.role.0);
        rules::may_silence(speaker, role, device, row.account)?;
        let mut settings = row.settings.view();
        settings.do_not_disturb = on;
        self.store_device(tx, household, device, (row.label, settings))
            .await
    }

    /// A device tells what it can do.
    ///
    /// # Errors
    /// When it is in no household.
    pub async fn set_capabilities(
        &self,
        speaker: &Speaker,
        capabilities: Capabilities,
    ) -> Result<(), SettingsError> {
        let change = |settings: &mut DeviceSettings| settings.capabilities = capabilities;
        self.own_device(speaker, change).await
    }

    /// A device tells where its switches stand. Running calls hear of it at once.
    ///
    /// # Errors
    /// When it is in no household.
    pub async fn set_switches(
        &self,
        speaker: &Speaker,
        switches: Switches,
    ) -> Result<(), SettingsError> {
        let change = |settings: &mut DeviceSettings| settings.switches = switches;
        self.own_device(speaker, change).await?;
        if let Some(device) = speaker.device {
            self.bus.notify(Notice::Switched { device, switches });
        }
        Ok(())
    }

    /// Makes everything that is this person's silent, or loud again. A device of theirs may say so too.
    ///
    /// # Errors
    /// When the speaker is in no household.
    pub async fn set_everywhere(&self, speaker: &Speaker, on: bool) -> Result<(), SettingsError> {
        speaker.household.ok_or(NoRight::NoHousehold)?;
        let mut tx = self.db.write().await?;
        people::set_quiet_everywhere(&mut tx, speaker.account, on).await?;
        self.tell_do_not_disturb(tx, speaker.account).await
    }

    /// Replaces the own do not disturb.
    ///
    /// # Errors
    /// When the speaker is no app, or the schedule or the exceptions are none.
    pub async fn set_do_not_disturb(
        &self,
        speaker: &Speaker,
        said: &DoNotDisturb,
    ) -> Result<(), SettingsError> {
        app(speaker)?;
        rules::check_do_not_disturb(said)?;
        let account = speaker.account;
        let mut tx = self.db.write().await?;
        people::set_quiet_everywhere(&mut tx, account, said.everywhere).await?;
        let schedule = said.schedule.as_ref();
        let zone = schedule.map(|schedule| schedule.time_zone.as_str());
        people::set_quiet_zone(&mut tx, account, zone).await?;
        let windows = schedule.map(|schedule| schedule.windows.as_slice());
        people::set_windows(&mut tx, account, windows.unwrap_or_default()).await?;
        chosen::set(&mut tx, Chosen::Undisturbed, account, &said.exceptions).await?;
        self.tell_do_not_disturb(tx, account).await
    }

    /// Blocks a handle, or lets it through again. Whoever blocks somebody leaves the calls that both are
    /// in. Repeating it is no error.
    ///
    /// # Errors
    /// When the speaker is no app, the handle is their own, or the list is full.
    pub async fn block(
        &self,
        speaker: &Speaker,
        handle: &Handle,
        on: bool,
    ) -> Result<(), SettingsError> {
        app(speaker)?;
        let account = speaker.account;
        let mut tx = self.db.write().await?;
        if on {
            let own = store::accounts::find(&mut tx, account).await?;
            if own.is_some_and(|own| own.handle == *handle) {
                return Err(SettingsError::Field("This is your own handle."));
            }
            people::block(&mut tx, account, handle, self.clock.now()).await?;
        } else {
            people::unblock(&mut tx, account, handle).await?;
        }
        let blocked = people::blocked(&mut tx, account).await?;
        if blocked.len() > BLOCKED_MAX {
            return Err(SettingsError::Full);
        }
        let devices = store::devices::of_account(&mut tx, account).await?;
        tx.commit().await?;
        for app in devices.iter().filter(|row| row.kind.0 == DeviceKind::App) {
            let blocked = blocked.clone();
            self.bus
                .publish(Audience::Device(app.id), Event::BlocksChanged { blocked });
        }
        if on {
            let handle = handle.clone();
            self.bus.notify(Notice::Blocked { account, handle });
        }
        Ok(())
    }

    /// Sets or clears whom one press calls.
    ///
    /// # Errors
    /// When the speaker is no app, or the household has no such contact.
    pub async fn set_top_contact(
        &self,
        speaker: &Speaker,
        top_contact: Option<TopContact>,
    ) -> Result<(), SettingsError> {
        let household = app(speaker)?;
        let mut tx = self.db.write().await?;
        if let Some(TopContact::Contact { contact }) = &top_contact
            && store::contacts::find(&mut tx, household, *contact)
                .await?
                .is_none()
        {
            return Err(SettingsError::Field("Your household has no such contact."));
        }
        people::set_top_contact(&mut tx, speaker.account, top_contact.as_ref()).await?;
        tx.commit().await?;
        let event = Event::TopContactChanged { top_contact };
        self.bus.publish(Audience::Account(speaker.account), event);
        Ok(())
    }

    async fn own_device(
        &self,
        speaker: &Speaker,
        change: impl FnOnce(&mut DeviceSettings) + Send,
    ) -> Result<(), SettingsError> {
        let (Some(household), Some(device)) = (speaker.household, speaker.device) else {
            return Err(NoRight::NoHousehold.into());
        };
        let mut tx = self.db.write().await?;
        let row = find(&mut tx, household, device).await?;
        let mut settings = row.settings.view();
        change(&mut settings);
        self.store_device(tx, household, device, (row.label, settings))
            .await
    }

    async fn store_device(
        &self,
        mut tx: Tx,
        household: HouseholdId,
        device: DeviceId,
        (label, settings): (String, DeviceSettings),
    ) -> Result<(), SettingsError> {
        store::devices::set_settings(&mut tx, device, &label, &settings).await?;
        tx.commit().await?;
        let event = Event::DeviceSettingsChanged {
            device,
            label,
            settings,
        };
        self.bus.publish(Audience::Household(household), event);
        Ok(())
    }

    async fn tell_do_not_disturb(
        &self,
        mut tx: Tx,
        account: AccountId,
    ) -> Result<(), SettingsError> {
        let settings = person_settings(&mut tx, account).await?;
        tx.commit().await?;
        let event = Event::DoNotDisturbChanged(settings.do_not_disturb);
        self.bus.publish(Audience::Account(account), event);
        Ok(())
    }
}

fn app(speaker: &Speaker) -> Result<HouseholdId, SettingsError> {
    if speaker.kind != DeviceKind::App {
        return Err(SettingsError::NotApp);
    }
    Ok(speaker.household.ok_or(NoRight::NoHousehold)?)
}

async fn find(
    tx: &mut Tx,
    household: HouseholdId,
    device: DeviceId,
) -> Result<DeviceRow, SettingsError> {
    let row: Result<_, StoreError> = store::devices::find(tx, device).await;
    row?.filter(|row| row.household.0 == Some(household) && row.removed_at_ms.is_none())
        .ok_or(SettingsError::NotFound)
}
