//! Outgoing mail: a stored queue before the way out.

mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use service::{Mailer, NewMail, PromiseMailError};
