//! Text messages to phones, sent by whatever the household has: a provider, or a phone of its own.

mod config;
mod http;
mod template;

pub use config::{Masked, SmsBody, SmsConfig};

use homeline_protocol::E164;

use http::HttpSms;

/// The way to phones.
#[derive(Debug)]
pub enum Sms {
    /// There is none.
    None,
    /// A call over HTTP, as configured. Boxed, since it is much larger than nothing.
    Http(Box<HttpSms>),
}

/// Why the configured way cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum SmsConfigError {
    /// The address is none, or neither http nor https.
    #[error("sms.url is no http or https address")]
    Url,
    /// The method is none.
    #[error("sms.method is no HTTP method")]
    Method,
    /// A header is not `Name: value`.
    #[error("sms.headers has one that is not \"Name: value\"")]
    Header,
    /// The template names the number or the text nowhere.
    #[error("sms.url and sms.body must name {{to}} and {{text}}")]
    Template,
    /// TLS cannot be set up.
    #[error("sms: TLS cannot be set up")]
    Tls,
}

/// Why a message was not taken. It never names the number, the text or the address.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    /// There is no way.
    #[error("no way to send a message is configured")]
    NotConfigured,
    /// The other side is not there, or too slow.
    #[error("the message service does not answer")]
    Unreachable,
    /// The other side said no.
    #[error("the message service refused, with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
}

impl Sms {
    /// As configured; without an address there is no way.
    ///
    /// # Errors
    /// When the configuration is not possible.
    pub fn new(config: &SmsConfig) -> Result<Self, SmsConfigError> {
        if config.url.expose().is_empty() {
            return Ok(Self::None);
        }
        Ok(Self::Http(Box::new(HttpSms::new(config)?)))
    }

    /// Whether there is a way.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Hands a message over. That it was taken does not mean that it arrives.
    ///
    /// # Errors
    /// When there is no way, or it does not take the message.
    pub async fn send(&self, to: &E164, text: &str) -> Result<(), SmsError> {
        match self {
            Self::None => Err(SmsError::NotConfigured),
            Self::Http(http) => http.send(to, text).await,
        }
    }
}
