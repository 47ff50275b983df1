//! Which relays there are, and how long credentials for them count.

use homeline_protocol::session::RelayServer;
use serde::{Deserialize, Serialize};

use crate::model::Masked;

/// Relays (TURN) that apps and devices are told, for networks that block UDP to the media port. A server in
/// one process has its own (`media.turn`) and needs nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RelaysConfig {
    /// Relays elsewhere, as `turn:turn.example:3478?transport=udp`, the same with `tcp`, or
    /// `turns:turn.example:443?transport=tcp`. They relay to the media node, and know the secret. Beside
    /// these, the server's own is not told.
    pub servers: Vec<String>,
    /// Secret that those relays share, from which short-lived credentials are derived (as coturn's
    /// `static-auth-secret`). Not set: that of the server's own relay.
    pub secret: Option<Masked>,
    /// How long a credential counts for a new relayed connection, in seconds; running ones go on. At most
    /// six days.
    pub lifetime_secs: u32,
    /// The relays of this very process.
    #[serde(skip)]
    pub own: Vec<RelayServer>,
}

impl Default for RelaysConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            secret: None,
            lifetime_secs: 4 * 60 * 60,
            own: Vec::new(),
        }
    }
}
