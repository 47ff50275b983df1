//! Relays (TURN) for networks that let media through neither directly nor by another port.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Secret;

/// What a client speaks with a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RelayTransport {
    /// `turn:` with `?transport=udp`.
    Udp,
    /// `turn:` with `?transport=tcp`.
    Tcp,
    /// `turns:` with `?transport=tcp`.
    Tls,
}

/// One relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelayServer {
    /// Where it is; none: where the client reached this server, which for TLS is the name in the
    /// certificate that it has already accepted.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub transport: RelayTransport,
}

/// The relays, and what opens them for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelayServers {
    /// None where there is no relay.
    pub servers: Vec<RelayServer>,
    /// An expiry and a random-looking text; no name of anybody.
    pub username: String,
    /// The password.
    pub credential: Secret,
    /// Nothing new can be begun with them from then on, Unix milliseconds; what runs goes on.
    #[ts(type = "number")]
    pub expires_at_ms: u64,
}
