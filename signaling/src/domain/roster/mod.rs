//! The one way in which a household's roster grows, and how its people and devices are shown.

mod grow;
mod view;

pub use grow::{
    Addition, GrowError, Grown, RosterGate, add_device, grown, load, remove_device, remove_devices,
};
pub use view::{account_view, device_view, member_view};
