//! What was sent under which transport-wide sequence number, until the receiver has told of it.

/// Packets remembered: a second at 20 Mbit/s. Feedback for older ones is not understood.
const SENT_MAX: usize = 2_048;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    /// Never sent, or told of as received: it counts once.
    #[default]
    Settled,
    InFlight,
    /// Feedback went past it without a word, so its own was lost.
    Skipped,
    /// Told of as missing; it may still come late.
    Missing,
    /// The same after it was skipped.
    MissingSkipped,
}

/// Eight bytes for each packet.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    micros: u32,
    len: u16,
    probe: u8,
    fate: Fate,
}

/// A packet that the receiver told of for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// When it was sent, on the estimator's clock.
    pub(super) micros: i64,
    pub(super) len: usize,
    /// The probe that it was part of; 0 for none.
    pub(super) probe: u8,
    /// It was told of as missing before.
    pub(super) late: bool,
    /// It was skipped before.
    pub(super) skipped: bool,
}

/// A ring over sequence numbers; the oldest is overwritten.
pub(super) struct History {
    entries: Vec<Entry>,
    newest: Option<(u16, i64)>,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            entries: vec![Entry::default(); SENT_MAX],
            newest: None,
        }
    }

    /// Notes a packet that leaves.
    pub(super) fn sent(&mut self, sequence: u16, micros: i64, len: usize, probe: u8) {
        self.newest = Some((sequence, micros));
        self.entries[place(sequence)] = Entry {
            micros: micros as u32,
            len: u16::try_from(len).unwrap_or(u16::MAX),
            probe,
            fate: Fate::InFlight,
        };
    }

    /// The receiver has it. `None` when it was never sent, is forgotten or was told of before.
    pub(super) fn arrived(&mut self, sequence: u16) -> Option<Told> {
        self.settle(sequence, |fate| {
            (fate != Fate::Settled).then_some(Fate::Settled)
        })
    }

    /// The receiver misses it; like [`Self::arrived`].
    pub(super) fn missing(&mut self, sequence: u16) -> Option<Told> {
        self.settle(sequence, |fate| match fate {
            Fate::InFlight => Some(Fate::Missing),
            Fate::Skipped => Some(Fate::MissingSkipped),
            Fate::Settled | Fate::Missing | Fate::MissingSkipped => None,
        })
    }

    /// Nothing is known of it but that feedback went past it; like [`Self::arrived`].
    pub(super) fn skipped(&mut self, sequence: u16) -> Option<Told> {
        self.settle(sequence, |fate| {
            (fate == Fate::InFlight).then_some(Fate::Skipped)
        })
    }

    /// Takes news of a packet; `next` is `None` where it is none.
    fn settle(&mut self, sequence: u16, next: impl Fn(Fate) -> Option<Fate>) -> Option<Told> {
        let (micros, entry) = self.find(sequence)?;
        let before = entry.fate;
        entry.fate = next(before)?;
        Some(Told {
            micros,
            len: usize::from(entry.len),
            probe: entry.probe,
            late: matches!(before, Fate::Missing | Fate::MissingSkipped),
            skipped: matches!(before, Fate::Skipped | Fate::MissingSkipped),
        })
    }

    fn find(&mut self, sequence: u16) -> Option<(i64, &mut Entry)> {
        let (newest, newest_micros) = self.newest?;
        if usize::from(newest.wrapping_sub(sequence)) >= SENT_MAX {
            return None;
        }
        let entry = &mut self.entries[place(sequence)];
        let age = (newest_micros as u32).wrapping_sub(entry.micros);
        Some((newest_micros - i64::from(age), entry))
    }
}

const fn place(sequence: u16) -> usize {
    sequence as usize % SENT_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_and_then_missed_was_counted_when_it_comes_late() {
        let mut history = History::new();
        history.sent(7, 1_000, 100, 0);
        let told = |late, skipped| {
            Some(Told {
                micros: 1_000,
                len: 100,
                probe: 0,
                late,
                skipped,
            })
        };
        assert_eq!(history.skipped(7), told(false, false));
        assert_eq!(history.missing(7), told(false, true));
        assert_eq!(history.missing(7), None, "told of once");
        assert_eq!(history.arrived(7), told(true, true));
        assert_eq!(history.arrived(7), None);

        history.sent(8, 1_000, 100, 0);
        assert_eq!(history.missing(8), told(false, false));
        assert_eq!(history.skipped(8), None, "its fate is known");
        assert_eq!(history.arrived(8), told(true, false));
    }
}
