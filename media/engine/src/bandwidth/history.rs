//! What was sent under which transport-wide sequence number, until the receiver has told of it.

/// Packets remembered: a second at 20 Mbit/s. Feedback for older ones is not understood.
const SENT_MAX: usize = 2_048;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    /// Never sent, or told of as received: it counts once.
    #[default]
    Settled,
    InFlight,
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
        let (micros, entry) = self.find(sequence)?;
        let told = Told {
            micros,
            len: usize::from(entry.len),
            probe: entry.probe,
            late: entry.fate == Fate::Missing,
        };
        let news = entry.fate != Fate::Settled;
        entry.fate = Fate::Settled;
        news.then_some(told)
    }

    /// The receiver misses it; like [`Self::arrived`].
    pub(super) fn missing(&mut self, sequence: u16) -> Option<Told> {
        let (micros, entry) = self.find(sequence)?;
        if entry.fate != Fate::InFlight {
            return None;
        }
        entry.fate = Fate::Missing;
        Some(Told {
            micros,
            len: usize::from(entry.len),
            probe: entry.probe,
            late: false,
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
