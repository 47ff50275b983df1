//! The own household: what its signed statements show, and the statements this client signs itself.

mod grants;
mod household;
mod sign;

pub use household::{CONTACTS_MAX, HomeError, Household, KeyChanged, Person, Trust};

#[cfg(test)]
mod tests;
