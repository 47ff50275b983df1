//! Imported address books, the numbers of contacts, and finding somebody in both by name.

mod error;
mod finding;
mod import;
mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use error::{BookError, HideError, ImportError, ListError, NumberUsedError, SetNumbersError};
pub use service::AddressBooks;
