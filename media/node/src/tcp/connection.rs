//! One client's connection: packets in, packets out, and whether it has earned its place.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;

use super::framing::{HEAD, PACKET_MAX, Pending, whole_packets};

/// Bytes that may wait for a slow receiver. Together with the kernel's buffer that is a second or two of sound
/// and a moderate picture: what waits longer is of no use. Beyond it whole packets are dropped.
const PENDING_MAX: usize = 64 * 1_024;

/// The same for pictures, so that sound, answers to checks and reports still find room when they do not.
const EXPENDABLE_PENDING_MAX: usize = 32 * 1_024;

/// A receiver that has taken nothing for this long, with something waiting, is given up.
const STALLED_MAX: Duration = Duration::from_secs(10);

/// Without a valid check for this long a connection is closed: whoever opened it is no peer, or no longer one.
const UNCHECKED_MAX: Duration = Duration::from_secs(10);

/// Nothing arrived for this long: the client is gone without a word, or does not need the connection. Browsers
/// check connections in reserve every 25 s.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Space for reading: what is left of the last packet, and then new bytes.
pub(crate) const SCRATCH_LEN: usize = HEAD + PACKET_MAX + 16 * 1_024;

/// What reading once has led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Took {
    /// There may be more to read.
    More,
    /// There is nothing to read now.
    Nothing,
    /// It must be closed: by its client, by an error, or for what it sent.
    Over,
}

/// See the module's description.
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// The beginning of a packet that is not whole yet.
    partial: Vec<u8>,
    pending: Pending,
    /// The kernel took less than it was given, and will say when it takes more.
    blocked: bool,
    /// Since when something waits and nothing is taken.
    stalled_since: Option<Instant>,
    /// Since when no peer has it as a path.
    unchecked_since: Option<Instant>,
    /// Whether a peer ever had it as a path.
    pub(crate) proven: bool,
    pub(crate) accepted_at: Instant,
    heard_at: Instant,
    pub(crate) readable: bool,
    pub(crate) unflushed: bool,
}

impl Connection {
    pub(crate) const fn new(
        now: Instant,
        stream: TcpStream,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Self {
        Self {
            stream,
            local,
            remote,
            partial: Vec::new(),
            pending: Pending::new(),
            blocked: false,
            stalled_since: None,
            unchecked_since: Some(now),
            proven: false,
            accepted_at: now,
            heard_at: now,
            readable: false,
            unflushed: false,
        }
    }

    /// Reads once and gives whole packets to `take`, which says whether the connection is a peer's.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        scratch: &mut [u8],
        mut take: impl FnMut(&mut [u8]) -> bool,
    ) -> Took {
        let held = self.partial.len();
        scratch[..held].copy_from_slice(&self.partial);
        let count = match self.stream.read(&mut scratch[held..]) {
            Ok(0) => return Took::Over,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Took::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Took::More,
            Err(error) => {
                tracing::trace!(%error, "a media connection can't be read");
                return Took::Over;
            }
        };
        self.heard_at = now;
        let bytes = &mut scratch[..held + count];
        let done = whole_packets(bytes, |packet| {
            // Who comes back may send media before its first check; the engine drops it.
            if take(packet) {
                self.proven = true;
                self.unchecked_since = None;
            }
        });
        let Ok(done) = done else {
            return Took::Over;
        };
        self.partial.clear();
        self.partial.extend_from_slice(&bytes[done..]);
        Took::More
    }

    /// Queues a packet; false when it was dropped because the receiver takes too little.
    pub(crate) fn send(&mut self, now: Instant, packet: &[u8], expendable: bool) -> bool {
        let most = if expendable {
            EXPENDABLE_PENDING_MAX
        } else {
            PENDING_MAX
        };
        let len = HEAD + packet.len();
        if self.pending.len() + len > most {
            // A failure is found again by the flush that is due.
            drop(self.flush(now));
        }
        let fits = self.pending.len() + len <= most;
        if fits {
            self.pending.push(packet);
        }
        fits
    }

    /// Whether a flush would write something.
    pub(crate) const fn wants_flush(&self) -> bool {
        !self.pending.is_empty() && !self.blocked
    }

    /// The kernel takes more again.
    pub(crate) const fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Writes what the kernel takes.
    pub(crate) fn flush(&mut self, now: Instant) -> io::Result<()> {
        while self.wants_flush() {
            match self.stream.write(self.pending.as_bytes()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.pending.advance(count);
                    self.stalled_since = None;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = true;
                    self.stalled_since.get_or_insert(now);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Looks at it from time to time; `known` says whether a peer has it as a path. False when it is to be
    /// closed.
    pub(crate) fn tend(&mut self, now: Instant, known: bool) -> bool {
        self.pending.shrink();
        if known {
            self.unchecked_since = None;
        } else {
            self.unchecked_since.get_or_insert(now);
        }
        let within = |since: Option<Instant>, limit| since.is_none_or(|since| now < since + limit);
        within(self.unchecked_since, UNCHECKED_MAX)
            && within(self.stalled_since, STALLED_MAX)
            && within(Some(self.heard_at), IDLE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    /// A connection, the client's end, and the time of its beginning.
    fn pair() -> (Connection, std::net::TcpStream, Instant) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, remote) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        let local = ours.local_addr().unwrap();
        let now = Instant::now();
        let ours = Connection::new(now, TcpStream::from_std(ours), local, remote);
        (ours, theirs, now)
    }

    /// Reads until something other than "not yet" comes of it.
    fn receive(ours: &mut Connection, now: Instant, known: bool) -> (Took, Vec<Vec<u8>>) {
        let mut scratch = vec![0; SCRATCH_LEN];
        let mut packets = Vec::new();
        loop {
            let took = ours.receive(now, &mut scratch, |packet| {
                packets.push(packet.to_vec());
                known
            });
            if took != Took::Nothing {
                return (took, packets);
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn packets_are_taken_whole_and_prove_or_prove_not_and_garbage_ends_it() {
        let (mut ours, mut theirs, now) = pair();
        theirs.write_all(&[0, 3, 1, 2, 3, 0]).unwrap();
        let check = vec![vec![1, 2, 3]];
        assert_eq!(receive(&mut ours, now, false), (Took::More, check));
        assert!(!ours.proven);
        theirs.write_all(&[2, 128, 1]).unwrap();
        let media = vec![vec![128, 1]];
        assert_eq!(receive(&mut ours, now, true), (Took::More, media));
        assert!(ours.proven);
        theirs.write_all(b"GET / HTTP/1.1").unwrap();
        assert_eq!(receive(&mut ours, now, true), (Took::Over, Vec::new()));
    }

    #[test]
    fn a_connection_without_a_valid_check_is_closed_whatever_it_sends() {
        let (mut ours, mut theirs, now) = pair();
        let second = Duration::from_secs(1);
        for count in 0..10 {
            assert!(ours.tend(now + count * second, false));
            theirs.write_all(&[0, 1, 1]).unwrap();
            receive(&mut ours, now + count * second, false);
        }
        assert!(!ours.tend(now + UNCHECKED_MAX, false));
    }

    #[test]
    fn a_peers_connection_stays_until_it_is_silent_or_no_longer_the_peers() {
        let (mut ours, _theirs, now) = pair();
        let second = Duration::from_secs(1);
        assert!(ours.tend(now + UNCHECKED_MAX, true));
        assert!(ours.tend(now + IDLE_MAX - second, true));
        assert!(!ours.tend(now + IDLE_MAX, true));
        let (mut ours, _theirs, now) = pair();
        assert!(ours.tend(now + 20 * second, true) && ours.tend(now + 21 * second, false));
        assert!(ours.tend(now + 30 * second, false) && !ours.tend(now + 31 * second, false));
    }

    #[test]
    fn for_a_slow_receiver_pictures_are_dropped_first_and_packets_stay_whole() {
        let (mut ours, mut theirs, now) = pair();
        let picture = [7; 1_200];
        let sound = [9; 120];
        let mut expected = Vec::new();
        let mut offer = |ours: &mut Connection, packet: &[u8], expendable| {
            let fits = ours.send(now, packet, expendable);
            if fits {
                expected.push(packet.to_vec());
            }
            fits
        };
        while offer(&mut ours, &picture, true) {}
        assert!(ours.pending.len() <= EXPENDABLE_PENDING_MAX);
        let mut words = 0;
        while offer(&mut ours, &sound, false) {
            words += 1;
        }
        assert!(words > 200, "sound has room left: {words}");
        assert!(ours.pending.len() <= PENDING_MAX);
        assert!(ours.tend(now + STALLED_MAX - Duration::from_millis(1), true));
        assert!(!ours.tend(now + STALLED_MAX, true));
        // The receiver wakes up and gets every packet that was taken, whole and in order.
        let mut arrived = Vec::new();
        let mut buffer = vec![0; 65_536];
        let total: usize = expected.iter().map(|packet| HEAD + packet.len()).sum();
        while arrived.len() < total {
            ours.unblock();
            ours.flush(now).unwrap();
            let count = theirs.read(&mut buffer).unwrap();
            arrived.extend_from_slice(&buffer[..count]);
        }
        let mut packets = expected.iter();
        let done = whole_packets(&mut arrived, |packet| {
            assert!(packets.next().is_some_and(|sent| sent == packet));
        });
        assert_eq!(done, Ok(total));
        assert!(ours.tend(now + STALLED_MAX, true), "it is no longer slow");
    }

    #[test]
    fn a_client_that_hangs_up_is_noticed() {
        let (mut ours, theirs, now) = pair();
        drop(theirs);
        assert_eq!(receive(&mut ours, now, true).0, Took::Over);
    }
}
