//! The household's address book: signed cards, kept and served.

mod service;

pub use service::{Contacts, DeleteContactError, PutContactError};
