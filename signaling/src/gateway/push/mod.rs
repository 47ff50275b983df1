//! The link to push services: one message to one address, delivered or given up within its time.
//!
//! Knows nothing of calls. `web_push` sends with retries, `services` keeps services apart from each
//! other, `connect` reaches only addresses that it may, `encryption` and `vapid` are pure.

mod address;
mod config;
mod connect;
mod encryption;
mod services;
mod vapid;
mod web_push;

use std::time::Duration;

pub use address::{AddressError, Subscription};
pub use config::PushConfig;
pub use vapid::{VapidError, VapidKey};
pub use web_push::WebPush;

/// A way to wake devices. Each platform's own service is one more variant.
#[derive(Debug, Clone)]
pub enum PushGateway {
    /// RFC 8030, as browsers and UnifiedPush distributors speak it.
    WebPush(WebPush),
}

/// What is pushed.
#[derive(Debug, Clone)]
pub struct PushMessage {
    /// Read by the device alone.
    pub plaintext: Vec<u8>,
    /// How long it is worth delivering, from now. Nothing is tried after that.
    pub lifetime: Duration,
    /// A later message with the same topic takes the place of one that was not delivered yet.
    /// At most 32 characters of base64url.
    pub topic: String,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The service has taken it over.
    Accepted,
    /// The subscription has ended: the address is to be forgotten.
    Gone,
    /// Given up.
    Failed(Failure),
}

/// Why a message was given up. A word for the log, without the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The service refuses it for good, with this status.
    Refused(u16),
    /// Its time ran out, or it was tried too often.
    Unreachable,
    /// Its address leads to where nothing may be sent.
    Forbidden,
    /// Too many messages wait for this service already.
    Full,
    /// It can't be encrypted for this address.
    Unusable,
}

impl PushGateway {
    /// Delivers a message. Takes at most the message's lifetime, and is cancelled by dropping it.
    pub async fn deliver(&self, to: &Subscription, message: &PushMessage) -> Delivery {
        match self {
            Self::WebPush(web_push) => web_push.deliver(to, message).await,
        }
    }

    /// Whether this endpoint is one that messages may be sent to.
    ///
    /// # Errors
    /// [`AddressError`].
    pub async fn admit(&self, to: &Subscription) -> Result<(), AddressError> {
        match self {
            Self::WebPush(web_push) => web_push.admit(to).await,
        }
    }
}
