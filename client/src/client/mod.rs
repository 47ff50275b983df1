//! A client that is signed in: session, verified household, calls. What programs use.

mod adding;
mod drop_in;
mod household;
mod links;
mod renew;
mod run;
mod settings;
mod shared;

pub use adding::{AddDeviceError, DeviceDigits, DeviceListener};
pub use household::ChangeError;
pub use run::{Client, ClientEvent, ConnectError};
pub(crate) use shared::{Shared, State};
