//! Pairing: a new device and a person's app learn each other's keys, with six digits as the proof.
//!
//! Both commit to their keys before either reveals them, so a server in between gets one guess at
//! the digits. Two machines, one for each side; a step out of order or a broken commitment ends
//! the pairing.

mod app;
mod device;
mod transcript;

pub use app::{AppPairing, DeviceToAdd};
pub use device::{DevicePairing, Paired, PairedError};
pub use transcript::{AppReveal, DeviceReveal, Digits, PairingError};

#[cfg(test)]
mod tests;
