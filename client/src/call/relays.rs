//! Relays (TURN) for networks that block media: asked of the server when a connection is made. ICE takes one
//! only when nothing nearer works.
//!
//! The `webrtc` crate speaks to relays over UDP alone, so that the others are left out here.

use std::time::Duration;

use homeline_protocol::session::{RelayServer, RelayTransport, Reply, Request};
use rtc::peer_connection::configuration::RTCIceServer;

use crate::session::Session;

/// A call waits so long for the server's word about relays; then it begins without one.
const WAIT: Duration = Duration::from_secs(2);

pub(super) async fn relays(session: &Session) -> Vec<RTCIceServer> {
    let asked = tokio::time::timeout(WAIT, session.request(Request::GetRelays)).await;
    let Ok(Ok(Reply::Relays(relays))) = asked else {
        tracing::info!("the server names no relays; media goes without");
        return Vec::new();
    };
    let urls: Vec<String> = relays
        .servers
        .iter()
        .filter(|server| server.transport == RelayTransport::Udp)
        .map(|server| url(server, session.host()))
        .collect();
    if urls.is_empty() {
        return Vec::new();
    }
    vec![RTCIceServer {
        urls,
        username: relays.username,
        credential: relays.credential.expose().to_owned(),
    }]
}

/// RFC 7065.
fn url(server: &RelayServer, here: &str) -> String {
    let host = server.host.as_deref().unwrap_or(here);
    format!("turn:{host}:{}?transport=udp", server.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_where_the_server_is_unless_it_says_another_place() {
        let mut server = RelayServer {
            host: None,
            port: 3478,
            transport: RelayTransport::Udp,
        };
        let written = url(&server, "home.lan");
        assert_eq!(written, "turn:home.lan:3478?transport=udp");
        server.host = Some("turn.example".to_owned());
        let written = url(&server, "home.lan");
        assert_eq!(written, "turn:turn.example:3478?transport=udp");
    }
}
