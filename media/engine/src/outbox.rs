//! What the engine wants done: datagrams in one reused buffer, and events.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;

use homeline_protocol::media_control::MediaEvent;

use crate::transport::Path;

/// A datagram to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// The address to send from: the one at which the peer reached us.
    pub local: SocketAddr,
    /// The address to send to.
    pub remote: SocketAddr,
    /// The datagram.
    pub payload: &'a [u8],
}

/// Datagrams and events in the order in which they arose. Emptied by the drain rule after every input, so
/// its size is bounded by what one input can cause.
#[derive(Default)]
pub(crate) struct Outbox {
    buffer: Vec<u8>,
    used: usize,
    datagrams: VecDeque<(Path, Range<usize>)>,
    events: VecDeque<MediaEvent>,
}

impl Outbox {
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
        self.datagrams.push_back((path, start..start + len));
        Some(len)
    }

    pub(crate) fn event(&mut self, event: MediaEvent) {
        self.events.push_back(event);
    }

    /// The next datagram. Once there is none, the buffer is used anew.
    pub(crate) fn next_datagram(&mut self) -> Option<Transmit<'_>> {
        match self.datagrams.pop_front() {
            Some((path, range)) => Some(Transmit {
                local: path.local,
                remote: path.remote,
                payload: &self.buffer[range],
            }),
            None => {
                self.used = 0;
                None
            }
        }
    }

    pub(crate) fn next_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// Forgets everything queued.
    pub(crate) fn clear(&mut self) {
        self.datagrams.clear();
        self.events.clear();
        self.used = 0;
    }
}
