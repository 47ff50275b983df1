//! The one way in which a household's roster grows, and how its people and devices are shown.

mod grow;
mod view;

pub use grow::{Addition, GrowError, Grown, RosterGate, add_device, load, remove_device};
pub use view::{account_view, device_view};
