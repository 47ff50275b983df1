//! The relay's configuration.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// Where UDP is listened on unless the configuration says otherwise: the port registered for TURN, which
/// networks for guests let through more often than others.
pub(super) const UDP_PORT: u16 = 3478;

/// The same for TCP and TLS: the next after those for HTTPS and media.
pub(super) const TCP_PORT: u16 = 8445;

/// The relay (TURN) for clients whose network blocks UDP to the media port. It relays to this node's own
/// media sockets and to nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TurnConfig {
    /// Whether there is a relay.
    pub enabled: bool,
    /// Addresses to listen on. A family that the machine lacks is skipped.
    #[schemars(with = "Vec<String>")]
    pub bind: Vec<IpAddr>,
    /// UDP port to listen on. Not set: 3478, or none, with a warning, when another program has that. A port
    /// that is set here must be free for the server to start. 0 takes a free one, which no rule can name.
    pub udp_port: Option<u16>,
    /// TCP port to listen on, for plain TCP and TLS alike. Not set: 8445, and the same applies. Networks
    /// that let only web pages through need it to be reached at port 443: set 443 here, or forward 443 of
    /// the router to this port and name it in `advertised_tcp_port`.
    pub tcp_port: Option<u16>,
    /// UDP port that clients are told, where a router forwards another one to `udp_port`.
    pub advertised_udp_port: Option<u16>,
    /// TCP port that clients are told, where a router forwards another one to `tcp_port`.
    pub advertised_tcp_port: Option<u16>,
    /// Host name or address at which clients reach the relay. Not set: the one at which they reached
    /// signaling, which suits a server in one process. For TLS the certificate must have it.
    pub host: Option<String>,
    /// Secret from which short-lived credentials are derived. Not set: made anew at each start, which
    /// suffices for a server in one process. Where signaling runs elsewhere, both get the same.
    pub secret: Option<SharedSecret>,
    /// Relayed connections at the same time; a further one is refused. Costs about 2 kB each, and 8 kB and a socket
    /// for each media address that one sends to: mostly one, at most eight.
    pub allocations_max: usize,
    /// The same for one credential, which is one device's: it makes several for a call and keeps one.
    pub allocations_per_credential_max: usize,
    /// TCP and TLS connections at the same time; a further one is closed at once. Costs about 10 kB each, and up to
    /// 0.4 MB for one whose client reads too slowly (256 packets wait).
    pub connections_max: usize,
    /// What one relayed connection may carry in each direction, in kbit/s; what is above it is dropped.
    pub kbits_per_second_max: u32,
}

impl TurnConfig {
    /// The ports to listen on, by UDP and by TCP, as the configuration has them.
    #[must_use]
    pub fn listened(&self) -> (u16, u16) {
        let (udp, tcp) = (self.udp_port, self.tcp_port);
        (udp.unwrap_or(UDP_PORT), tcp.unwrap_or(TCP_PORT))
    }
}

impl Default for TurnConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            bind: vec![
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            ],
            udp_port: None,
            tcp_port: None,
            advertised_udp_port: None,
            advertised_tcp_port: None,
            host: None,
            secret: None,
            allocations_max: 1_000,
            allocations_per_credential_max: 24,
            connections_max: 1_000,
            kbits_per_second_max: 20_000,
        }
    }
}

/// A secret in the configuration: read like any text, written as stars.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SharedSecret(String);

impl SharedSecret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for SharedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
