//! A small sorted table from SSRC to that stream's state.

use crate::wire::ids::Ssrc;

/// Most SSRCs one direction of one transport may use. Each costs at most about 150 bytes; a room of fifty
/// with three layers and RTX needs 400. A stream beyond it is refused, those inside live on.
pub const STREAMS_MAX: usize = 1_024;

/// The table is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

pub(super) struct Streams<T> {
    entries: Vec<(Ssrc, T)>,
    /// Where the last look-up ended: packets come in trains of one stream.
    last: usize,
}

impl<T> Streams<T> {
    pub(super) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            last: 0,
        }
    }

    pub(super) fn state(&mut self, ssrc: Ssrc) -> Option<&mut T> {
        if self
            .entries
            .get(self.last)
            .is_none_or(|(found, _)| *found != ssrc)
        {
            self.last = self
                .entries
                .binary_search_by_key(&ssrc, |(found, _)| *found)
                .ok()?;
        }
        self.entries.get_mut(self.last).map(|(_, state)| state)
    }

    pub(super) const fn is_full(&self) -> bool {
        self.entries.len() >= STREAMS_MAX
    }

    /// Adds a stream; the caller knows that it is not there yet.
    pub(super) fn insert(&mut self, ssrc: Ssrc, state: T) -> Result<&mut T, Full> {
        if self.is_full() {
            return Err(Full);
        }
        let at = self.entries.partition_point(|(found, _)| *found < ssrc);
        self.entries.insert(at, (ssrc, state));
        self.last = at;
        Ok(&mut self.entries[at].1)
    }

    /// Forgets a stream. Its numbers must not be used again under the same key.
    pub(super) fn remove(&mut self, ssrc: Ssrc) {
        self.entries.retain(|(found, _)| *found != ssrc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_found_in_any_order_and_bounded() {
        let mut streams = Streams::new();
        for n in (0..STREAMS_MAX as u32).rev() {
            assert_eq!(streams.insert(Ssrc(n), n), Ok(&mut n.clone()));
        }
        assert_eq!(streams.insert(Ssrc(u32::MAX), 0), Err(Full));
        assert_eq!(streams.state(Ssrc(7)), Some(&mut 7));
        assert_eq!(streams.state(Ssrc(7)), Some(&mut 7));
        assert_eq!(streams.state(Ssrc(1_023)), Some(&mut 1_023));
        assert_eq!(streams.state(Ssrc(5_000)), None);
        streams.remove(Ssrc(7));
        assert_eq!(streams.state(Ssrc(7)), None);
        assert_eq!(streams.state(Ssrc(8)), Some(&mut 8));
    }
}
