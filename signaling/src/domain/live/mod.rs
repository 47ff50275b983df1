//! Announcements that are heard while they are spoken: who is told, and what the call begins with.
//!
//! Where one may be heard is decided as for any announcement; what comes afterwards is a call's.

mod error;
mod service;

pub use error::LiveError;
pub use service::LiveAnnouncements;
