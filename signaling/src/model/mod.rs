//! What every layer above shares: who speaks, and what time it is.

mod speaker;
mod time;

pub use speaker::Speaker;
pub use time::{Clock, UnixMillis};
