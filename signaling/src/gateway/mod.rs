//! Ways out of signaling: the link to the media node, text messages to phones.

mod media;
mod sms;

pub use media::{Media, MediaExchange, PendingReply};
pub use sms::{Masked, Sms, SmsBody, SmsConfig, SmsConfigError, SmsError};
