//! Phone numbers: reading what people write, and showing that a number is one's own.

mod config;
mod error;
mod reading;
mod service;

pub use config::NumbersConfig;
pub use error::{ConfirmError, OwnNumberError, StartError};
pub use reading::{BadRegion, HomeRegion, NUMBERS_MAX, read, read_all};
pub use service::{Numbers, Sent};
