//! One connection that carries ICE's datagrams, from its beginning to its end; and the plainest kind of it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtc::peer_connection::transport::RTCIceCandidateInit;
use tokio::sync::watch;
use webrtc::peer_connection::PeerConnection;

use super::candidates::line;
use super::carrier::{Carrier, Route};
use super::wire::{Framing, Wire};
use crate::server::Server;

/// A connection that takes longer is given up.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// Connections in reserve are closed so long after ICE has decided, if media says by then what it decided for; after a
/// restart it may say nothing for as long as nobody speaks.
const RESERVE_TIME: Duration = Duration::from_secs(3);

/// Why a way does not lead to the media node.
#[derive(Debug, thiserror::Error)]
pub(super) enum WayError {
    #[error("{way}: no connection: {why}")]
    NoConnection { way: String, why: io::Error },
    #[error("{way}: the relay refuses: {why}")]
    Refused { way: String, why: String },
    #[error("{way}: no answer")]
    NoAnswer { way: String },
    #[error("{way}: the connection ended")]
    Ended { way: String },
    #[error("{way}: {why}")]
    WebRtc {
        way: String,
        why: webrtc::error::Error,
    },
}

/// What all connections share.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) server: Server,
    pub(super) carrier: Arc<Carrier>,
    pub(super) connection: Arc<dyn PeerConnection>,
    /// Whether ICE has decided.
    pub(super) decided: watch::Receiver<bool>,
    /// All connections are to end.
    pub(super) over: watch::Receiver<bool>,
}

/// How a connection ended, if not by an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Media went over it.
    InUse,
    /// It was in reserve, or everything is over.
    Reserve,
}

impl Common {
    /// A stand-in of which ICE knows from now on.
    pub(super) async fn offer(&self, way: &str, priority: u32) -> Result<Route, WayError> {
        let ended = || WayError::Ended {
            way: way.to_owned(),
        };
        let route = self.carrier.route().ok_or_else(ended)?;
        let candidate = RTCIceCandidateInit {
            candidate: line(route.stand_in, priority),
            ..Default::default()
        };
        let added = self.connection.add_ice_candidate(candidate).await;
        added.map_err(|why| WayError::WebRtc {
            way: way.to_owned(),
            why,
        })?;
        Ok(route)
    }

    /// Waits until connections in reserve are to be closed, or all.
    pub(super) fn until_reserve_is_closed(&self) -> impl Future<Output = bool> + Send + use<> {
        let (mut decided, mut over) = (self.decided.clone(), self.over.clone());
        let carrier = Arc::clone(&self.carrier);
        async move {
            let reserve = async {
                if decided.wait_for(|decided| *decided).await.is_err() {
                    return;
                }
                tokio::time::sleep(RESERVE_TIME).await;
                while !carrier.is_in_use() {
                    tokio::time::sleep(RESERVE_TIME).await;
                }
            };
            tokio::select! {
                () = reserve => false,
                _ = over.wait_for(|over| *over) => true,
            }
        }
    }

    pub(super) async fn is_over(&self) {
        // A sender that is gone says the same.
        self.over.clone().wait_for(|over| *over).await.ok();
    }
}

/// Media over TCP (RFC 6544, the active side): a connection that is there is offered to ICE.
pub(super) async fn direct(
    common: Common,
    address: SocketAddr,
    priority: u32,
) -> Result<Ending, WayError> {
    let way = format!("media over TCP at {address}");
    let host = address.ip().to_string();
    let dialling = common.server.dial(&host, address.port(), false);
    let stream = within(&way, dialling).await?;
    let mut wire = Wire::stream(stream, Framing::Packets);
    let mut route = common.offer(&way, priority).await?;
    let mut closing = Box::pin(common.until_reserve_is_closed());
    let mut in_reserve = true;
    loop {
        tokio::select! {
            datagram = wire.receive() => match datagram {
                Some(datagram) => common.carrier.deliver(route.stand_in, datagram),
                None if common.carrier.uses(route.stand_in) => return Ok(Ending::InUse),
                None => return Err(WayError::Ended { way }),
            },
            Some(datagram) = route.outgoing.recv() => wire.send(datagram),
            over = &mut closing, if in_reserve => {
                in_reserve = false;
                if over || !common.carrier.uses(route.stand_in) {
                    return Ok(Ending::Reserve);
                }
                tracing::info!(way, "media goes this way");
            }
            () = common.is_over(), if !in_reserve => return Ok(Ending::Reserve),
        }
    }
}

/// A connection within the time that one may take.
pub(super) async fn within<T>(
    way: &str,
    connecting: impl Future<Output = io::Result<T>>,
) -> Result<T, WayError> {
    let connected = tokio::time::timeout(CONNECT_TIME_MAX, connecting).await;
    let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    connected.map_err(|why| WayError::NoConnection {
        way: way.to_owned(),
        why,
    })
}
