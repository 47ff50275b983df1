//! What the adults let children do, and their consent.

mod service;

pub use service::{ChildError, Children};
