//! What the engine wants done: datagrams in one reused buffer, and events.
//!
//! Datagrams of one size that follow each other to one receiver lie beside each other and are handed out as
//! one train, which a system with segmentation offload sends in a single call.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use homeline_protocol::media_control::MediaEvent;

use crate::span::{EngineId, Header, RoomNews};
use crate::transport::{Path, Protocol};

/// Longest train: what one call may carry, with room for the headers of IPv6 and UDP.
const TRAIN_BYTES_MAX: usize = 65_000;

/// Datagrams to send: one, or a train of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// Whether it goes as datagrams, or framed in the connection between the two addresses.
    pub protocol: Protocol,
    /// Whether it may be dropped before others when a connection takes no more: a picture, which is repaired
    /// or sent anew, and which nobody misses as they miss a word.
    pub expendable: bool,
    /// The address to send from: the one at which the peer reached us.
    pub local: SocketAddr,
    /// The address to send to.
    pub remote: SocketAddr,
    /// The datagram, or several of `segment` bytes of which the last may be shorter.
    pub payload: &'a [u8],
    /// The length of each datagram.
    pub segment: usize,
    /// Of media that is forwarded: the time that the engine was told with its first packet.
    pub taken: Option<Instant>,
    /// How many of the datagrams forward media; others, as a report, may travel with them.
    pub copies: usize,
}

impl<'a> Transmit<'a> {
    /// The datagrams, one by one.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> {
        self.payload.chunks(self.segment.max(1))
    }
}

/// Where a train lies in the buffer.
struct Train {
    path: Path,
    start: usize,
    end: usize,
    segment: usize,
    count: usize,
    /// See [`Transmit::copies`].
    copies: usize,
    marks: Marks,
}

/// What is said of a packet before it is written.
#[derive(Clone, Copy, Default)]
struct Marks {
    /// See [`Transmit::expendable`].
    expendable: bool,
    /// See [`Transmit::taken`].
    taken: Option<Instant>,
}

/// Datagrams and events in the order in which they arose. Emptied by the drain rule after every input, so
/// its size is bounded by what one input can cause.
pub(crate) struct Outbox {
    buffer: Vec<u8>,
    used: usize,
    trains: VecDeque<Train>,
    /// Most datagrams of one train; 1 for a system that sends one by one.
    train_max: usize,
    /// Of what is written next.
    marks: Marks,
    events: VecDeque<MediaEvent>,
    news: VecDeque<(EngineId, RoomNews)>,
    relayed: Relayed,
}

/// Messages for other engines, one behind the other.
#[derive(Default)]
struct Relayed {
    bytes: Vec<u8>,
    /// To whom, and where each ends.
    messages: VecDeque<(EngineId, usize)>,
    handed_out: usize,
}

impl Outbox {
    pub(crate) fn new(train_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            used: 0,
            trains: VecDeque::new(),
            train_max,
            marks: Marks::default(),
            events: VecDeque::new(),
            news: VecDeque::new(),
            relayed: Relayed::default(),
        }
    }

    /// Says whether the one packet that is written next is expendable; others are not.
    pub(crate) const fn expendable(&mut self, expendable: bool) -> &mut Self {
        self.marks.expendable = expendable;
        self
    }

    /// Says that the one packet that is written next forwards media which was given to the engine then.
    pub(crate) const fn taken(&mut self, taken: Option<Instant>) -> &mut Self {
        self.marks.taken = taken;
        self
    }

    /// Takes back what was said of the packet that would have been next.
    pub(crate) fn unmark(&mut self) {
        self.marks = Marks::default();
    }

    pub(crate) const fn set_train_max(&mut self, train_max: usize) {
        self.train_max = train_max;
    }

    pub(crate) const fn train_max(&self) -> usize {
        self.train_max
    }

    /// Trains and events that are not yet handed out.
    pub(crate) fn waiting(&self) -> usize {
        self.trains.len() + self.events.len() + self.news.len() + self.relayed.messages.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.trains.is_empty()
    }

    /// Uses the buffer anew; what was handed out from it is sent.
    pub(crate) const fn reuse(&mut self) {
        self.used = 0;
    }

    /// Bytes that wait to be sent.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }

    /// Queues a copy of `datagram`.
    pub(crate) fn push(&mut self, path: Path, datagram: &[u8]) {
        let wrote = self.write(path, datagram.len(), |space| {
            space.copy_from_slice(datagram);
            Some(datagram.len())
        });
        debug_assert_eq!(wrote, Some(datagram.len()));
    }

    /// Queues what `write` makes in a space of `room` bytes, whose content is arbitrary. `write` returns
    /// how many bytes of it are the datagram, or `None` to queue nothing.
    pub(crate) fn write(
        &mut self,
        path: Path,
        room: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        let start = self.used;
        let marks = std::mem::take(&mut self.marks);
        if self.buffer.len() < start + room {
            self.buffer.resize(start + room, 0);
        }
        let len = write(&mut self.buffer[start..start + room])?.min(room);
        self.used = start + len;
        let copies = usize::from(marks.taken.is_some());
        match self.trains.back_mut() {
            Some(train) if train.takes(&path, len, self.train_max) => {
                train.end += len;
                train.count += 1;
                train.copies += copies;
                train.marks.taken = train.marks.taken.or(marks.taken);
            }
            _ => self.trains.push_back(Train {
                path,
                start,
                end: start + len,
                segment: len,
                count: 1,
                copies,
                marks,
            }),
        }
        Some(len)
    }

    pub(crate) fn event(&mut self, event: MediaEvent) {
        self.events.push_back(event);
    }

    /// Queues news for another engine.
    pub(crate) fn news(&mut self, to: EngineId, news: RoomNews) {
        self.news.push_back((to, news));
    }

    /// Queues a message for another engine.
    pub(crate) fn relay(&mut self, to: EngineId, header: &Header, body: &[u8]) {
        let Relayed {
            bytes,
            messages,
            handed_out,
        } = &mut self.relayed;
        if messages.is_empty() {
            bytes.clear();
            *handed_out = 0;
        }
        header.write(bytes);
        bytes.extend_from_slice(body);
        messages.push_back((to, bytes.len()));
    }

    pub(crate) fn next_news(&mut self) -> Option<(EngineId, RoomNews)> {
        self.news.pop_front()
    }

    /// The next message for another engine, and where it lies.
    pub(crate) fn next_relayed(&mut self) -> Option<(EngineId, Range<usize>)> {
        let (to, end) = self.relayed.messages.pop_front()?;
        let start = std::mem::replace(&mut self.relayed.handed_out, end);
        Some((to, start..end))
    }

    pub(crate) fn relayed(&self, at: Range<usize>) -> &[u8] {
        &self.relayed.bytes[at]
    }

    /// The next train and its number of datagrams.
    pub(crate) fn next_train(&mut self) -> Option<(Transmit<'_>, usize)> {
        let train = self.trains.pop_front()?;
        let transmit = Transmit {
            protocol: train.path.protocol,
            expendable: train.marks.expendable,
            local: train.path.local,
            remote: train.path.remote,
            payload: &self.buffer[train.start..train.end],
            segment: train.segment,
            taken: train.marks.taken,
            copies: train.copies,
        };
        Some((transmit, train.count))
    }

    pub(crate) fn next_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// Forgets what may be half written. Events and news are whole, and of other rooms too.
    pub(crate) fn clear(&mut self) {
        self.trains.clear();
        self.relayed.messages.clear();
        self.used = 0;
    }
}

impl Train {
    /// Whether a datagram of `len` bytes may follow. After a shorter one nothing may, and a connection takes
    /// its packets one by one.
    fn takes(&self, path: &Path, len: usize, train_max: usize) -> bool {
        let bytes = self.end - self.start;
        self.count < train_max
            && len <= self.segment
            && bytes == self.count * self.segment
            && bytes + len <= TRAIN_BYTES_MAX
            && self.path == *path
            && path.protocol == Protocol::Udp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> Path {
        Path::new(([127, 0, 0, 1], 9).into(), ([127, 0, 0, 1], port).into())
    }

    fn trains(train_max: usize, datagrams: &[(u16, usize)]) -> Vec<(u16, Vec<usize>)> {
        let mut outbox = Outbox::new(train_max);
        for (port, len) in datagrams {
            outbox.push(path(*port), &vec![*port as u8; *len]);
        }
        let mut trains = Vec::new();
        while let Some((transmit, count)) = outbox.next_train() {
            let lens: Vec<usize> = transmit.datagrams().map(<[u8]>::len).collect();
            assert_eq!(lens.len(), count);
            let port = transmit.remote.port();
            assert!(transmit.payload.iter().all(|byte| *byte == port as u8));
            trains.push((port, lens));
        }
        trains
    }

    #[test]
    fn equal_datagrams_to_one_receiver_are_a_train_that_a_shorter_one_ends() {
        let datagrams = [(1, 100), (1, 100), (1, 60), (1, 60), (2, 60), (2, 70)];
        let expected = [
            (1, vec![100, 100, 60]),
            (1, vec![60]),
            (2, vec![60]),
            (2, vec![70]),
        ];
        assert_eq!(trains(64, &datagrams), expected);
    }

    #[test]
    fn a_connection_gets_its_packets_one_by_one_and_is_told_which_are_expendable() {
        let mut outbox = Outbox::new(64);
        let udp = path(1);
        let tcp = Path::over(Protocol::Tcp, udp.local, udp.remote);
        for (path, expendable) in [(tcp, true), (tcp, false), (udp, false), (udp, true)] {
            outbox.expendable(expendable).push(path, &[1; 9]);
        }
        // Nothing that fails to be written marks the next.
        assert_eq!(outbox.expendable(true).write(tcp, 9, |_| None), None);
        outbox.push(tcp, &[2; 9]);
        let mut sent = Vec::new();
        while let Some((transmit, count)) = outbox.next_train() {
            sent.push((transmit.protocol, count, transmit.expendable));
        }
        let tcp = |expendable| (Protocol::Tcp, 1, expendable);
        assert_eq!(sent[..2], [tcp(true), tcp(false)]);
        assert_eq!(sent[2..], [(Protocol::Udp, 2, false), tcp(false)]);
    }

    #[test]
    fn what_travels_with_forwarded_media_is_no_copy_of_it() {
        let mut outbox = Outbox::new(64);
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let later = now + std::time::Duration::from_millis(1);
        for taken in [None, Some(now), None, Some(later)] {
            outbox.taken(taken).push(path(1), &[1; 9]);
        }
        outbox.push(path(2), &[1; 9]);
        let mut sent = Vec::new();
        while let Some((transmit, count)) = outbox.next_train() {
            sent.push((count, transmit.copies, transmit.taken));
        }
        assert_eq!(sent, [(4, 2, Some(now)), (1, 0, None)]);
    }

    #[test]
    fn trains_are_bounded_in_number_and_in_bytes() {
        let lens = |trains: Vec<(u16, Vec<usize>)>| -> Vec<usize> {
            trains.iter().map(|(_, lens)| lens.len()).collect()
        };
        assert_eq!(lens(trains(2, &[(1, 50); 5])), [2, 2, 1]);
        assert_eq!(lens(trains(1, &[(1, 50); 3])), [1, 1, 1]);
        assert_eq!(lens(trains(64, &[(1, 20_000); 4])), [3, 1]);
    }
}
