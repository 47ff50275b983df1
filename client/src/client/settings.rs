//! What a person or a device sets for itself: do not disturb, switches, capabilities, the top contact.

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{Capabilities, DeviceSettings, Request, Switches, TopContact};

use super::Client;
use crate::announcements::is_quiet;
use crate::session::RequestError;

impl Client {
    /// Makes this device silent, or loud again.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn set_do_not_disturb(&self, on: bool) -> Result<(), RequestError> {
        self.set_do_not_disturb_of(self.shared.device(), on).await
    }

    /// Makes a device of the household silent, or loud again.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn set_do_not_disturb_of(
        &self,
        device: DeviceId,
        on: bool,
    ) -> Result<(), RequestError> {
        self.set(Request::SetDeviceDoNotDisturb { device, on })
            .await
    }

    /// Makes everything that is this person's silent, or loud again.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn set_do_not_disturb_everywhere(&self, on: bool) -> Result<(), RequestError> {
        self.set(Request::SetDoNotDisturbEverywhere { on }).await
    }

    /// Tells where this device's switches stand. Whoever captures sound or pictures stops by itself.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn set_switches(&self, switches: Switches) -> Result<(), RequestError> {
        self.set(Request::SetSwitches { switches }).await
    }

    /// Tells what this device can do.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn set_capabilities(&self, capabilities: Capabilities) -> Result<(), RequestError> {
        self.set(Request::SetCapabilities { capabilities }).await
    }

    /// Sets or clears whom one press calls.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn set_top_contact(
        &self,
        top_contact: Option<TopContact>,
    ) -> Result<(), RequestError> {
        self.set(Request::SetTopContact { top_contact }).await
    }

    /// Whom one press calls, as [`Client::call`] takes it. The handle of a contact is that of its signed
    /// card, whatever the server says.
    #[must_use]
    pub fn top_contact(&self) -> Option<String> {
        let state = self.shared.state();
        let household = &state.household;
        match household.settings().top_contact.as_ref()? {
            TopContact::Contact { contact } => {
                let mut cards = household.contacts();
                let card = cards.find(|card| card.id == *contact)?;
                Some(card.handle.clone())
            }
            TopContact::Person { handle } => Some(handle.to_string()),
        }
    }

    /// What stands at this device.
    #[must_use]
    pub fn device_settings(&self) -> Option<DeviceSettings> {
        let own = self.shared.device();
        let state = self.shared.state();
        let mut devices = state.household.devices().iter();
        devices
            .find(|device| device.id == own)
            .map(|device| device.settings.clone())
    }

    /// Whether do not disturb is on at this device now: by its own switch, everywhere, or by the weekly times.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        is_quiet(&self.shared)
    }

    async fn set(&self, request: Request) -> Result<(), RequestError> {
        self.shared.session().request(request).await?;
        Ok(())
    }
}
