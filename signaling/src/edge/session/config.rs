//! The times and limits of sessions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long sessions wait, and how much they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// How long a new connection may take to say `hello`, in seconds.
    pub hello_timeout_secs: u32,
    /// How often a client says something, in seconds; after twice as long in silence its connection
    /// counts as lost. Shorter finds lost networks sooner and wakes phones more often.
    pub heartbeat_secs: u32,
    /// How long a session without a connection can be taken up again, in seconds. Costs the memory
    /// of its outbox.
    pub resume_window_secs: u32,
    /// Events that one session holds until its client has acknowledged them. A session beyond that
    /// ends with `outbox_full`, and its client asks for the state anew.
    pub outbox_events_max: u32,
    /// The same in bytes of JSON, for events and for replies each.
    pub outbox_bytes_max: u32,
    /// Replies that one session holds until its client has acknowledged them; the same beyond.
    pub replies_max: u32,
    /// Requests of one session that wait for those before them. Further ones fail with
    /// `limit_reached`.
    pub requests_waiting_max: u32,
    /// Requests a second that one session may send in the long run. Further ones fail with
    /// `rate_limited`.
    pub requests_per_second_max: u32,
    /// Requests that one session may send at once, above that rate.
    pub request_burst_max: u32,
    /// Sessions on this server. Further ones are turned away with `limit_reached`.
    pub sessions_max: u32,
    /// Connections that have not said `hello` yet. Further ones are refused.
    pub greeting_max: u32,
    /// Web origins (as `https://home.example`) whose pages may open sessions, besides the server's
    /// own address. Needed behind a proxy that changes the `Host` header.
    pub origins_allowed: Vec<String>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            hello_timeout_secs: 10,
            heartbeat_secs: 10,
            resume_window_secs: 60,
            outbox_events_max: 1_024,
            outbox_bytes_max: 4 * 1024 * 1024,
            replies_max: 256,
            requests_waiting_max: 64,
            requests_per_second_max: 20,
            request_burst_max: 200,
            sessions_max: 10_000,
            greeting_max: 1_000,
            origins_allowed: Vec::new(),
        }
    }
}

impl SessionConfig {
    pub(super) fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_secs.max(1).into())
    }

    pub(super) fn hello_timeout(&self) -> Duration {
        Duration::from_secs(self.hello_timeout_secs.into())
    }

    /// How long a connection may be silent.
    pub(super) fn silence_max(&self) -> Duration {
        self.heartbeat() * 2
    }

    pub(super) fn resume_window(&self) -> Duration {
        Duration::from_secs(self.resume_window_secs.into())
    }

    /// Frames that may wait for a socket: all that a resume can send again, and room for more.
    pub(super) fn socket_queue_max(&self) -> usize {
        self.outbox_events_max as usize + self.replies_max as usize + 64
    }
}
