//! What all tasks of the relay share: its decisions, and the ways to clients.
//!
//! The tasks run on one thread, so that the locks are never waited for; they are held for one message.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::relay::{Client, Now, OUT_LEN, Relay, Verdict};
use super::sockets::{self, ClientSocket};
use crate::tcp::network_of;

/// Messages that may wait for a slow TCP connection; what comes beyond is dropped: it would be late.
pub(super) const QUEUE_MAX: usize = 256;

pub(super) struct Shared {
    relay: Mutex<Relay<PeerSocket>>,
    sockets: Vec<ClientSocket>,
    streams: Mutex<HashMap<u64, mpsc::Sender<Vec<u8>>>>,
    /// Connections of each network that has any.
    crowd: Mutex<HashMap<IpAddr, usize>>,
}

/// Connections from one address (one IPv6 /64): more than a household's devices behind one router, and too few to
/// take the places of everybody else.
const CONNECTIONS_OF_ONE_NETWORK_MAX: usize = 64;

/// The socket to a media socket, and the task that reads it. Both end with it.
pub(super) struct PeerSocket {
    socket: Arc<UdpSocket>,
    reader: AbortHandle,
}

impl Drop for PeerSocket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    pub(super) fn new(relay: Relay<PeerSocket>, sockets: Vec<ClientSocket>) -> Self {
        Self {
            relay: Mutex::new(relay),
            sockets,
            streams: Mutex::default(),
            crowd: Mutex::default(),
        }
    }

    pub(super) fn relay(&self) -> MutexGuard<'_, Relay<PeerSocket>> {
        // A panic inside would have been between two messages' effects; the next stands on its own.
        self.relay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn streams(&self) -> MutexGuard<'_, HashMap<u64, mpsc::Sender<Vec<u8>>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection from there in, unless too many of the network are open.
    pub(super) fn let_in(&self, address: IpAddr) -> bool {
        let mut crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let count = crowd.entry(network_of(address)).or_default();
        let fits = *count < CONNECTIONS_OF_ONE_NETWORK_MAX;
        *count += usize::from(fits);
        fits
    }

    /// Counts it out.
    pub(super) fn let_out(&self, address: IpAddr) {
        let mut crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network_of(address);
        if let Some(count) = crowd.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                crowd.remove(&network);
            }
        }
    }

    pub(super) fn socket(&self, index: usize) -> Option<&ClientSocket> {
        self.sockets.get(index)
    }

    /// Takes one message of a client. The length of the reply in `out`, when there is one.
    pub(super) fn take(
        self: &Arc<Self>,
        client: Client,
        bytes: &[u8],
        out: &mut [u8; OUT_LEN],
    ) -> Option<usize> {
        let now = now();
        let mut relay = self.relay();
        let (peer, door, data) = match relay.handle(now, client, bytes, out) {
            Verdict::Drop => return None,
            Verdict::Reply(len) => return Some(len),
            Verdict::Relay { peer, door, data } => (peer, door, bytes.get(data)?),
        };
        let allocation = relay.live_mut(now.at, client)?;
        if allocation.socket(peer).is_none() {
            let socket = self
                .open((client, peer), door)
                .inspect_err(|error| tracing::warn!(%error, "no socket for a relayed connection"));
            if !allocation.keep(peer, socket.ok()?) {
                return None;
            }
        }
        sockets::send_connected(&allocation.socket(peer)?.socket, data);
        None
    }

    fn open(
        self: &Arc<Self>,
        from: (Client, SocketAddr),
        door: SocketAddr,
    ) -> std::io::Result<PeerSocket> {
        let socket = Arc::new(sockets::connect(door)?);
        let reader = tokio::spawn(read_peer(Arc::clone(self), Arc::clone(&socket), from));
        Ok(PeerSocket {
            socket,
            reader: reader.abort_handle(),
        })
    }

    /// Sends a message to a client, or drops it.
    fn deliver(&self, client: Client, bytes: &[u8]) {
        match client {
            Client::Datagram {
                socket,
                local,
                address,
            } => {
                if let Some(socket) = self.socket(socket) {
                    socket.send(local, address, bytes);
                }
            }
            Client::Stream { number, .. } => {
                if let Some(queue) = self.streams().get(&number) {
                    queue.try_send(bytes.to_vec()).ok();
                }
            }
        }
    }
}

/// Hands what our media sends to the client, until the allocation drops this task.
async fn read_peer(shared: Arc<Shared>, socket: Arc<UdpSocket>, from: (Client, SocketAddr)) {
    let (mut buffer, mut out) = (vec![0; OUT_LEN], [0; OUT_LEN]);
    loop {
        // An error is the system's word that nobody was there for an earlier packet: media has stopped.
        let Ok(len) = socket.recv(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let written = shared
            .relay()
            .peer_sent(Instant::now(), from, &buffer[..len], &mut out);
        if let Some(written) = written {
            shared.deliver(from.0, &out[..written]);
        }
    }
}

pub(super) fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH);
    Now {
        at: Instant::now(),
        unix_secs: unix.unwrap_or_default().as_secs(),
    }
}
