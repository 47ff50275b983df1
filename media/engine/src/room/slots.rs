//! Small numbered places for peers and tracks, so that packets are routed by index.

/// A peer's place in its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PeerSlot(pub(super) usize);

/// From here on slots are of peers in other parts of the room, and no place of one here.
const REMOTE: usize = 1 << (usize::BITS - 1);

impl PeerSlot {
    /// The slot of a peer in another part, by its place among those.
    pub(super) const fn of_remote(at: usize) -> Self {
        Self(REMOTE + at)
    }

    /// The place among the peers of other parts; `None` for a peer that is here.
    pub(super) const fn remote(self) -> Option<usize> {
        self.0.checked_sub(REMOTE)
    }
}

/// A track's place in its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrackSlot(pub(super) usize);

/// A vector whose free places are used again.
pub(super) struct Slots<T>(Vec<Option<T>>);

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn insert(&mut self, value: T) -> usize {
        if let Some(free) = self.0.iter().position(Option::is_none) {
            self.0[free] = Some(value);
            return free;
        }
        self.0.push(Some(value));
        self.0.len() - 1
    }

    pub(super) fn remove(&mut self, at: usize) -> Option<T> {
        self.0.get_mut(at)?.take()
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.0.get_mut(at)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(at, value)| Some((at, value.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.0
            .iter_mut()
            .enumerate()
            .filter_map(|(at, value)| Some((at, value.as_mut()?)))
    }

    /// Places, free ones included.
    pub(super) const fn places(&self) -> usize {
        self.0.len()
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().flatten().count()
    }
}
