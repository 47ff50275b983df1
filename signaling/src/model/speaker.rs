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
}
