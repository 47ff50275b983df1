//! Starts the relay on a thread of its own, beside the media threads, and stops it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use socket2::Type;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};

use super::config::{TCP_PORT, TurnConfig, UDP_PORT};
use super::doors::Doors;
use super::refused::Refused;
use super::relay::{Client, OUT_LEN, Relay};
use super::shared::Shared;
use super::sockets::{self, ClientSocket};
use super::streams::{self, Tls};
use crate::node::Node;

/// How often what has expired is dropped.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How often the machine's addresses are read again, as the media workers do.
const ADDRESSES_INTERVAL: Duration = Duration::from_secs(10);

/// Space for what one call receives: the system may put a train of datagrams into it.
const BUFFER_LEN: usize = 65_536;

/// Why the relay can't start.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// A configured port can't be listened on.
    #[error(
        "{protocol} port {port} for the relay can't be listened on; set {setting} under [media.turn] to another"
    )]
    Bind {
        /// UDP or TCP.
        protocol: &'static str,
        /// The port.
        port: u16,
        /// Where it is configured.
        setting: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The machine's addresses can't be read.
    #[error("the addresses of this machine can't be read")]
    Addresses(#[source] io::Error),
    /// The thread can't be started.
    #[error("the relay's thread can't be started")]
    Thread(#[source] io::Error),
}

/// The ports that clients are told; none where nothing is listened on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TurnPorts {
    /// TURN over UDP.
    pub udp: Option<u16>,
    /// TURN over TCP.
    pub tcp: Option<u16>,
    /// TURN over TLS.
    pub tls: Option<u16>,
}

/// Figures since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TurnFigures {
    /// Relayed connections now.
    pub allocations: usize,
    /// TCP and TLS connections now.
    pub connections: usize,
    /// Signed requests that were refused, and connections that were closed at once, by reason.
    pub refused: Refused,
    /// Bytes relayed from clients to media.
    pub bytes_to_media: u64,
    /// Bytes relayed from media to clients.
    pub bytes_to_clients: u64,
}

/// A running relay. Clones are handles to the same one; it stops with the last.
#[derive(Clone)]
pub struct Turn {
    inner: Arc<Inner>,
}

struct Inner {
    ports: TurnPorts,
    shared: Arc<Shared>,
    /// Dropped to stop.
    stop: Mutex<Option<oneshot::Sender<()>>>,
}

impl Turn {
    /// Listens, and starts the thread. `tls` has the server's certificate of the moment; without it there
    /// is no TLS.
    ///
    /// # Errors
    /// When a port that the configuration names can't be listened on. A default port that is taken is left
    /// out with a warning; see [`Self::ports`].
    pub fn start(
        config: &TurnConfig,
        node: &Node,
        tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    ) -> Result<Self, TurnError> {
        let udp = listen::<std::net::UdpSocket>(config, &UDP)?;
        let tcp = listen::<std::net::TcpListener>(config, &TCP)?;
        let (bound, advertised) = node.sockets();
        let doors = Doors::new(advertised, bound).map_err(TurnError::Addresses)?;
        let relay = Relay::new(config, doors, rand::random(), Instant::now());
        let tcp_port = tcp.as_ref().map(|(port, _)| *port);
        let tcp_port = tcp_port.map(|port| config.advertised_tcp_port.unwrap_or(port));
        let udp_port = udp.as_ref().map(|(port, _)| *port);
        let ports = TurnPorts {
            udp: udp_port.map(|port| config.advertised_udp_port.unwrap_or(port)),
            tcp: tcp_port,
            tls: tcp_port.filter(|_| tls.is_some()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(TurnError::Thread)?;
        let within = runtime.enter();
        let sockets = udp.map(|(_, sockets)| sockets).unwrap_or_default();
        let sockets: io::Result<Vec<_>> = sockets.into_iter().map(ClientSocket::new).collect();
        let shared = Arc::new(Shared::new(relay, sockets.map_err(TurnError::Thread)?));
        let listeners = tcp.map(|(_, listeners)| listeners).unwrap_or_default();
        let listeners: io::Result<Vec<_>> =
            listeners.into_iter().map(TcpListener::from_std).collect();
        let listeners = listeners.map_err(TurnError::Thread)?;
        drop(within);
        let (stop, stopped) = oneshot::channel();
        let tasks = run(
            Arc::clone(&shared),
            listeners,
            tls,
            config.connections_max,
            stopped,
        );
        std::thread::Builder::new()
            .name("turn".to_owned())
            .spawn(move || runtime.block_on(tasks))
            .map_err(TurnError::Thread)?;
        let stop = Mutex::new(Some(stop));
        Ok(Self {
            inner: Arc::new(Inner {
                ports,
                shared,
                stop,
            }),
        })
    }

    /// The ports that clients are told.
    #[must_use]
    pub fn ports(&self) -> TurnPorts {
        self.inner.ports
    }

    /// What it carries and has carried.
    #[must_use]
    pub fn figures(&self) -> TurnFigures {
        let connections = self.inner.shared.streams().len();
        let relay = self.inner.shared.relay();
        TurnFigures {
            connections,
            allocations: relay.allocations.len(),
            refused: relay.figures.refused,
            bytes_to_media: relay.figures.bytes_to_peers,
            bytes_to_clients: relay.figures.bytes_to_clients,
        }
    }

    /// Stops listening and drops all connections.
    pub fn stop(&self) {
        let stop = &self.inner.stop;
        drop(stop.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// What is listened on.
struct Kind {
    protocol: &'static str,
    setting: &'static str,
    socket: Type,
    default: u16,
    configured: fn(&TurnConfig) -> Option<u16>,
}

const UDP: Kind = Kind {
    protocol: "UDP",
    setting: "udp_port",
    socket: Type::DGRAM,
    default: UDP_PORT,
    configured: |config| config.udp_port,
};

const TCP: Kind = Kind {
    protocol: "TCP",
    setting: "tcp_port",
    socket: Type::STREAM,
    default: TCP_PORT,
    configured: |config| config.tcp_port,
};

/// A port that somebody chose must be had; a default that is taken, as by a second server on this machine,
/// is none.
fn listen<S: From<socket2::Socket>>(
    config: &TurnConfig,
    kind: &Kind,
) -> Result<Option<(u16, Vec<S>)>, TurnError> {
    let configured = (kind.configured)(config);
    let port = configured.unwrap_or(kind.default);
    match sockets::bind_all(&config.bind, port, kind.socket) {
        Ok(listening) => Ok(Some(listening)),
        Err(source) if configured.is_some() => Err(TurnError::Bind {
            protocol: kind.protocol,
            port,
            setting: kind.setting,
            source,
        }),
        Err(error) => {
            let (protocol, setting) = (kind.protocol, kind.setting);
            tracing::warn!(%error, protocol, port, "no relay here; set {setting} under [media.turn]");
            Ok(None)
        }
    }
}

/// Everything that the relay does. Its tasks end when this one does, with the runtime.
async fn run(
    shared: Arc<Shared>,
    listeners: Vec<TcpListener>,
    tls: Tls,
    connections_max: usize,
    stopped: oneshot::Receiver<()>,
) {
    let mut index = 0;
    while shared.socket(index).is_some() {
        tokio::spawn(datagrams(Arc::clone(&shared), index));
        index += 1;
    }
    let places = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
    let numbers = Arc::new(AtomicU64::new(0));
    for listener in listeners {
        let (places, numbers) = (Arc::clone(&places), Arc::clone(&numbers));
        let accept = streams::accept(listener, Arc::clone(&shared), tls.clone(), places, numbers);
        tokio::spawn(accept);
    }
    tokio::spawn(tidy(Arc::clone(&shared)));
    // Its sender is only ever dropped.
    stopped.await.ok();
}

async fn datagrams(shared: Arc<Shared>, index: usize) {
    let (mut buffer, mut out) = (vec![0; BUFFER_LEN], [0; OUT_LEN]);
    let Some(socket) = shared.socket(index) else {
        return;
    };
    loop {
        let meta = match socket.receive(&mut buffer).await {
            Ok(meta) => meta,
            Err(error) => {
                // A client's port was closed, which the system tells here.
                tracing::trace!(%error, "receiving for the relay failed");
                tokio::task::yield_now().await;
                continue;
            }
        };
        let client = Client::Datagram {
            socket: index,
            local: meta.dst_ip.filter(|ip| !ip.is_unspecified()),
            address: canonical(meta.addr),
        };
        for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
            if let Some(len) = shared.take(client, datagram, &mut out) {
                socket.send(local_of(client), meta.addr, &out[..len]);
            }
        }
    }
}

const fn local_of(client: Client) -> Option<IpAddr> {
    match client {
        Client::Datagram { local, .. } => local,
        Client::Stream { .. } => None,
    }
}

/// Without the flow label, by which a client's address is no other.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(mut v6) => {
            v6.set_flowinfo(0);
            SocketAddr::V6(v6)
        }
        v4 => v4,
    }
}

async fn tidy(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    let mut addresses_at = Instant::now() + ADDRESSES_INTERVAL;
    loop {
        interval.tick().await;
        let now = Instant::now();
        let mut relay = shared.relay();
        relay.sweep(now);
        if addresses_at <= now {
            addresses_at = now + ADDRESSES_INTERVAL;
            if let Err(error) = relay.doors.renew() {
                tracing::warn!(%error, "the addresses of this machine can't be read");
            }
        }
    }
}
