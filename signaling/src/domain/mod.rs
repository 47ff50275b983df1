//! The services, as a ladder: each uses only those above it, received by constructor.
pub mod reach;
pub mod keys;
pub mod history;
pub mod calls;
