//! Guardians: the consent of an adult, what is collected about a child, and its deletion.

mod error;
mod letters;
mod rules;
mod service;
#[cfg(test)]
mod tests;
mod text;

pub use error::{ConsentLinkError, GiveConsentError, GuardianError};
pub use service::{Guardians, GuardiansParts, NewConsent};
