//! The control interface's configuration.

use std::net::{Ipv4Addr, SocketAddr};

use homeline_protocol::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The HTTP interface that commands the media node, for operators and load tests (docs/media-node.md). A
/// server with `roles = ["media"]` always has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ControlConfig {
    /// Whether a whole server has it as well. Whoever has the token can then end its calls.
    pub enabled: bool,
    /// Where it listens. It is plain HTTP, so only this machine's own addresses are taken; see `allow_remote`.
    #[schemars(with = "String")]
    pub bind: SocketAddr,
    /// Lets `bind` be an address that other machines reach. The token then crosses the network readable:
    /// only behind a proxy with TLS, or on a network of its own.
    pub allow_remote: bool,
    /// The admin token, of at least 16 characters. Without it one is made at the first start and kept in
    /// `media-admin-token` in `server.data_dir`, readable by its owner only.
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 8446)),
            allow_remote: false,
            token: None,
        }
    }
}

/// The address is not one that the interface may listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "media.control.bind is {0}, which other machines can reach, and the control interface speaks plain HTTP: bind it to 127.0.0.1 or [::1], or set media.control.allow_remote if the network is safe"
)]
pub struct BindError(pub SocketAddr);

impl ControlConfig {
    /// Where to listen.
    ///
    /// # Errors
    /// When other machines could reach it and that is not allowed.
    pub fn address(&self) -> Result<SocketAddr, BindError> {
        if self.bind.ip().to_canonical().is_loopback() || self.allow_remote {
            Ok(self.bind)
        } else {
            Err(BindError(self.bind))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_to_unless_somebody_says_so() {
        for (bind, local) in [
            ("127.0.0.1:1", true),
            ("127.8.0.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.168.7.2:1", false),
        ] {
            let bind = bind.parse().unwrap();
            let config = |allow_remote| ControlConfig {
                bind,
                allow_remote,
                ..ControlConfig::default()
            };
            let expected = if local {
                Ok(bind)
            } else {
                Err(BindError(bind))
            };
            assert_eq!(config(false).address(), expected);
            assert_eq!(config(true).address(), Ok(bind));
        }
    }
}
