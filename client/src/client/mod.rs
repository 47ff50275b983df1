//! A client that is signed in: session, verified household, calls. What programs use.

mod adding;
mod drop_in;
mod event;
mod handle;
mod household;
mod links;
mod renew;
mod run;
mod settings;
mod shared;

pub use adding::{AddDeviceError, DeviceDigits, DeviceListener};
pub use event::ClientEvent;
pub use handle::{CLOSING_TIME_MAX, Client, ConnectError};
pub use household::ChangeError;
pub(crate) use shared::{Shared, State};
