//! What the engine wants done: datagrams in one reused buffer, and events.
//!
//! Datagrams of one size that follow each other to one receiver lie beside each other and are handed out as
//! one train, which a system with segmentation offload sends in a single call.

use std::collections::VecDeque;
use std::net::SocketAddr;

use homeline_protocol::media_control::MediaEvent;

use crate::transport::Path;

/// Longest train: what one call may carry, with room for the headers of IPv6 and UDP.
const TRAIN_BYTES_MAX: usize = 65_000;

/// Datagrams to send: one, or a train of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// The address to send from: the one at which the peer reached us.
    pub local: SocketAddr,
    /// The address to send to.
    pub remote: SocketAddr,
    /// The datagram, or several of `segment` bytes of which the last may be shorter.
    pub payload: &'a [u8],
    /// The length of each datagram.
    pub segment: usize,
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
}

/// Datagrams and events in the order in which they arose. Emptied by the drain rule after every input, so
/// its size is bounded by what one input can cause.
pub(crate) struct Outbox {
    buffer: Vec<u8>,
    used: usize,
    trains: VecDeque<Train>,
    /// Most datagrams of one train; 1 for a system that sends one by one.
    train_max: usize,
    events: VecDeque<MediaEvent>,
}

impl Outbox {
    pub(crate) const fn new(train_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            used: 0,
            trains: VecDeque::new(),
            train_max,
            events: VecDeque::new(),
        }
    }

    pub(crate) const fn set_train_max(&mut self, train_max: usize) {
        self.train_max = train_max;
    }

    pub(crate) const fn train_max(&self) -> usize {
        self.train_max
    }

    /// Trains and events that are not yet handed out.
    pub(crate) fn waiting(&self) -> usize {
        self.trains.len() + self.events.len()
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
        if self.buffer.len() < start + room {
            self.buffer.resize(start + room, 0);
        }
        let len = write(&mut self.buffer[start..start + room])?.min(room);
        self.used = start + len;
        match self.trains.back_mut() {
            Some(train) if train.takes(&path, len, self.train_max) => {
                train.end += len;
                train.count += 1;
            }
            _ => self.trains.push_back(Train {
                path,
                start,
                end: start + len,
                segment: len,
                count: 1,
            }),
        }
        Some(len)
    }

    pub(crate) fn event(&mut self, event: MediaEvent) {
        self.events.push_back(event);
    }

    /// The next train and its number of datagrams.
    pub(crate) fn next_train(&mut self) -> Option<(Transmit<'_>, usize)> {
        let train = self.trains.pop_front()?;
        let transmit = Transmit {
            local: train.path.local,
            remote: train.path.remote,
            payload: &self.buffer[train.start..train.end],
            segment: train.segment,
        };
        Some((transmit, train.count))
    }

    pub(crate) fn next_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// Forgets everything queued.
    pub(crate) fn clear(&mut self) {
        self.trains.clear();
        self.events.clear();
        self.used = 0;
    }
}

impl Train {
    /// Whether a datagram of `len` bytes may follow. After a shorter one nothing may.
    fn takes(&self, path: &Path, len: usize, train_max: usize) -> bool {
        let bytes = self.end - self.start;
        self.count < train_max
            && len <= self.segment
            && bytes == self.count * self.segment
            && bytes + len <= TRAIN_BYTES_MAX
            && self.path == *path
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
    fn trains_are_bounded_in_number_and_in_bytes() {
        let lens = |trains: Vec<(u16, Vec<usize>)>| -> Vec<usize> {
            trains.iter().map(|(_, lens)| lens.len()).collect()
        };
        assert_eq!(lens(trains(2, &[(1, 50); 5])), [2, 2, 1]);
        assert_eq!(lens(trains(1, &[(1, 50); 3])), [1, 1, 1]);
        assert_eq!(lens(trains(64, &[(1, 20_000); 4])), [3, 1]);
    }
}
