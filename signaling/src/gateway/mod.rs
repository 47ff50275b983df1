//! Ways out of signaling: the link to the media node, push services, text messages to phones, mail.

mod mail;
mod media;
pub mod push;
mod sms;

pub use mail::{
    Letter, Mail, MailConfig, MailConfigError, MailFolder, MailWay, Security, SendError, Smtp,
    SmtpConfig,
};
pub use media::{Media, MediaExchange, PendingReply};
pub use sms::{Masked, Sms, SmsBody, SmsConfig, SmsConfigError, SmsError};
