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
        self.settle(sequence, Fate::Settled, |fate| fate != Fate::Settled)
    }

    /// The receiver misses it; like [`Self::arrived`].
    pub(super) fn missing(&mut self, sequence: u16) -> Option<Told> {
        self.settle(sequence, Fate::Missing, |fate| {
            matches!(fate, Fate::InFlight | Fate::Skipped)
        })
    }

    /// Nothing is known of it but that feedback went past it; like [`Self::arrived`].
    pub(super) fn skipped(&mut self, sequence: u16) -> Option<Told> {
        self.settle(sequence, Fate::Skipped, |fate| fate == Fate::InFlight)
    }

    fn settle(
        &mut self,
        sequence: u16,
        fate: Fate,
        is_news: impl Fn(Fate) -> bool,
    ) -> Option<Told> {
        let (micros, entry) = self.find(sequence)?;
        let before = entry.fate;
        if !is_news(before) {
            return None;
        }
        entry.fate = fate;
        Some(Told {
            micros,
            len: usize::from(entry.len),
            probe: entry.probe,
            late: before == Fate::Missing,
            skipped: before == Fate::Skipped,
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
