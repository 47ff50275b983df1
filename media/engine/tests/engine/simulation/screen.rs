//! What a receiver sees of one picture: a frame is shown once all its packets have come, sent first or again, and
//! the frame that it depends on was shown; and not before its turn in the buffer.
//!
//! The buffer is libwebrtc's in short: frames are shown as long after their capture as the earliest of the last
//! seconds, the jitter and, once packets had to be repaired, nine tenths of a round trip (up to 200 ms) take.
//! Without that every repair is a freeze, and no browser shows frames so.
//!
//! A freeze is what W3C webrtc-stats counts in `freezeCount` and `totalFreezesDuration`: an interval between
//! two shown frames that is longer than three times the mean one and longer than it by 150 ms.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::camera::{FRAME, Part};

/// Intervals that the mean is taken over.
const MEAN_OF: usize = 30;
const LONGER_BY: Duration = Duration::from_millis(150);
/// What a buffer adds for repair: so much of a round trip, after so many repaired frames.
const REPAIR_PART: f64 = 0.9;
const REPAIR_MAX: Duration = Duration::from_millis(200);
const REPAIRED_MIN: u32 = 3;
/// Frames that the jitter is taken over.
const JITTER_OF: usize = 90;
/// A frame that is not complete for so long, and one and a half round trips, is given up: a key frame is asked
/// for. Until then it is being repaired.
const PATIENCE: Duration = Duration::from_millis(200);

/// A frame of which a part came.
#[derive(Clone, Copy, Debug)]
struct Partial {
    key: bool,
    count: u8,
    have: u128,
}

impl Partial {
    const fn is_complete(&self) -> bool {
        self.have.count_ones() == self.count as u32
    }
}

/// What was seen since it was last looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) frames: usize,
    /// Frames between two shown ones that were not.
    pub(crate) skipped: usize,
    pub(crate) freezes: usize,
    pub(crate) frozen: Duration,
    pub(crate) longest: Duration,
    pub(crate) span: Duration,
    /// Changes from one encoding to another.
    pub(crate) changes: usize,
    /// From capture to the screen, of each frame.
    delays: Vec<Duration>,
}

impl View {
    pub(crate) fn frozen_share(&self) -> f64 {
        self.frozen.as_secs_f64() / self.span.as_secs_f64()
    }

    /// The delay that 95 of 100 frames stay below, in milliseconds.
    pub(crate) fn delay(&self) -> u128 {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let at = delays.len() * 95 / 100;
        delays.get(at).map_or(0, Duration::as_millis)
    }
}

/// How long frames wait for their turn.
#[derive(Default)]
struct Buffer {
    /// How long the last frames took that came without repair, the newest last.
    times: Vec<Duration>,
    repaired: u32,
}

impl Buffer {
    /// Notes how long a frame took, and returns how long it is from capture to its turn.
    fn wait(&mut self, took: Duration, round_trip: Duration) -> Duration {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let least = sorted.first().copied().unwrap_or(took);
        // What took a round trip more was sent again.
        if took > least + round_trip * 8 / 10 {
            self.repaired += 1;
        } else {
            self.times.push(took);
            if self.times.len() > JITTER_OF {
                self.times.remove(0);
            }
        }
        let jittery = sorted.get(sorted.len() * 95 / 100).copied();
        let repair = round_trip.mul_f64(REPAIR_PART).min(REPAIR_MAX);
        let repair = if self.repaired < REPAIRED_MIN {
            Duration::ZERO
        } else {
            repair
        };
        jittery.unwrap_or(took) + repair
    }
}

pub(crate) struct Screen {
    round_trip: Duration,
    parts: BTreeMap<(u32, u8), Partial>,
    /// The encoding and the number of the last frame shown, and when.
    shown: Option<(u8, u32)>,
    shown_at: Instant,
    intervals: Vec<Duration>,
    buffer: Buffer,
    since: Instant,
    view: View,
    /// When the first frame was captured.
    began: Instant,
    came_at: Instant,
    asked_at: Instant,
}

impl Screen {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            round_trip: Duration::ZERO,
            parts: BTreeMap::new(),
            shown: None,
            shown_at: now,
            intervals: Vec::new(),
            buffer: Buffer::default(),
            since: now,
            view: View::default(),
            began: now,
            came_at: now,
            asked_at: now,
        }
    }

    pub(crate) fn take(&mut self, at: Instant, part: Part) {
        let place = (part.frame, part.encoding);
        if self.shown.is_some_and(|(_, frame)| part.frame <= frame) {
            return;
        }
        self.came_at = at;
        let frame = self.parts.entry(place).or_insert(Partial {
            key: part.key,
            count: part.count,
            have: 0,
        });
        frame.have |= 1 << part.index;
        while let Some(next) = self.next() {
            self.show(at, next);
        }
    }

    /// The next frame that can be shown.
    fn next(&self) -> Option<(u32, u8)> {
        let follows = self.shown.map(|(encoding, frame)| (frame + 1, encoding));
        let complete = |place: &(u32, u8)| self.parts.get(place).is_some_and(Partial::is_complete);
        follows.filter(complete).or_else(|| {
            let mut parts = self.parts.iter();
            parts
                .find(|(_, frame)| frame.key && frame.is_complete())
                .map(|(place, _)| *place)
        })
    }

    fn show(&mut self, at: Instant, (frame, encoding): (u32, u8)) {
        let captured = self.began + FRAME * (frame - 1);
        let took = at.saturating_duration_since(captured);
        let turn = captured + self.buffer.wait(took, self.round_trip);
        let at = at.max(turn).max(self.shown_at);
        self.note_interval(at);
        let changes = self.shown.is_some_and(|(before, _)| before != encoding);
        self.view.changes += usize::from(changes);
        let before = self.shown.replace((encoding, frame));
        let skipped = before.map_or(0, |(_, before)| frame - before - 1);
        self.view.skipped += skipped as usize;
        self.shown_at = at;
        self.view.frames += 1;
        let captured = self.began + FRAME * (frame - 1);
        self.view
            .delays
            .push(at.saturating_duration_since(captured));
        self.parts.retain(|(number, _), _| *number > frame);
    }

    fn note_interval(&mut self, at: Instant) {
        if self.shown.is_none() {
            return;
        }
        let interval = at - self.shown_at;
        if self.freezes(interval) {
            self.view.freezes += 1;
            // Of a freeze that began before, only what is in this view.
            let within = at - self.shown_at.max(self.since);
            self.view.frozen += within;
            self.view.longest = self.view.longest.max(within);
        }
        if self.intervals.len() == MEAN_OF {
            self.intervals.remove(0);
        }
        self.intervals.push(interval);
    }

    fn freezes(&self, interval: Duration) -> bool {
        let count = self.intervals.len() as u32;
        let mean = match count {
            0 => FRAME,
            count => self.intervals.iter().sum::<Duration>() / count,
        };
        interval > (3 * mean).max(mean + LONGER_BY)
    }

    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// Whether a key frame is to be asked for now: packets come, and nothing is shown.
    pub(crate) fn asks(&mut self, now: Instant) -> bool {
        let patience = PATIENCE + self.round_trip * 3 / 2;
        let stuck = self.came_at > self.shown_at && now - self.shown_at > patience;
        let asks = stuck && now - self.asked_at > patience;
        if asks {
            self.asked_at = now;
        }
        asks
    }

    /// What was seen since the last look, and begins anew.
    pub(crate) fn look(&mut self, now: Instant) -> View {
        let mut view = std::mem::take(&mut self.view);
        let waits = now - self.shown_at;
        if self.freezes(waits) {
            view.freezes += 1;
            let within = now - self.shown_at.max(self.since);
            view.frozen += within;
            view.longest = view.longest.max(within);
        }
        view.span = now - self.since;
        self.since = now;
        view
    }
}
