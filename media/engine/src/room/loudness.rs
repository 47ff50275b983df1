//! How loud one published track is, and whether somebody speaks on it.
//!
//! Two measures for two questions. Who is forwarded needs an answer with the first packet, or a syllable is
//! cut off: so the envelope rises at once and falls slowly, which is also the hold. Who is shown as speaking
//! must not flicker with every cough: so speech is some loud packets close together, and lasts over the
//! pauses between words.

use std::time::{Duration, Instant};

use crate::wire::audio_level::AudioLevel;

/// The envelope falls this much in a second, in decibels: who was as loud as the others keeps the place for
/// about a second of pause against somebody 20 dB quieter.
const FALL_A_SECOND: u32 = 20;

/// As loud as this is speech, in decibels below overload: gain control puts voices at 20 to 35, and a quiet
/// room's noise lies beyond 60.
const SPEECH: u8 = 45;

/// Who speaks already goes on speaking down to this.
const SPEECH_GOES_ON: u8 = 55;

/// Loud packets that make speech: a click is shorter.
const SPURT: u8 = 3;

/// Loud packets further apart than this are clicks.
const SPURT_GAP: Duration = Duration::from_millis(200);

/// Speech lasts this long over quiet: pauses between words are shorter.
const SPEECH_HOLD: Duration = Duration::from_millis(700);

/// A publisher that was silent for this long makes room for others.
const HOLD: Duration = Duration::from_secs(2);

/// Decibels above silence, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Envelope(u32);

impl Envelope {
    /// Whether it is louder by so many decibels.
    pub(super) const fn exceeds(self, other: Self, decibels: u32) -> bool {
        self.0 > other.0 + decibels * 1_000
    }
}

/// The loudness of one track.
#[derive(Default)]
pub(super) struct Loudness {
    envelope: Envelope,
    /// The last packet that named its level, whatever it was.
    noted_at: Option<Instant>,
    /// The last packet that was not silent.
    sounded_at: Option<Instant>,
    /// The last packet as loud as speech, and how many there were close together.
    loud_at: Option<Instant>,
    spurt: u8,
}

impl Loudness {
    pub(super) fn note(&mut self, now: Instant, level: AudioLevel) {
        let below = level.below_overload_db;
        let above = Envelope(u32::from(AudioLevel::SILENCE_DB.saturating_sub(below)) * 1_000);
        self.envelope = self.envelope(now).max(above);
        self.noted_at = Some(now);
        if below < AudioLevel::SILENCE_DB {
            self.sounded_at = Some(now);
        }
        let speaks = self.speaks(now);
        if below <= if speaks { SPEECH_GOES_ON } else { SPEECH } {
            let close = within(self.loud_at, now, SPURT_GAP);
            self.spurt = match self.spurt {
                count if close || speaks => count.saturating_add(1),
                _ => 1,
            };
            self.loud_at = Some(now);
        }
    }

    /// How loud it is and was a moment ago.
    pub(super) fn envelope(&self, now: Instant) -> Envelope {
        let since = self.noted_at.map_or(Duration::ZERO, |at| {
            now.saturating_duration_since(at).min(HOLD * 4)
        });
        // Decibels a second are thousandths of a decibel a millisecond.
        let fallen = since.as_micros() as u32 * FALL_A_SECOND / 1_000;
        Envelope(self.envelope.0.saturating_sub(fallen))
    }

    pub(super) fn speaks(&self, now: Instant) -> bool {
        self.spurt >= SPURT && within(self.loud_at, now, SPEECH_HOLD)
    }

    /// Whether it sends sound with a level at all.
    pub(super) fn is_live(&self, now: Instant) -> bool {
        within(self.noted_at, now, HOLD)
    }

    /// Whether there was any sound within the hold.
    pub(super) fn is_heard(&self, now: Instant) -> bool {
        within(self.sounded_at, now, HOLD)
    }
}

fn within(at: Option<Instant>, now: Instant, time: Duration) -> bool {
    at.is_some_and(|at| now.saturating_duration_since(at) < time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        Instant::now()
    }

    const fn level(below_overload_db: u8) -> AudioLevel {
        AudioLevel {
            voice: false,
            below_overload_db,
        }
    }

    #[test]
    fn the_envelope_rises_at_once_and_falls_slowly() {
        let (mut loudness, now) = (Loudness::default(), start());
        loudness.note(now, level(27));
        assert_eq!(loudness.envelope(now), Envelope(100_000));
        let later = now + Duration::from_millis(500);
        loudness.note(later, level(127));
        assert_eq!(loudness.envelope(later), Envelope(90_000));
        assert!(loudness.is_heard(later) && !loudness.is_heard(now + HOLD));
        assert_eq!(loudness.envelope(now + 100 * HOLD), Envelope(0));
    }

    #[test]
    fn a_click_is_no_speech_and_a_pause_between_words_does_not_end_it() {
        let (mut loudness, now) = (Loudness::default(), start());
        let at = |millis| now + Duration::from_millis(millis);
        loudness.note(at(0), level(10));
        loudness.note(at(20), level(10));
        loudness.note(at(500), level(10));
        assert!(!loudness.speaks(at(500)));
        loudness.note(at(520), level(30));
        loudness.note(at(540), level(50));
        assert!(!loudness.speaks(at(540)), "too quiet to begin with");
        loudness.note(at(560), level(30));
        assert!(loudness.speaks(at(560)));
        loudness.note(at(1_100), level(50));
        assert!(loudness.speaks(at(1_700)));
        assert!(!loudness.speaks(at(1_800)));
    }
}
