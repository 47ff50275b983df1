//! Starts the media threads and stops them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use homeline_media_engine::{Engine, EngineConfig, Identity, IdentityError};
use homeline_protocol::media_control::MediaEvent;
use tokio::sync::{mpsc, oneshot};

use crate::addresses;
use crate::config::NodeConfig;
use crate::link::{COMMANDS_MAX, EVENTS_MAX, Link};
use crate::links::Links;
use crate::metrics::{MetricsBoard, NodeMetrics};
use crate::orders::Losses;
use crate::placement::Bounds;
use crate::pulse::Pulse;
use crate::router::{Door, Router};
use crate::sockets;
use crate::tcp::{self, Connections, Listeners};
use crate::telling::Telling;
use crate::worker::{State, WAKER, Worker};

/// Why a node can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No media socket could be bound.
    #[error("UDP port {port} for media can't be bound; set udp_port under [media] to another")]
    Bind {
        /// The configured port.
        port: u16,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No media connections can be listened for.
    #[error(
        "TCP port {port} for media can't be bound; set tcp_port under [media] to another, or tcp to false"
    )]
    Listen {
        /// The configured port.
        port: u16,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The workers' ports would go beyond the last.
    #[error("the ports of all workers under [media] go beyond the last; lower the port or workers")]
    Ports,
    /// The machine's addresses can't be read.
    #[error("the addresses of this machine can't be read")]
    Addresses(#[source] io::Error),
    /// No certificate for DTLS could be made.
    #[error("no certificate for media could be made")]
    Certificate(#[from] rcgen::Error),
    /// The DTLS library refused the certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The media thread can't be started.
    #[error("the media thread can't be started")]
    Thread(#[source] io::Error),
}

/// A running media node. Clones are handles to the same one; it stops when it is told to, or when the last
/// handle or signaling's link is gone.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

struct Inner {
    doors: Vec<Door>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    boards: Vec<Arc<MetricsBoard>>,
    addresses: Vec<SocketAddr>,
    /// The media sockets of all workers, as they are bound.
    bound: Vec<SocketAddr>,
    /// The ports on which media connections are taken.
    tcp_ports: Vec<u16>,
    advertised: Vec<IpAddr>,
    deadline: Duration,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.doors.iter().for_each(Door::stop);
    }
}

/// A worker that is ready to run, and what the node keeps of it.
pub(crate) struct Prepared {
    pub(crate) worker: Worker,
    pub(crate) door: Door,
    pub(crate) board: Arc<MetricsBoard>,
    addresses: Vec<SocketAddr>,
    bound: Vec<SocketAddr>,
    tcp_port: Option<u16>,
}

impl Node {
    /// Binds the sockets and starts the media threads.
    ///
    /// # Errors
    /// When no socket can be bound or a thread can't be started.
    pub fn start(config: NodeConfig) -> Result<(Self, Link), StartError> {
        Self::start_prepared(&config, |_| {})
    }

    /// Like [`Self::start`], and `sender` gets every RTP packet as the server sees it, without SRTP.
    ///
    /// # Errors
    /// As [`Self::start`].
    #[cfg(feature = "tap")]
    pub fn start_with_tap(
        config: NodeConfig,
        sender: std::sync::mpsc::Sender<Vec<u8>>,
    ) -> Result<(Self, Link), StartError> {
        Self::start_prepared(&config, |engine| engine.open_tap(sender.clone()))
    }

    fn start_prepared(
        config: &NodeConfig,
        prepare: impl Fn(&mut Engine),
    ) -> Result<(Self, Link), StartError> {
        let (commands, commands_in) = mpsc::channel(COMMANDS_MAX);
        let (events_out, events) = mpsc::channel(EVENTS_MAX);
        let mut prepared = Vec::new();
        for number in 0..config.workers.get() {
            let mut next = new_worker(config, number, events_out.clone())?;
            prepare(&mut next.worker.engine);
            prepared.push(next);
        }
        let losses = connect(&mut prepared);
        let mut inner = Inner {
            doors: Vec::new(),
            threads: Mutex::default(),
            boards: Vec::new(),
            addresses: Vec::new(),
            bound: Vec::new(),
            tcp_ports: Vec::new(),
            advertised: config.advertised_addresses.clone(),
            deadline: Duration::from_secs(config.shutdown_deadline_secs.into()),
        };
        let mut threads = Vec::new();
        for Prepared {
            worker,
            door,
            board,
            addresses,
            bound,
            tcp_port,
        } in prepared
        {
            // Those started so far end with `inner` if one can't be.
            inner.doors.push(door);
            inner.boards.push(board);
            inner.addresses.extend(addresses);
            inner.bound.extend(bound);
            inner.tcp_ports.extend(tcp_port);
            threads.push(spawn("media", move || worker.run())?);
        }
        let bounds = Bounds {
            rooms_max: config.rooms_max,
            peers_per_room_max: config.peers_per_room_max,
            room_peers_per_worker_max: config.room_peers_per_worker_max,
        };
        let router = Router::new(inner.doors.clone(), bounds, losses);
        // Ends with signaling's link, whoever holds the node.
        spawn("media-router", move || router.run(commands_in))?;
        inner.threads = Mutex::new(threads);
        let inner = Arc::new(inner);
        Ok((Self { inner }, Link { commands, events }))
    }

    /// The addresses that clients were told at the start; the machine's own are read again while it runs.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.inner.addresses
    }

    /// The ports on which media is taken, by UDP and by TCP: one of each for each worker.
    pub fn ports(&self) -> (Vec<u16>, Vec<u16>) {
        let mut udp: Vec<u16> = self.inner.bound.iter().map(SocketAddr::port).collect();
        udp.dedup();
        (udp, self.inner.tcp_ports.clone())
    }

    /// The media sockets as they are bound, and the addresses configured for clients to be told.
    pub(crate) fn sockets(&self) -> (&[SocketAddr], &[IpAddr]) {
        (&self.inner.bound, &self.inner.advertised)
    }

    /// The node's figures, all workers together, at most a quarter of a second old.
    pub fn metrics(&self) -> NodeMetrics {
        let mut metrics = NodeMetrics::default();
        for board in &self.inner.boards {
            metrics.add(&board.read());
        }
        metrics
    }

    /// How many media threads there are, and how many of them have not been heard of for two seconds.
    pub fn threads(&self) -> (usize, usize) {
        let silent = self.inner.doors.iter().filter(|door| door.load().silent);
        (self.inner.doors.len(), silent.count())
    }

    /// How much of a processor core each media thread uses, of late, in thousandths.
    pub fn busy_permille(&self) -> Vec<u16> {
        let doors = self.inner.doors.iter();
        doors.map(|door| door.load().busy_permille).collect()
    }

    #[cfg(test)]
    pub(crate) fn boards(&self) -> Vec<Arc<MetricsBoard>> {
        self.inner.boards.clone()
    }

    /// Says goodbye to all peers and ends the media threads; gives up waiting after the configured deadline.
    pub async fn shutdown(&self) {
        self.inner.doors.iter().for_each(Door::stop);
        let threads = std::mem::take(
            &mut *self
                .inner
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        if threads.is_empty() {
            return;
        }
        let (done, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let mut panicked = false;
            for thread in threads {
                panicked |= thread.join().is_err();
            }
            // Nobody waits any longer when the deadline has passed.
            done.send(panicked).ok()
        });
        match tokio::time::timeout(self.inner.deadline, ended).await {
            Ok(Ok(false)) => {}
            Ok(_) => tracing::error!("a media thread panicked"),
            Err(_) => tracing::warn!("the media threads did not end in time"),
        }
    }
}

/// Connects the workers with each other and with the router.
fn connect(prepared: &mut [Prepared]) -> Arc<Losses> {
    let losses = Arc::<Losses>::default();
    let wakers: Vec<_> = prepared
        .iter()
        .map(|next| Arc::clone(&next.door.waker))
        .collect();
    for (next, links) in prepared.iter_mut().zip(Links::between(&wakers)) {
        next.worker.links = links;
        next.worker.losses = Arc::clone(&losses);
    }
    losses
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(body).map_err(StartError::Thread)
}

/// Worker `number`, on the port after those of the workers before it.
pub(crate) fn new_worker(
    config: &NodeConfig,
    number: u16,
    events: mpsc::Sender<MediaEvent>,
) -> Result<Prepared, StartError> {
    let port = match config.udp_port {
        0 => 0,
        first => first.checked_add(number).ok_or(StartError::Ports)?,
    };
    let sockets = sockets::bind_all(&config.bind, port, config.socket_buffer_bytes)
        .map_err(|source| StartError::Bind { port, source })?;
    let bound: Vec<SocketAddr> = sockets.iter().map(sockets::MediaSocket::address).collect();
    let addresses = addresses::candidates(&config.advertised_addresses, &bound)
        .map_err(StartError::Addresses)?;
    let listeners = listen(config, number, bound.first().map_or(port, SocketAddr::port))?;
    let tcp_port = listeners.addresses().first().map(SocketAddr::port);
    let poll = mio::Poll::new().map_err(StartError::Thread)?;
    let waker = mio::Waker::new(poll.registry(), WAKER).map_err(StartError::Thread)?;
    let (orders, orders_in) = channel();
    let pulse = Arc::new(Pulse::new(Instant::now()));
    let (stopping, board): (Arc<AtomicBool>, Arc<MetricsBoard>) = Default::default();
    let mut engine = new_engine(config, addresses.clone())?;
    let tcp_addresses = addresses::tcp(&config.advertised_addresses, listeners.addresses());
    engine.set_tcp_candidates(tcp_addresses.map_err(StartError::Addresses)?);
    let worker = Worker {
        number: usize::from(number),
        engine,
        poll,
        sockets,
        connections: Connections::new(listeners, config.tcp_connections_max),
        orders: orders_in,
        links: Links::default(),
        losses: Arc::default(),
        telling: Telling::new(events),
        stopping: Arc::clone(&stopping),
        board: Arc::clone(&board),
        pulse: Arc::clone(&pulse),
        advertised: config.advertised_addresses.clone(),
        operating_point: config.operating_point,
        trains: config.segmentation_offload,
        state: State::default(),
    };
    let door = Door {
        orders,
        waker: Arc::new(waker),
        stopping,
        pulse,
    };
    Ok(Prepared {
        worker,
        door,
        board,
        addresses,
        bound,
        tcp_port,
    })
}

/// Listens for media connections on the configured port, or on the number of the UDP port.
fn listen(config: &NodeConfig, number: u16, udp_port: u16) -> Result<Listeners, StartError> {
    if !config.tcp {
        return Ok(Listeners::default());
    }
    let port = match config.tcp_port {
        None => udp_port,
        Some(0) => 0,
        Some(first) => first.checked_add(number).ok_or(StartError::Ports)?,
    };
    let bound = match tcp::bind(&config.bind, port) {
        // A free port for UDP was taken by chance, and any is right for TCP too.
        Err(_) if config.tcp_port.is_none() && config.udp_port == 0 => tcp::bind(&config.bind, 0),
        bound => bound,
    };
    bound.map_err(|source| StartError::Listen { port, source })
}

fn new_engine(config: &NodeConfig, candidates: Vec<SocketAddr>) -> Result<Engine, StartError> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = rcgen::CertificateParams::new(Vec::new())?.self_signed(&key)?;
    let identity = Identity::new(certificate.der().to_vec(), key.serialize_der())?;
    let engine_config = EngineConfig {
        candidates,
        // A clock before 1970 is wrong in any case; reports only need it to run evenly.
        unix_time: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
        rooms_max: config.rooms_max,
        peers_per_room_max: config.peers_per_room_max,
        tracks_per_peer_max: config.tracks_per_peer_max,
        subscriptions_per_peer_max: config.subscriptions_per_peer_max,
        estimation: config.bandwidth_estimation,
        ..EngineConfig::default()
    };
    Ok(Engine::new(
        engine_config,
        identity,
        rand::random(),
        Instant::now(),
    ))
}
