//! Which devices can be reached now, as their household sees it.

mod service;

pub use service::PresenceService;
