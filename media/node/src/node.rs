//! Starts a media thread and stops it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use homeline_media_engine::{Engine, EngineConfig, Identity, IdentityError};
use tokio::sync::{mpsc, oneshot, watch};

use crate::addresses;
use crate::config::NodeConfig;
use crate::link::{COMMANDS_MAX, EVENTS_MAX, Link};
use crate::metrics::{MetricsBoard, NodeMetrics};
use crate::sockets;
use crate::worker::Worker;

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
/// handle and signaling's link are gone.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

struct Inner {
    stopping: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    board: Arc<MetricsBoard>,
    addresses: Vec<SocketAddr>,
    deadline: Duration,
}

impl Node {
    /// Binds the sockets and starts the media thread.
    ///
    /// # Errors
    /// When no socket can be bound or the thread can't be started.
    pub fn start(config: NodeConfig) -> Result<(Self, Link), StartError> {
        Self::start_prepared(config, |_| {})
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
        Self::start_prepared(config, |engine| engine.open_tap(sender))
    }

    fn start_prepared(
        config: NodeConfig,
        prepare: impl FnOnce(&mut Engine),
    ) -> Result<(Self, Link), StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(StartError::Thread)?;
        let bound = {
            let _inside = runtime.enter();
            sockets::bind_all(&config.bind, config.udp_port, config.socket_buffer_bytes)
        };
        let sockets = bound.map_err(|source| StartError::Bind {
            port: config.udp_port,
            source,
        })?;
        let bound: Vec<SocketAddr> = sockets.iter().map(sockets::MediaSocket::address).collect();
        let addresses = addresses::candidates(&config.advertised_addresses, &bound)
            .map_err(StartError::Addresses)?;
        let mut engine = new_engine(&config, addresses.clone())?;
        prepare(&mut engine);

        let (commands, commands_in) = mpsc::channel(COMMANDS_MAX);
        let (events_out, events) = mpsc::channel(EVENTS_MAX);
        let (stopping, is_stopping) = watch::channel(false);
        let board = Arc::new(MetricsBoard::default());
        let worker = Worker {
            engine,
            sockets,
            commands: commands_in,
            events: events_out,
            waiting_events: VecDeque::new(),
            stopping: is_stopping,
            board: Arc::clone(&board),
            metrics: NodeMetrics::default(),
            next_socket: 0,
            advertised: config.advertised_addresses.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("media".to_owned())
            .spawn(move || runtime.block_on(worker.run()))
            .map_err(StartError::Thread)?;
        let deadline = Duration::from_secs(config.shutdown_deadline_secs.into());
        let thread = Mutex::new(Some(thread));
        let inner = Inner {
            stopping,
            thread,
            board,
            addresses,
            deadline,
        };
        Ok((
            Self {
                inner: Arc::new(inner),
            },
            Link { commands, events },
        ))
    }

    /// The addresses that clients were told at the start; the machine's own are read again while it runs.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.inner.addresses
    }

    /// The node's figures, at most a quarter of a second old.
    pub fn metrics(&self) -> NodeMetrics {
        self.inner.board.read()
    }

    /// Says goodbye to all peers and ends the media thread; gives up waiting after the configured deadline.
    pub async fn shutdown(&self) {
        // Without receivers the thread has ended already.
        self.inner.stopping.send_replace(true);
        let thread = self
            .inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        let (done, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let panicked = thread.join().is_err();
            // Nobody waits any longer when the deadline has passed.
            done.send(panicked).ok()
        });
        match tokio::time::timeout(self.inner.deadline, ended).await {
            Ok(Ok(false)) => {}
            Ok(_) => tracing::error!("the media thread panicked"),
            Err(_) => tracing::warn!("the media thread did not end in time"),
        }
    }
}

pub(crate) fn new_engine(
    config: &NodeConfig,
    candidates: Vec<SocketAddr>,
) -> Result<Engine, StartError> {
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
        ..EngineConfig::default()
    };
    Ok(Engine::new(
        engine_config,
        identity,
        rand::random(),
        Instant::now(),
    ))
}
