//! Relays for hostile networks.

use homeline_protocol::Secret;
use homeline_protocol::session::{RelayServer, RelayServers, RelayTransport, Reply, Request};

use super::AT_MS;

pub(crate) fn requests() -> Vec<Request> {
    vec![Request::GetRelays]
}

pub(crate) fn replies() -> Vec<Reply> {
    let server = |host: Option<&str>, port, transport| RelayServer {
        host: host.map(str::to_owned),
        port,
        transport,
    };
    vec![Reply::Relays(RelayServers {
        servers: vec![
            server(None, 3478, RelayTransport::Udp),
            server(None, 8445, RelayTransport::Tcp),
            server(Some("turn.example"), 443, RelayTransport::Tls),
        ],
        username: "1795305600:0123456789abcdef".to_owned(),
        credential: Secret::new("c2VjcmV0"),
        expires_at_ms: AT_MS,
    })]
}
