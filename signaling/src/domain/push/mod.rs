//! Wakes devices whose app is closed, so that they ring too.
//!
//! `rules` says what a push says (pure), `waking` follows what calls tell devices, `service` keeps the
//! addresses. Who rings is decided before this: it only carries the word further.

mod error;
mod rules;
mod service;
mod table;
mod waking;

pub use error::{PushStartError, PutPushAddressError};
pub use service::{Push, PushParts};
pub use waking::Accepted;
