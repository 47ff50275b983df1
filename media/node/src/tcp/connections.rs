//! All connections of one worker: who is let in, who must go, and what is written to whom.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use homeline_media_engine::Transmit;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::connection::{Connection, SCRATCH_LEN, Took};
use super::listeners::{self, Listeners};
use crate::metrics::TcpFigures;

/// Connections that no peer has checked yet. At the limit the oldest of them goes: a peer needs two round
/// trips, and whoever wants to keep it out would have to open this many in that time, again and again. Where
/// fewer than twice as many connections are allowed, it is half of them: the others are for peers.
const UNPROVEN_MAX: usize = 256;

/// The same from one address (an IPv6 network of 64 bits counts as one). At the limit a further one is closed
/// at once. A browser opens one for each of our addresses and its own.
const UNPROVEN_PER_ADDRESS_MAX: usize = 32;

/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 32;

/// Reads from one connection in one turn, so that none keeps the others waiting.
const READS_MAX: usize = 4;

/// How often connections are looked at for those that must go.
const TEND_INTERVAL: Duration = Duration::from_secs(1);

/// Tokens of listeners begin here; those of UDP sockets are below.
const LISTENERS_FROM: usize = 1 << 16;

/// Tokens of connections begin here.
const CONNECTIONS_FROM: usize = 1 << 17;

/// The two addresses of a connection.
pub(crate) type Ends = (SocketAddr, SocketAddr);

/// See the module's description.
#[derive(Default)]
pub(crate) struct Connections {
    pub(crate) listeners: Listeners,
    slots: Vec<Option<Connection>>,
    free: Vec<usize>,
    by_ends: HashMap<Ends, usize>,
    /// Connections that may have something to read; each once.
    readable: Vec<usize>,
    /// Connections with something to write; each once.
    unflushed: Vec<usize>,
    /// Connections that could not be written to.
    failed: Vec<usize>,
    /// Connections that have ended, for the engine to be told.
    gone: Vec<Ends>,
    tend_at: Option<Instant>,
    /// Most at the same time.
    most: usize,
    scratch: Vec<u8>,
    figures: TcpFigures,
}

impl Connections {
    pub(crate) fn new(listeners: Listeners, most: usize) -> Self {
        Self {
            listeners,
            most,
            scratch: vec![0; SCRATCH_LEN],
            ..Self::default()
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry) -> std::io::Result<()> {
        self.listeners.register(registry, LISTENERS_FROM)
    }

    pub(crate) fn figures(&self) -> TcpFigures {
        TcpFigures {
            connections: self.by_ends.len() as u64,
            ..self.figures
        }
    }

    /// Whether it is worth a turn now.
    pub(crate) fn wants_turn(&self, now: Instant) -> bool {
        self.has_work() || self.tend_at.is_none_or(|at| at <= now)
    }

    /// The next connection that has ended, for the engine to be told before anything else is done.
    pub(crate) fn next_gone(&mut self) -> Option<Ends> {
        self.gone.pop()
    }

    /// Whether something is left over from the last turn.
    pub(crate) fn has_work(&self) -> bool {
        !self.readable.is_empty() || !self.failed.is_empty() || self.listeners.is_ready()
    }

    /// Takes note of what the system says of a listener or a connection.
    pub(crate) fn note(&mut self, event: &Event) {
        let number = event.token().0;
        if number < CONNECTIONS_FROM {
            self.listeners.note(number.wrapping_sub(LISTENERS_FROM));
            return;
        }
        let at = number - CONNECTIONS_FROM;
        let Some(Some(connection)) = self.slots.get_mut(at) else {
            return;
        };
        let over = event.is_read_closed() || event.is_write_closed() || event.is_error();
        if (event.is_readable() || over) && !connection.readable {
            connection.readable = true;
            self.readable.push(at);
        }
        if event.is_writable() {
            connection.unblock();
            if connection.wants_flush() && !connection.unflushed {
                connection.unflushed = true;
                self.unflushed.push(at);
            }
        }
    }

    /// Lets in those who wait.
    pub(crate) fn accept(&mut self, now: Instant, registry: &Registry) {
        for _ in 0..ACCEPTS_MAX {
            let Some((stream, remote)) = self.listeners.accept() else {
                return;
            };
            if let Err(error) = self.admit(now, registry, stream, remote) {
                tracing::debug!(%error, "a media connection could not be set up");
            }
        }
    }

    fn admit(
        &mut self,
        now: Instant,
        registry: &Registry,
        mut stream: TcpStream,
        remote: SocketAddr,
    ) -> std::io::Result<()> {
        let network = network_of(remote.ip());
        let unproven = || self.slots.iter().flatten().filter(|known| !known.proven);
        let from_there = unproven().filter(|known| network_of(known.remote.ip()) == network);
        if self.by_ends.len() >= self.most || from_there.count() >= UNPROVEN_PER_ADDRESS_MAX {
            self.figures.refused += 1;
            return Ok(());
        }
        if unproven().count() >= UNPROVEN_MAX.min(self.most.div_ceil(2))
            && let Some(oldest) = unproven().min_by_key(|known| known.accepted_at)
            && let Some(at) = self.by_ends.get(&(oldest.local, oldest.remote)).copied()
        {
            self.close(at);
        }
        let local = stream.local_addr()?;
        listeners::prepare(&stream)?;
        // The kernel has given the addresses anew, so an earlier connection between them is over.
        if let Some(at) = self.by_ends.get(&(local, remote)).copied() {
            self.close(at);
        }
        let at = self.free.pop().unwrap_or(self.slots.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = registry.register(&mut stream, Token(CONNECTIONS_FROM + at), interest) {
            if at < self.slots.len() {
                self.free.push(at);
            }
            return Err(error);
        }
        if at == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[at] = Some(Connection::new(now, stream, local, remote));
        self.by_ends.insert((local, remote), at);
        Ok(())
    }

    /// Reads from those who have sent something. `take` gets every packet, and says whether the connection is
    /// a peer's.
    pub(crate) fn receive(&mut self, now: Instant, mut take: impl FnMut(Ends, &mut [u8]) -> bool) {
        for at in std::mem::take(&mut self.failed) {
            self.close(at);
        }
        let mut readable = std::mem::take(&mut self.readable);
        readable.retain(|at| {
            let mut took = Took::More;
            for _ in 0..READS_MAX {
                let Some(Some(connection)) = self.slots.get_mut(*at) else {
                    return false;
                };
                let ends = (connection.local, connection.remote);
                took = connection.receive(now, &mut self.scratch, |packet| take(ends, packet));
                if took != Took::More {
                    connection.readable = false;
                    break;
                }
            }
            if took == Took::Over {
                self.close(*at);
            }
            took == Took::More
        });
        // Nobody reads while this runs, so nothing was added meanwhile.
        self.readable = readable;
    }

    /// Closes those who must go, once in a while. `known` says whether a connection is a peer's.
    pub(crate) fn tend(&mut self, now: Instant, known: impl Fn(Ends) -> bool) {
        if self.tend_at.is_some_and(|at| now < at) {
            return;
        }
        self.tend_at = Some(now + TEND_INTERVAL);
        self.listeners.look_again();
        for at in 0..self.slots.len() {
            if let Some(connection) = &mut self.slots[at]
                && !connection.tend(now, known((connection.local, connection.remote)))
            {
                self.close(at);
            }
        }
    }

    /// Queues what the engine wants sent in a connection.
    pub(crate) fn send(&mut self, now: Instant, transmit: &Transmit<'_>) {
        let found = self.by_ends.get(&(transmit.local, transmit.remote));
        let Some((at, Some(connection))) = found.map(|at| (*at, &mut self.slots[*at])) else {
            self.figures.dropped += transmit.datagrams().count() as u64;
            return;
        };
        for packet in transmit.datagrams() {
            if !connection.send(now, packet, transmit.expendable) {
                self.figures.dropped += 1;
            }
        }
        if !connection.unflushed {
            connection.unflushed = true;
            self.unflushed.push(at);
        }
    }

    /// Whether something was queued.
    pub(crate) fn wants_flush(&self) -> bool {
        !self.unflushed.is_empty()
    }

    /// Writes what was queued, as far as the kernel takes it.
    pub(crate) fn flush(&mut self, now: Instant) {
        for at in self.unflushed.drain(..) {
            if let Some(connection) = &mut self.slots[at] {
                connection.unflushed = false;
                if connection.flush(now).is_err() {
                    self.failed.push(at);
                }
            }
        }
    }

    /// Ends a connection.
    fn close(&mut self, at: usize) {
        let Some(connection) = self.slots.get_mut(at).and_then(Option::take) else {
            return;
        };
        self.figures.ended += 1;
        let ends = (connection.local, connection.remote);
        self.by_ends.remove(&ends);
        self.free.push(at);
        self.unflushed.retain(|other| *other != at);
        self.failed.retain(|other| *other != at);
        self.readable.retain(|other| *other != at);
        self.gone.push(ends);
    }
}

/// What counts as one address.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let bits = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::tcp::bind;

    struct Door {
        connections: Connections,
        poll: mio::Poll,
        address: SocketAddr,
        /// The clients' ends, in the order of their arrival.
        clients: Vec<socket2::Socket>,
    }

    impl Door {
        fn new(most: usize) -> Self {
            let listeners = bind(&[Ipv4Addr::LOCALHOST.into()], 0).unwrap();
            let address = listeners.addresses()[0];
            Self {
                connections: Connections::new(listeners, most),
                poll: mio::Poll::new().unwrap(),
                address,
                clients: Vec::new(),
            }
        }

        /// A client from one of the loopback's many addresses knocks, and is seen to.
        fn knock(&mut self, from: u8) {
            let kind = socket2::Type::STREAM;
            let socket = socket2::Socket::new(socket2::Domain::IPV4, kind, None).unwrap();
            let from = SocketAddr::from(([127, 0, 1, from], 0));
            socket.bind(&from.into()).unwrap();
            socket.connect(&self.address.into()).unwrap();
            self.clients.push(socket);
            self.connections.listeners.look_again();
            let now = Instant::now();
            self.connections.accept(now, self.poll.registry());
        }

        fn prove_all(&mut self) {
            let connections = self.connections.slots.iter_mut().flatten();
            connections.for_each(|connection| connection.proven = true);
        }

        fn counts(&self) -> [u64; 3] {
            let figures = self.connections.figures();
            [figures.connections, figures.ended, figures.refused]
        }
    }

    #[test]
    fn strangers_from_many_addresses_push_out_the_oldest_of_them_and_no_peer() {
        let mut door = Door::new(10);
        door.knock(1);
        door.prove_all();
        let peer = door.clients[0].local_addr().unwrap().as_socket().unwrap();
        (1..=8).for_each(|from| door.knock(from));
        assert_eq!(door.counts(), [1 + 5, 3, 0]);
        let gone: Vec<_> = std::iter::from_fn(|| door.connections.next_gone()).collect();
        let oldest = door.clients[1..4].iter().rev();
        let oldest = oldest.map(|client| client.local_addr().unwrap().as_socket().unwrap());
        assert!(gone.iter().map(|(_, remote)| *remote).eq(oldest));
        assert!(gone.iter().all(|(_, remote)| *remote != peer));
    }

    #[test]
    fn beyond_all_limits_a_connection_is_closed_at_once() {
        let mut door = Door::new(4);
        for from in 1..=4 {
            door.knock(from);
            door.prove_all();
        }
        door.knock(5);
        assert_eq!(door.counts(), [4, 0, 1]);
        // A place that is given back is used again.
        door.clients.remove(1);
        door.connections.close(1);
        door.knock(6);
        assert_eq!(door.counts(), [4, 1, 1]);
        assert_eq!(door.connections.slots.len(), 4);
        let mut door = Door::new(1_000);
        for _ in 0..=UNPROVEN_PER_ADDRESS_MAX {
            door.knock(1);
        }
        door.knock(2);
        let most = UNPROVEN_PER_ADDRESS_MAX as u64;
        assert_eq!(door.counts(), [most + 1, 0, 1]);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
