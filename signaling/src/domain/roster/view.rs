//! Rows as clients see them.

use homeline_protocol::session::{Account, Device, Member, Presence};

use crate::store::accounts::AccountRow;
use crate::store::devices::DeviceRow;

/// A person.
#[must_use]
pub fn account_view(row: &AccountRow) -> Account {
    Account {
        id: row.id,
        handle: row.handle.clone(),
        display_name: row.display_name.clone(),
    }
}

/// A member of a household.
#[must_use]
pub fn member_view(row: &AccountRow) -> Member {
    Member {
        id: row.id,
        handle: row.handle.clone(),
        display_name: row.display_name.clone(),
        role: row.role.0,
    }
}

/// A device. Whether it can be reached is not known here: the session's edge, which knows, fills
/// that in before it sends a home or a roster's growth.
#[must_use]
pub fn device_view(row: &DeviceRow) -> Device {
    Device {
        id: row.id,
        kind: row.kind.0,
        account: row.account,
        label: row.label.clone(),
        adult: row.adult,
        presence: Presence::Offline,
        chain: row.chain.clone().unwrap_or_default().into(),
        settings: row.settings.view(),
    }
}
