//! Ways out of signaling: the link to the media node, push services, text messages to phones.

mod media;
pub mod push;
mod sms;

pub use media::{Media, MediaExchange, PendingReply};
pub use sms::{Masked, Sms, SmsBody, SmsConfig, SmsConfigError, SmsError};
