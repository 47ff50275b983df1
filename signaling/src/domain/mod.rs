//! The services, as a ladder: each uses only those above it, received by constructor.
pub mod presence;
pub mod reach;
pub mod keys;
pub mod history;
pub mod calls;

pub mod identity;
pub mod limits;
pub mod secrets;

pub mod roster;

pub mod accounts;
pub mod households;
pub mod devices;
pub mod contacts;
pub mod pairing;
pub mod invitations;
