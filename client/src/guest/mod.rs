//! Guests, from both sides (docs/guests.md): `knock` is what the maker of a link is shown, once it is
//! verified; `visit` is the guest's own side, from the link to the call.

mod knock;
mod visit;

pub use knock::Knock;
pub(crate) use knock::Knocks;
pub use visit::{KnockError, NotLetIn, Waiting, knock};
