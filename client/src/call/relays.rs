//! Relays (TURN) for networks that block media: asked of the server when a connection is made, and again when
//! what opens them has run out. They are used only when nothing nearer works.

use std::time::Duration;

use homeline_protocol::session::{RelayServers, Reply, Request};

use crate::session::Session;

/// A call waits so long for the server's word about relays; then it begins without one.
const WAIT: Duration = Duration::from_secs(2);

pub(super) async fn relays(session: &Session) -> Option<RelayServers> {
    let asked = tokio::time::timeout(WAIT, session.request(Request::GetRelays)).await;
    let Ok(Ok(Reply::Relays(relays))) = asked else {
        tracing::info!("the server names no relays; media goes without");
        return None;
    };
    // None of them, too, is an answer that counts for its time.
    Some(relays)
}
