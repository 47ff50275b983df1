//! The settings of push.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Waking apps that are closed, by Web Push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PushConfig {
    /// Where the operators of push services can write to, as `mailto:you@example.org` or
    /// `https://example.org/contact`. Apple's service takes no message without it; others do.
    pub contact: String,
    /// Whether a push service may have a private address (a UnifiedPush distributor on the LAN),
    /// and then plain HTTP as well. Members of this server can then make it send requests to
    /// machines of its own network.
    pub allow_private_endpoints: bool,
    /// How long one try may take (name, connection, request and answer), in seconds. Less than
    /// `calls.unreachable_after_secs`, so that a call waits for a device that is being woken.
    pub try_timeout_secs: u32,
    /// Tries for one message. What a service says in `Retry-After` is kept to.
    pub tries_max: u32,
    /// Messages on their way to one push service at once. Further ones wait.
    pub sending_per_service_max: u32,
    /// Messages that wait for one push service or are on their way to it. Further ones are dropped,
    /// and the device is not woken.
    pub waiting_per_service_max: u32,
    /// How long a device that is connected may take to begin to ring before it is pushed as well,
    /// in seconds: the page of a phone in a pocket is asleep long before its connection ends.
    pub wake_after_secs: u32,
    /// How long a missed call is worth telling a device that is switched off, in seconds.
    pub missed_lifetime_secs: u32,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self {
            contact: String::new(),
            allow_private_endpoints: false,
            try_timeout_secs: 5,
            tries_max: 4,
            sending_per_service_max: 16,
            waiting_per_service_max: 1_024,
            wake_after_secs: 3,
            missed_lifetime_secs: 24 * 60 * 60,
        }
    }
}

impl PushConfig {
    pub(super) fn try_timeout(&self) -> Duration {
        Duration::from_secs(self.try_timeout_secs.into())
    }

    /// How long a connected device may take to begin to ring.
    #[must_use]
    pub fn wake_after(&self) -> Duration {
        Duration::from_secs(self.wake_after_secs.into())
    }

    /// How long a missed call is worth telling.
    #[must_use]
    pub fn missed_lifetime(&self) -> Duration {
        Duration::from_secs(self.missed_lifetime_secs.into())
    }
}
