//! What happens on a connection, from the library to the call.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCPeerConnectionState,
};

/// What happens on a connection.
pub(crate) enum PeerEvent {
    /// ICE and DTLS are up.
    Connected,
    /// Nothing is heard at the moment; ICE goes on trying.
    Disconnected,
    /// ICE gave up: it needs a restart.
    Failed,
    /// No way to the media node was found so far, and what went wrong with each; ICE goes on trying.
    NoWay(Vec<String>),
    /// A wanted track begins.
    Track(Arc<dyn TrackRemote>),
}

/// Passes events on. A full queue drops: the reader is gone.
pub(super) struct Handler {
    pub(super) events: mpsc::Sender<PeerEvent>,
    /// Whether ICE has decided for a way.
    pub(super) decided: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        match state {
            RTCIceConnectionState::Connected | RTCIceConnectionState::Completed => {
                self.decided.send_replace(true);
            }
            // It holds on to what it has.
            RTCIceConnectionState::Disconnected => {}
            _ => {
                self.decided.send_replace(false);
            }
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let event = match state {
            RTCPeerConnectionState::Connected => PeerEvent::Connected,
            RTCPeerConnectionState::Disconnected => PeerEvent::Disconnected,
            RTCPeerConnectionState::Failed => PeerEvent::Failed,
            _ => return,
        };
        self.events.try_send(event).ok();
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.events.try_send(PeerEvent::Track(track)).ok();
    }
}
