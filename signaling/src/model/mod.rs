//! What every layer above shares: who speaks, what time it is, what a name is.

mod masked;
mod name;
mod speaker;
mod time;

pub use masked::Masked;
pub use name::{NAME_CHARS_MAX, is_name};
pub use speaker::{AdultApp, NoRight, NotAnApp, Speaker};
pub use time::{Clock, UnixMillis};
