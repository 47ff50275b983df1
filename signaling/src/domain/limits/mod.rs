//! How often strangers may try: a token bucket for each address and each handle.

mod bucket;
mod config;
mod origin;

pub use bucket::{Limiter, TooMany};
pub use config::{LimitsConfig, Rate};
pub use origin::Origin;
