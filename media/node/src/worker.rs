//! One media thread: sockets, clock and channels around an engine.
//!
//! It shares nothing with other threads but channels and the board of its figures, so that several of them
//! can run beside each other, each with its rooms and its port.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use homeline_media_engine::{Engine, Output, Transmit};
use homeline_protocol::media_control::{MediaError, MediaEvent};
use quinn_udp::RecvMeta;
use tokio::sync::{mpsc, watch};

use crate::addresses;
use crate::cpu;
use crate::link::MediaExchange;
use crate::metrics::{MetricsBoard, NodeMetrics};
use crate::sockets::{Batch, MediaSocket};

/// How often the figures are laid out for readers.
const METRICS_INTERVAL: Duration = Duration::from_millis(250);

/// How often the machine's addresses are read again.
const ADDRESSES_INTERVAL: Duration = Duration::from_secs(10);

/// Batches taken from one socket before the others, the commands and the timers get their turn.
const BATCHES_MAX: usize = 4;

/// Everything that a worker owns.
pub(crate) struct Worker {
    pub(crate) engine: Engine,
    pub(crate) sockets: Vec<MediaSocket>,
    pub(crate) commands: mpsc::Receiver<MediaExchange>,
    pub(crate) events: mpsc::Sender<MediaEvent>,
    /// Events that found their channel full, in order; bounded by what the engine's rooms can cause while
    /// signaling is busy, since each peer has three states.
    pub(crate) waiting_events: std::collections::VecDeque<MediaEvent>,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) board: Arc<MetricsBoard>,
    pub(crate) metrics: NodeMetrics,
    /// The socket that is asked first next time.
    pub(crate) next_socket: usize,
    /// Addresses to be advertised instead of the machine's own.
    pub(crate) advertised: Vec<IpAddr>,
}

enum Woken {
    Readable(usize),
    Command(Option<MediaExchange>),
    Time,
    EventSent,
    Stop,
}

impl Worker {
    /// Runs until it is told to stop or nobody can command it any more.
    pub(crate) async fn run(mut self) {
        let mut batch = Batch::new();
        let mut publish_at = Instant::now() + METRICS_INTERVAL;
        let mut addresses_at = Instant::now() + ADDRESSES_INTERVAL;
        let mut wake_at = self.drain();
        loop {
            let woken = self.wait(wake_at.min(publish_at)).await;
            let now = Instant::now();
            match woken {
                Woken::Readable(socket) => {
                    self.next_socket = socket + 1;
                    self.receive(socket, &mut batch);
                }
                Woken::Command(Some(exchange)) => self.command(now, exchange),
                Woken::Command(None) | Woken::Stop => break,
                Woken::Time | Woken::EventSent => {}
            }
            self.guarded(|engine| engine.handle_timeout(Instant::now()));
            wake_at = self.drain();
            if publish_at <= now {
                publish_at = now + METRICS_INTERVAL;
                self.publish();
            }
            if addresses_at <= now {
                addresses_at = now + ADDRESSES_INTERVAL;
                self.renew_candidates();
            }
        }
        self.guarded(|engine| engine.close_all_rooms(Instant::now()));
        self.drain();
        self.publish();
    }

    async fn wait(&mut self, until: Instant) -> Woken {
        let has_waiting = !self.waiting_events.is_empty();
        let readable = next_readable(&self.sockets, self.next_socket);
        tokio::select! {
            // In this order: the rare things first, or a flood of packets would keep them waiting.
            biased;
            _ = self.stopping.wait_for(|stop| *stop) => Woken::Stop,
            exchange = self.commands.recv() => Woken::Command(exchange),
            socket = readable => Woken::Readable(socket),
            permit = self.events.reserve(), if has_waiting => {
                if let (Ok(permit), Some(event)) = (permit, self.waiting_events.pop_front()) {
                    permit.send(event);
                }
                Woken::EventSent
            }
            () = tokio::time::sleep_until(until.into()) => Woken::Time,
        }
    }

    fn receive(&mut self, socket: usize, batch: &mut Batch) {
        for _ in 0..BATCHES_MAX {
            let received = self.sockets[socket].receive(batch);
            let count = match received {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) => {
                    // ICMP errors of earlier datagrams turn up here; the next call goes on.
                    tracing::trace!(%error, "receiving failed");
                    return;
                }
            };
            for (meta, datagram) in batch.datagrams(count) {
                self.datagram(socket, &meta, datagram);
            }
        }
    }

    fn datagram(&mut self, socket: usize, meta: &RecvMeta, datagram: &mut [u8]) {
        let (local, remote) = (self.sockets[socket].reached_at(meta), meta.addr);
        let forwarded = self.engine.counters().rtp_forwarded;
        self.guarded(|engine| engine.handle_datagram(Instant::now(), local, remote, datagram));
        self.drain();
        if self.engine.counters().rtp_forwarded > forwarded
            && let Some(arrived) = meta.timestamp
            && let Ok(unix_time) = SystemTime::now().duration_since(UNIX_EPOCH)
        {
            // Both are the wall clock, which may be set between the two readings: then the time is zero.
            self.metrics.transit.note(unix_time.saturating_sub(arrived));
        }
    }

    fn command(&mut self, now: Instant, (command, reply): MediaExchange) {
        let mut result = Err(MediaError::Gone);
        self.guarded(|engine| result = engine.handle_command(now, command));
        // Whoever asked may have gone away meanwhile; the command is done in any case.
        drop(reply.send(result));
        self.drain();
    }

    /// Runs a step of the engine. A panic costs the room whose step it was, and nobody else.
    fn guarded(&mut self, step: impl FnOnce(&mut Engine)) {
        if catch_unwind(AssertUnwindSafe(|| step(&mut self.engine))).is_err() {
            self.metrics.rooms_failed += 1;
            self.engine.drop_failed_room();
            tracing::error!("a room failed inside the media node and was dropped");
        }
    }

    /// The engine's drain rule. Returns when it wants to be called again.
    fn drain(&mut self) -> Instant {
        loop {
            match self.engine.poll_output() {
                Output::Timeout(at) => return at,
                Output::Transmit(transmit) => send(&self.sockets, &mut self.metrics, &transmit),
                Output::Event(event) => {
                    if self.waiting_events.is_empty() {
                        match self.events.try_send(event) {
                            Err(mpsc::error::TrySendError::Full(event)) => {
                                self.waiting_events.push_back(event);
                            }
                            // Without a listener there is nobody to tell.
                            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
                        }
                    } else {
                        self.waiting_events.push_back(event);
                    }
                }
            }
        }
    }

    /// A machine's addresses change: the node may start before the network does, and leases end.
    fn renew_candidates(&mut self) {
        let bound: Vec<SocketAddr> = self.sockets.iter().map(MediaSocket::address).collect();
        match addresses::candidates(&self.advertised, &bound) {
            Ok(candidates) => self.engine.set_candidates(candidates),
            Err(error) => tracing::debug!(%error, "the machine's addresses can't be read"),
        }
    }

    fn publish(&mut self) {
        let (rooms, peers) = self.engine.population();
        self.metrics.counters = *self.engine.counters();
        self.metrics.rooms = rooms as u64;
        self.metrics.peers = peers as u64;
        self.metrics.cpu_time = cpu::of_this_thread();
        self.board.publish(&self.metrics);
    }
}

fn send(sockets: &[MediaSocket], metrics: &mut NodeMetrics, transmit: &Transmit<'_>) {
    let of_family = |socket: &&MediaSocket| {
        let address = socket.address();
        let fits = address.ip().is_unspecified() || address.ip() == transmit.local.ip();
        address.is_ipv4() == transmit.remote.is_ipv4() && fits
    };
    let Some(socket) = sockets.iter().find(of_family) else {
        metrics.send_errors += 1;
        return;
    };
    match socket.send(transmit.local.ip(), transmit.remote, transmit.payload) {
        Ok(()) => {}
        // Dropped, as a network would: what waits here would be late.
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            metrics.send_queue_full += 1;
        }
        Err(error) => {
            tracing::trace!(%error, "sending failed");
            metrics.send_errors += 1;
        }
    }
}

/// The index of a socket with something to read, asked in turn from `first` on, so that a flood on one does
/// not starve the other.
async fn next_readable(sockets: &[MediaSocket], first: usize) -> usize {
    std::future::poll_fn(|context| {
        for step in 0..sockets.len() {
            let at = (first + step) % sockets.len();
            if sockets[at].poll_readable(context).is_ready() {
                return Poll::Ready(at);
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeConfig;

    #[tokio::test]
    async fn a_panic_inside_the_engine_is_counted_and_the_worker_lives_on() {
        let (commands, commands_in) = mpsc::channel(1);
        let (events_out, _events) = mpsc::channel(1);
        let (stopping, is_stopping) = watch::channel(false);
        let mut worker = Worker {
            engine: crate::node::new_engine(&NodeConfig::default(), Vec::new()).unwrap(),
            sockets: Vec::new(),
            commands: commands_in,
            events: events_out,
            waiting_events: std::collections::VecDeque::new(),
            stopping: is_stopping,
            board: Arc::default(),
            metrics: NodeMetrics::default(),
            next_socket: 0,
            advertised: Vec::new(),
        };
        worker.guarded(|_| panic!("a bug, for the test"));
        assert_eq!(worker.metrics.rooms_failed, 1);
        let board = Arc::clone(&worker.board);
        let running = tokio::spawn(worker.run());
        let (reply, pending) = tokio::sync::oneshot::channel();
        let room = homeline_protocol::id::RoomId([1; 16]);
        let create = homeline_protocol::media_control::MediaCommand::CreateRoom { room };
        commands.send((create, reply)).await.unwrap();
        assert!(pending.await.unwrap().is_ok());
        stopping.send_replace(true);
        running.await.unwrap();
        assert_eq!(board.read().rooms_failed, 1);
    }
}
