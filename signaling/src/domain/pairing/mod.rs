//! Pairing a home device, or a person's second app: both sides meet here, and the app certifies.

mod app_side;
mod device_side;
mod error;
mod machine;
mod service;
mod table;

pub use app_side::Certification;
pub use error::{AppPairingError, CertifyError, DevicePairingError, OpenPairingError};
pub use service::Pairings;

#[cfg(test)]
mod tests;
