//! Whom the server asks about its own network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the server looks whether it can be reached from outside (docs/networks.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AsksConfig {
    /// Ask the home's router for its address outside (PCP, NAT-PMP, UPnP), at the start and every hour. Where it
    /// speaks PCP alone, a mapping is asked for two seconds and given back at once; nothing else in it is changed.
    pub ask_router: bool,
    /// A STUN server that says at which address it sees this machine, as `stun.example:3478`. It learns that address.
    /// None is asked by default.
    pub stun_server: Option<String>,
}

impl Default for AsksConfig {
    fn default() -> Self {
        Self {
            ask_router: true,
            stun_server: None,
        }
    }
}
