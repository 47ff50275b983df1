//! Delivers one message by RFC 8030: encrypted, signed, tried again while it is worth it.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::address::{AddressError, Subscription};
use super::config::PushConfig;
use super::connect::{Answer, ConnectError, Connector};
use super::encryption::encrypt;
use super::services::Services;
use super::vapid::VapidKey;
use super::{Delivery, Failure, PushMessage};
use crate::model::Clock;

/// Before the second try; each further one waits twice as long. The first failure is often a
/// connection that a service has just closed, and a call rings for less than a minute.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The way to push services. Clones share it.
#[derive(Debug, Clone)]
pub struct WebPush(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: PushConfig,
    key: VapidKey,
    clock: Clock,
    connector: Connector,
    services: Services,
}

/// What one try led to.
enum Tried {
    Done(Delivery),
    /// To be tried again, not before this long.
    Again(Option<Duration>),
}

impl WebPush {
    /// Sends in the name of this key.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(config: PushConfig, key: VapidKey, clock: Clock) -> Result<Self, rustls::Error> {
        let connector = Connector::new(config.allow_private_endpoints)?;
        let services = Services::new(
            config.sending_per_service_max,
            config.waiting_per_service_max,
        );
        Ok(Self(Arc::new(Inner {
            config,
            key,
            clock,
            connector,
            services,
        })))
    }

    /// The key that subscriptions are made for.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.0.key.public()
    }

    /// A name that can't be resolved now is no reason to refuse: each message asks again.
    pub(super) async fn admit(&self, to: &Subscription) -> Result<(), AddressError> {
        let resolving = self.0.connector.resolve(to);
        match timeout(self.0.config.try_timeout(), resolving).await {
            Ok(Err(ConnectError::Forbidden(error))) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(super) async fn deliver(&self, to: &Subscription, message: &PushMessage) -> Delivery {
        let ends_at = Instant::now() + message.lifetime;
        let Some(place) = self.0.services.enter(&to.origin()) else {
            return Delivery::Failed(Failure::Full);
        };
        let mut pause = FIRST_PAUSE;
        for _ in 0..self.0.config.tries_max.max(1) {
            let Ok(turn) = timeout_at(ends_at, place.turn()).await else {
                break;
            };
            let tried = self.attempt(to, message, ends_at).await;
            drop(turn);
            let asked = match tried {
                Tried::Done(delivery) => return delivery,
                Tried::Again(asked) => asked,
            };
            let next = Instant::now() + asked.unwrap_or(pause);
            if asked.is_some() {
                place.pause(next);
            }
            if next >= ends_at {
                break;
            }
            sleep_until(next).await;
            pause *= 2;
        }
        Delivery::Failed(Failure::Unreachable)
    }

    async fn attempt(&self, to: &Subscription, message: &PushMessage, ends_at: Instant) -> Tried {
        let remaining = ends_at.saturating_duration_since(Instant::now());
        let Some((headers, body)) = self.request(to, message, remaining) else {
            return Tried::Done(Delivery::Failed(Failure::Unusable));
        };
        let post = self.0.connector.post(to, headers, body);
        match timeout(self.0.config.try_timeout(), post).await {
            Ok(Ok(answer)) => judge(answer),
            Ok(Err(ConnectError::Forbidden(_))) => {
                Tried::Done(Delivery::Failed(Failure::Forbidden))
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "a push service was not reached");
                Tried::Again(None)
            }
            Err(_) => Tried::Again(None),
        }
    }

    fn request(
        &self,
        to: &Subscription,
        message: &PushMessage,
        remaining: Duration,
    ) -> Option<(HeaderMap, Vec<u8>)> {
        let Inner {
            config, key, clock, ..
        } = &*self.0;
        let body = encrypt(to.receiver(), &message.plaintext).ok()?;
        let authorization = key
            .authorization(&to.origin(), &config.contact, clock.now())
            .ok()?;
        // Rounded up: a call that rings for half a second more is worth one.
        let lifetime = remaining.as_millis().div_ceil(1_000).to_string();
        let mut headers = HeaderMap::new();
        let texts = [
            (AUTHORIZATION, authorization.as_str()),
            (CONTENT_ENCODING, "aes128gcm"),
            (CONTENT_TYPE, "application/octet-stream"),
            (HeaderName::from_static("ttl"), lifetime.as_str()),
            (HeaderName::from_static("urgency"), "high"),
            (HeaderName::from_static("topic"), message.topic.as_str()),
        ];
        for (name, text) in texts {
            headers.insert(name, HeaderValue::from_str(text).ok()?);
        }
        Some((headers, body))
    }
}

fn judge(answer: Answer) -> Tried {
    let Answer {
        status,
        retry_after,
    } = answer;
    match status {
        status if status.is_success() => Tried::Done(Delivery::Accepted),
        StatusCode::NOT_FOUND | StatusCode::GONE => Tried::Done(Delivery::Gone),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Tried::Again(retry_after),
        status if status.is_server_error() => Tried::Again(retry_after),
        status => Tried::Done(Delivery::Failed(Failure::Refused(status.as_u16()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_final_or_asked_again() {
        let judged = |status: u16, retry_after| {
            let status = StatusCode::from_u16(status).unwrap();
            judge(Answer {
                status,
                retry_after,
            })
        };
        for status in [200, 201, 202] {
            assert!(matches!(
                judged(status, None),
                Tried::Done(Delivery::Accepted)
            ));
        }
        for status in [404, 410] {
            assert!(matches!(judged(status, None), Tried::Done(Delivery::Gone)));
        }
        for status in [301, 307, 400, 401, 403, 413] {
            let refused = Delivery::Failed(Failure::Refused(status));
            assert!(matches!(judged(status, None), Tried::Done(found) if found == refused));
        }
        let wait = Some(Duration::from_secs(7));
        for status in [408, 429, 500, 502, 503] {
            assert!(matches!(judged(status, wait), Tried::Again(found) if found == wait));
            assert!(matches!(judged(status, None), Tried::Again(None)));
        }
    }
}
