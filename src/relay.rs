//! Brings the relay (TURN) of this process together with signaling, which hands its credentials out: they
//! share a secret and know nothing else of each other.

use std::sync::Arc;

use anyhow::Context as _;
use homeline_media_node::Node;
use homeline_media_node::turn::{SharedSecret, Turn, TurnConfig};
use homeline_protocol::session::{RelayServer, RelayTransport};
use homeline_signaling::domain::relays::RelaysConfig;
use homeline_signaling::model::Masked;
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::ServerConfig;
use tokio::sync::watch;

/// What a client may call TURN in its handshake (RFC 7443). One that calls it nothing is welcome too.
const PROTOCOL: &[u8] = b"stun.turn";

/// Gives both the secret that one of them is configured with, or a new one, which counts until this process
/// ends. Two that differ are left alone: signaling's is for relays elsewhere then.
pub(crate) fn share_secret(turn: &mut TurnConfig, relays: &mut RelaysConfig) {
    if turn.secret.is_none() {
        let configured = relays
            .secret
            .as_ref()
            .map(|secret| secret.expose().to_owned());
        turn.secret = configured.or_else(fresh_secret).map(SharedSecret::new);
    }
    if let (None, Some(secret)) = (&relays.secret, &turn.secret) {
        relays.secret = Some(Masked::new(secret.expose()));
    }
    let told = relays.secret.as_ref().map(Masked::expose);
    let kept = turn.secret.as_ref().map(SharedSecret::expose);
    if told != kept && relays.servers.is_empty() {
        tracing::warn!(
            "the secrets of media.turn and signaling.relays differ: the relay lets nobody in"
        );
    }
}

fn fresh_secret() -> Option<String> {
    let mut bytes = [0_u8; 32];
    // Without randomness nothing else of the server works either; a relay without a secret lets nobody in.
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The server's certificate, for TURN instead of HTTP.
pub(crate) fn tls(https: &Arc<ServerConfig>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::clone(https);
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Arc::new(config)
}

/// Starts the relay, where there is to be one.
pub(crate) fn start(
    config: &TurnConfig,
    node: &Node,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
) -> anyhow::Result<Option<Turn>> {
    if !config.enabled {
        return Ok(None);
    }
    let turn = Turn::start(config, node, tls).context("the relay")?;
    Ok(Some(turn))
}

/// What signaling tells of it, the quickest transport first.
pub(crate) fn servers(config: &TurnConfig, turn: Option<&Turn>) -> Vec<RelayServer> {
    let ports = turn.map(Turn::ports).unwrap_or_default();
    [
        (ports.udp, RelayTransport::Udp),
        (ports.tcp, RelayTransport::Tcp),
        (ports.tls, RelayTransport::Tls),
    ]
    .into_iter()
    .filter_map(|(port, transport)| {
        let (host, port) = (config.host.clone(), port?);
        Some(RelayServer {
            host,
            port,
            transport,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(turn: Option<&str>, relays: Option<&str>) -> (String, String) {
        let mut turn = TurnConfig {
            secret: turn.map(SharedSecret::new),
            ..TurnConfig::default()
        };
        let mut relays = RelaysConfig {
            secret: relays.map(Masked::new),
            ..RelaysConfig::default()
        };
        share_secret(&mut turn, &mut relays);
        let (turn, relays) = (turn.secret.unwrap(), relays.secret.unwrap());
        (turn.expose().to_owned(), relays.expose().to_owned())
    }

    #[test]
    fn both_sides_get_the_configured_secret_or_a_fresh_one() {
        let both = |secret: &str| (secret.to_owned(), secret.to_owned());
        assert_eq!(shared(Some("north"), None), both("north"));
        assert_eq!(shared(None, Some("north")), both("north"));
        let (turn, relays) = shared(None, None);
        assert!(turn == relays && turn.len() == 64);
        assert_ne!(turn, shared(None, None).0);
    }
}
