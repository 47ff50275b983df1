//! One media thread: sockets, clock and channels around an engine.
//!
//! It shares nothing with other threads but channels and the board of its figures, so that several of them
//! run beside each other, each with its rooms and its port; what they tell each other of rooms that are too big for
//! one goes through `links`. It takes all that has arrived, hands it to the
//! engine as one batch, and sends what comes out receiver by receiver.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

use homeline_media_engine::{Engine, Output, Population, Protocol, Transmit};
use homeline_protocol::media_control::{MediaCommand, MediaError};
use mio::{Events, Interest, Poll, Token};

use crate::addresses;
use crate::config::OperatingPoint;
use crate::cpu::{self, Busy};
use crate::extending::Extending;
use crate::links::{Links, Told};
use crate::metrics::{MetricsBoard, NodeMetrics};
use crate::orders::{Loss, Losses, Order, ReplyTo};
use crate::pulse::Pulse;
use crate::sockets::{BATCH, Batch, MediaSocket};
use crate::tcp::Connections;
use crate::telling::Telling;

/// How often the figures are laid out for readers.
const METRICS_INTERVAL: Duration = Duration::from_millis(250);

/// How often the machine's addresses are read again.
const ADDRESSES_INTERVAL: Duration = Duration::from_secs(10);

/// How long events may wait when signaling's channel was found full, until it is tried again.
const EVENT_RETRY: Duration = Duration::from_millis(10);

/// Calls that take datagrams before what they brought is sent, and the commands and timers get their turn.
const RECEIVES_MAX: usize = 8;

/// Commands carried out before media gets its turn: an offer costs about as much as a hundred packets.
const COMMANDS_MAX_AT_ONCE: usize = 8;

/// With this many copies in hand it pays to look whether more has arrived before they are written: the rest
/// of a frame may then leave in the same trains. Fewer are sent sooner than looked for.
const LOOK_AGAIN_FROM: usize = 16;

/// How long the economy point waits for company after the first packet. Half a millisecond, less what the
/// system's timer is late.
const ECONOMY_WAIT: Duration = Duration::from_micros(440);

/// The waker's token; sockets have their index.
pub(crate) const WAKER: Token = Token(usize::MAX);

/// Everything that a worker owns.
pub(crate) struct Worker {
    pub(crate) number: usize,
    pub(crate) engine: Engine,
    pub(crate) poll: Poll,
    pub(crate) sockets: Vec<MediaSocket>,
    pub(crate) connections: Connections,
    pub(crate) orders: Receiver<Order>,
    /// To and from the other workers.
    pub(crate) links: Links,
    /// What the router must be told.
    pub(crate) losses: Arc<Losses>,
    pub(crate) telling: Telling,
    /// Set before the waker is woken to end the thread.
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) board: Arc<MetricsBoard>,
    /// Shows that it lives.
    pub(crate) pulse: Arc<Pulse>,
    /// Addresses to be advertised instead of the machine's own.
    pub(crate) advertised: Vec<IpAddr>,
    pub(crate) operating_point: OperatingPoint,
    /// Whether trains may be sent at all.
    pub(crate) trains: bool,
    pub(crate) state: State,
}

/// What a worker remembers from turn to turn.
#[derive(Default)]
pub(crate) struct State {
    metrics: NodeMetrics,
    /// Sockets that may have something to read, by index.
    readable: Vec<bool>,
    /// When the media in hand was given to the engine, and when it had arrived in the kernel. In order of the
    /// first; emptied with every turn.
    arrivals: Vec<(Instant, SystemTime)>,
    has_orders: bool,
    /// Rooms whose other parts have not told of themselves yet, and what waits for that.
    extending: Extending,
    busy: Busy,
    /// Longest train that was told to the engine.
    train_max: usize,
}

impl Worker {
    /// Runs until it is told to stop or nobody can command it any more.
    pub(crate) fn run(mut self) {
        let mut ready = Events::with_capacity(64);
        let mut batch = Batch::new();
        if let Err(error) = self.register() {
            tracing::error!(%error, "the media sockets can't be watched");
            return;
        }
        let mut publish_at = Instant::now() + METRICS_INTERVAL;
        let mut addresses_at = Instant::now() + ADDRESSES_INTERVAL;
        let mut wake_at = self.drain();
        while !self.stopping.load(Ordering::Relaxed) {
            let until = self.next_turn(wake_at.min(publish_at));
            if let Err(error) = self.poll.poll(&mut ready, until) {
                if error.kind() != io::ErrorKind::Interrupted {
                    tracing::error!(%error, "the media thread can't wait for its sockets");
                    break;
                }
                continue;
            }
            self.note_ready(&ready);
            self.take_told();
            if !self.carry_out_orders() {
                break;
            }
            self.carry_out_waiting();
            self.take_datagrams(&mut batch);
            let now = Instant::now();
            self.take_connections(now);
            if wake_at <= now {
                self.guarded(|engine| engine.handle_timeout(now));
            }
            wake_at = self.drain();
            self.state.arrivals.clear();
            if publish_at <= now {
                publish_at = now + METRICS_INTERVAL;
                self.publish(now);
            }
            if addresses_at <= now {
                addresses_at = now + ADDRESSES_INTERVAL;
                self.renew_candidates();
            }
        }
        let now = Instant::now();
        self.guarded(|engine| engine.close_all_rooms(now));
        self.drain();
        self.publish(now);
    }

    fn register(&mut self) -> io::Result<()> {
        let registry = self.poll.registry();
        for (at, socket) in self.sockets.iter_mut().enumerate() {
            registry.register(socket.source(), Token(at), Interest::READABLE)?;
        }
        self.state.readable = vec![false; self.sockets.len()];
        self.register_connections()?;
        self.renew_trains();
        Ok(())
    }

    /// How long to wait for something to arrive; not at all when something is left over.
    fn next_turn(&self, wake_at: Instant) -> Option<Duration> {
        let has_media = self.state.readable.contains(&true) || self.connections.has_work();
        if self.state.has_orders || has_media {
            return Some(Duration::ZERO);
        }
        let extended = self.state.extending.wake_at();
        let wake_at = extended.map_or(wake_at, |until| until.min(wake_at));
        let wait = wake_at.saturating_duration_since(Instant::now());
        Some(if self.telling.waits() {
            wait.min(EVENT_RETRY)
        } else {
            wait
        })
    }

    fn note_ready(&mut self, ready: &Events) {
        let mut media = false;
        for event in ready {
            if event.token() == WAKER {
                self.state.has_orders = true;
            } else if let Some(readable) = self.state.readable.get_mut(event.token().0) {
                *readable = true;
                media = true;
            } else {
                self.connections.note(event);
            }
        }
        if media && self.operating_point == OperatingPoint::Economy {
            std::thread::sleep(ECONOMY_WAIT);
        }
    }

    /// Takes datagrams from all sockets in turn, so that a flood on one does not starve the other, until
    /// there are none or it is time to send.
    fn take_datagrams(&mut self, batch: &mut Batch) {
        for _ in 0..RECEIVES_MAX {
            for at in 0..self.sockets.len() {
                if self.state.readable[at] {
                    let count = self.receive(at, batch);
                    // Less than a batch: the kernel had no more, and will say so when it has.
                    self.state.readable[at] = count == BATCH;
                }
            }
            if !self.state.readable.contains(&true) {
                if self.engine.queued_copies() < LOOK_AGAIN_FROM {
                    return;
                }
                let taken = self.state.arrivals.len();
                for at in 0..self.sockets.len() {
                    self.state.readable[at] = self.receive(at, batch) == BATCH;
                }
                if self.state.arrivals.len() == taken {
                    return;
                }
            }
        }
    }

    /// Takes one batch from a socket into the engine; returns how many buffers it filled.
    fn receive(&mut self, socket: usize, batch: &mut Batch) -> usize {
        let count = match self.sockets[socket].receive(batch) {
            Ok(count) => count,
            Err(error) => {
                // ICMP errors of earlier datagrams turn up here; the next call goes on.
                tracing::trace!(%error, "receiving failed");
                return BATCH;
            }
        };
        for (meta, datagram) in batch.datagrams(count) {
            // Its own time for each: what it causes is known by that.
            let now = Instant::now();
            let (local, remote) = (self.sockets[socket].reached_at(&meta), meta.addr);
            let queued = self.engine.queued_copies();
            self.guarded(|engine| engine.handle_datagram(now, local, remote, datagram));
            if self.engine.queued_copies() > queued {
                let arrived = meta.timestamp.map(|at| (now, SystemTime::UNIX_EPOCH + at));
                self.state.arrivals.extend(arrived);
            }
        }
        count
    }

    /// False when nobody can command any more.
    fn carry_out_orders(&mut self) -> bool {
        if !std::mem::take(&mut self.state.has_orders) {
            return true;
        }
        for _ in 0..COMMANDS_MAX_AT_ONCE {
            let order = match self.orders.try_recv() {
                Ok(order) => order,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            };
            self.pulse.took();
            match order {
                Order::Command(command, reply) => {
                    if let Some((command, reply)) = self.state.extending.keep(command, reply) {
                        self.command(command, reply);
                    }
                }
                Order::Extend { room, with } => {
                    // Of the part that it had before.
                    let before = self.state.extending.end(room);
                    self.carry_out_all(before);
                    self.guarded(|engine| engine.extend_room(Instant::now(), room, &with));
                    self.drain();
                    self.state.extending.begin(Instant::now(), room);
                }
            }
        }
        self.state.has_orders = true;
        true
    }

    /// Carries out what waited for rooms whose parts know of each other now.
    fn carry_out_waiting(&mut self) {
        if self.state.extending.wake_at().is_some() {
            let engine = &self.engine;
            let is_whole = |room| engine.is_whole(room);
            let waited = self.state.extending.end_all(Instant::now(), is_whole);
            self.carry_out_all(waited);
        }
    }

    fn carry_out_all(&mut self, commands: Vec<(MediaCommand, ReplyTo)>) {
        for (command, reply) in commands {
            self.command(command, reply);
        }
    }

    fn command(&mut self, command: MediaCommand, reply: ReplyTo) {
        let offered = match &command {
            MediaCommand::Negotiate { room, peer, .. } => Some((*room, *peer)),
            _ => None,
        };
        let mut result = Err(MediaError::Gone);
        self.guarded(|engine| result = engine.handle_command(Instant::now(), command));
        // Before the answer: what is asked next of another worker finds there what this one has told.
        self.drain();
        if let Some((room, peer)) = offered {
            let loss = Loss::Peer(room, peer, self.number);
            if self.engine.has_peer(room, peer) {
                self.losses.take_back(loss);
            } else {
                self.losses.add(loss);
            }
        }
        reply.send(result);
    }

    /// Takes what other workers have told.
    fn take_told(&mut self) {
        let mut links = std::mem::take(&mut self.links);
        let now = Instant::now();
        links.take(|from, told| {
            self.guarded(|engine| match told {
                Told::News(news) => engine.handle_news(now, from, news),
                Told::Message(message) => engine.handle_message(now, from, message),
            });
        });
        self.links = links;
    }

    /// Runs a step of the engine. A panic costs the room whose step it was, and nobody else.
    pub(crate) fn guarded(&mut self, step: impl FnOnce(&mut Engine)) {
        if catch_unwind(AssertUnwindSafe(|| step(&mut self.engine))).is_err() {
            self.drop_failed_room();
        }
    }

    fn drop_failed_room(&mut self) {
        self.state.metrics.rooms_failed += 1;
        if let Some(room) = self.engine.drop_failed_room() {
            self.losses.add(Loss::Room(room, self.number));
        }
        tracing::error!("a room failed inside the media node and was dropped");
    }

    /// The engine's drain rule. Returns when it wants to be called again.
    fn drain(&mut self) -> Instant {
        self.telling.retry();
        loop {
            // Media is written while it is drained, so this is a step like the others.
            match catch_unwind(AssertUnwindSafe(|| self.drain_all())) {
                Ok(at) => {
                    self.flush_connections();
                    self.renew_trains();
                    return at;
                }
                Err(_) => self.drop_failed_room(),
            }
        }
    }

    fn drain_all(&mut self) -> Instant {
        loop {
            match self.engine.poll_output() {
                Output::Timeout(at) => {
                    self.links.ring();
                    return at;
                }
                Output::Transmit(transmit) => {
                    // Others may begin while this one sends.
                    self.links.ring();
                    match transmit.protocol {
                        Protocol::Udp => {
                            send(&self.sockets, &mut self.state.metrics, &transmit);
                            self.state.note_transit(&transmit);
                        }
                        Protocol::Tcp => self.connections.send(Instant::now(), &transmit),
                    }
                }
                Output::News(to, news) => self.links.tell(to, news),
                Output::Message(to, message) => self.links.send(to, message),
                Output::Event(event) => self.telling.tell(event),
            }
        }
    }

    /// Tells the engine how long trains may be: none any more, once a socket has refused one.
    fn renew_trains(&mut self) {
        let longest = self.sockets.iter().map(MediaSocket::train_max).min();
        let train_max = longest.filter(|_| self.trains).unwrap_or(1);
        if train_max != self.state.train_max {
            self.state.train_max = train_max;
            self.engine.set_train_max(train_max);
        }
    }

    /// A machine's addresses change: the node may start before the network does, and leases end.
    fn renew_candidates(&mut self) {
        let bound: Vec<SocketAddr> = self.sockets.iter().map(MediaSocket::address).collect();
        let listening = self.connections.listeners.addresses();
        let found = addresses::candidates(&self.advertised, &bound)
            .and_then(|udp| Ok((udp, addresses::tcp(&self.advertised, listening)?)));
        match found {
            Ok((udp, tcp)) => {
                self.engine.set_candidates(udp);
                self.engine.set_tcp_candidates(tcp);
            }
            Err(error) => tracing::debug!(%error, "the machine's addresses can't be read"),
        }
    }

    fn publish(&mut self, now: Instant) {
        let Population { rooms, peers, .. } = self.engine.population();
        let metrics = &mut self.state.metrics;
        metrics.counters = *self.engine.counters();
        metrics.rooms = rooms as u64;
        metrics.relay_full = self.links.lost;
        metrics.peers = peers as u64;
        metrics.tcp = self.connections.figures();
        metrics.cpu_time = cpu::of_this_thread();
        self.board.publish(metrics);
        let busy = self.state.busy.note(now, self.state.metrics.cpu_time);
        self.pulse.beat(now, busy);
    }
}

impl State {
    /// Notes how long the copies that were sent now had been inside. What the pacer held back on purpose is
    /// of an earlier turn and not noted.
    fn note_transit(&mut self, transmit: &Transmit<'_>) {
        let Some(taken) = transmit.taken else { return };
        let Ok(at) = self
            .arrivals
            .binary_search_by_key(&taken, |(taken, _)| *taken)
        else {
            return;
        };
        // The wall clock may be set between the two readings: then the time is zero.
        let time = SystemTime::now().duration_since(self.arrivals[at].1);
        let transit = &mut self.metrics.transit;
        transit.note(time.unwrap_or_default(), transmit.copies as u64);
    }
}

fn send(sockets: &[MediaSocket], metrics: &mut NodeMetrics, transmit: &Transmit<'_>) {
    let of_family = |socket: &&MediaSocket| {
        let address = socket.address();
        let fits = address.ip().is_unspecified() || address.ip() == transmit.local.ip();
        address.is_ipv4() == transmit.remote.is_ipv4() && fits
    };
    let Some(socket) = sockets.iter().find(of_family) else {
        metrics.send_errors += transmit.datagrams().count() as u64;
        return;
    };
    let (local, remote) = (transmit.local.ip(), transmit.remote);
    let sent = socket.send(local, remote, transmit.payload, transmit.segment);
    metrics.send_calls += sent.calls;
    metrics.send_queue_full += sent.queue_full;
    metrics.send_errors += sent.refused;
}

#[cfg(test)]
mod tests;
