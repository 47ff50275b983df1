//! Pairing a home device, or a person's second app: both sides meet here, and the app certifies.

mod error;
mod machine;
mod service;
mod table;

pub use error::{AppPairingError, CertifyError, DevicePairingError, OpenPairingError};
pub use service::{Certification, Pairings};

#[cfg(test)]
mod tests;
