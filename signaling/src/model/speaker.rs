//! Who speaks in a request: the account, app and household that a token stands for.

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::DeviceKind;

/// The one who asks, as the edge found out from the bearer token. Rights follow from this alone.
///
/// It is a picture of the moment at which the token was checked: a session asks for a fresh one
/// when its account is admitted to a household, and ends when its device is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaker {
    /// The account.
    pub account: AccountId,
    /// The app or home device; absent after a password sign-in without a key.
    pub device: Option<DeviceId>,
    /// The household; absent until an invited member is admitted, and for a token without a device.
    pub household: Option<HouseholdId>,
    /// App or home device; a token without a device counts as an app without rights.
    pub kind: DeviceKind,
    /// Whether the device may certify and sign for its household.
    pub adult: bool,
    /// Whether it is a guest who came by a call link: then account and device are nobody's, and nothing
    /// can be asked for but what the one call needs.
    pub guest: bool,
}

/// A speaker that may act for its household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdultApp {
    /// Its account.
    pub account: AccountId,
    /// The app.
    pub device: DeviceId,
    /// The household.
    pub household: HouseholdId,
}

/// Why a speaker may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRight {
    /// It belongs to no household, or not yet.
    #[error("the app belongs to no household yet")]
    NoHousehold,
    /// It is not an adult's app.
    #[error("only an adult's app may do this")]
    NotAdult,
}

/// The speaker is no app of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only a person's own app may do this")]
pub struct NotAnApp;

impl Speaker {
    /// A guest.
    #[must_use]
    pub fn of_guest(account: AccountId, device: DeviceId) -> Self {
        Self {
            account,
            device: Some(device),
            household: None,
            kind: DeviceKind::App,
            adult: false,
            guest: true,
        }
    }

    /// Whether it is a person's own app, and not a device that others stand before.
    ///
    /// # Errors
    /// When it is a home device, or a token without a device.
    pub fn app(&self) -> Result<(), NotAnApp> {
        if self.kind == DeviceKind::App && self.device.is_some() {
            Ok(())
        } else {
            Err(NotAnApp)
        }
    }

    /// This speaker as one that may act for its household.
    ///
    /// # Errors
    /// When it has no household, or no adult right.
    pub fn adult_app(&self) -> Result<AdultApp, NoRight> {
        match (self.household, self.device) {
            (Some(_), Some(_)) if !self.adult => Err(NoRight::NotAdult),
            (Some(household), Some(device)) => Ok(AdultApp {
                account: self.account,
                device,
                household,
            }),
            _ => Err(NoRight::NoHousehold),
        }
    }
}
