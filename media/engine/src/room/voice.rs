//! What becomes of one audio packet: forwarded, forwarded as a sign of life, or left out for everybody.

use super::commands::{Context, Room};
use super::loudness::Loudness;
use super::seam::Seam;
use super::silence::Silence;
use super::slots::{PeerSlot, TrackSlot};
use crate::transport::sdp::{HeaderExtension, Kind};
use crate::wire::audio_level::AudioLevel;
use crate::wire::rtp::RtpPacket;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Forward,
    /// Forwarded though silent: it begins no talk spurt.
    SignOfLife,
    LeaveOut,
}

/// The state of one track, of use only to sound.
#[derive(Default)]
pub(super) struct Voice {
    pub(super) loudness: Loudness,
    silence: Silence,
    seam: Seam,
    /// Something was left out since the last sound.
    paused: bool,
}

/// Where a packet is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) index: u64,
    /// It begins a talk spurt, which its marker bit tells (RFC 3551 section 4.1).
    pub(super) begins_spurt: bool,
}

impl Voice {
    /// The place of the newest packet of the stream; `None` when it is left out.
    pub(super) fn place(&mut self, index: u64, verdict: Verdict) -> Option<Placed> {
        let mut begins_spurt = false;
        match verdict {
            Verdict::LeaveOut => {
                self.seam.leave_out(index);
                self.paused = true;
                return None;
            }
            Verdict::Forward => begins_spurt = std::mem::take(&mut self.paused),
            Verdict::SignOfLife => {}
        }
        let index = self.seam.place(index)?;
        Some(Placed {
            index,
            begins_spurt,
        })
    }

    /// The place of a packet that came late; `None` when it was left out before.
    pub(super) fn place_late(&self, index: u64) -> Option<u64> {
        self.seam.place(index)
    }
}

impl Room {
    /// Listens to a publisher's packet and says what becomes of it. Whatever names no level is forwarded:
    /// nobody is made mute for what a client leaves out, and such a track takes no place from others.
    pub(super) fn hear(
        &mut self,
        context: &Context<'_>,
        publisher: PeerSlot,
        at: TrackSlot,
        packet: &RtpPacket<'_>,
    ) -> Verdict {
        let Some(track) = self.tracks.get_mut(at.0) else {
            return Verdict::Forward;
        };
        let source = track.source.as_ref();
        let Some(source) = source.filter(|source| source.kind == Kind::Audio) else {
            return Verdict::Forward;
        };
        let id = source.ids.id(HeaderExtension::AudioLevel);
        let value = id.and_then(|id| packet.extension(id));
        let Some(level) = value.and_then(AudioLevel::parse) else {
            return Verdict::Forward;
        };
        let lets_go = self.span.forwards(&self.peers, publisher);
        if !lets_go || track.held {
            return Verdict::Forward;
        }
        let (now, config) = (context.now, context.config);
        let silence_db = config.silence_db.unwrap_or(u8::MAX);
        let silent = level.below_overload_db >= silence_db;
        track.voice.loudness.note(now, level);
        let passes = track.voice.silence.lets_pass(now, silent);
        self.speakers.look_soon(now);
        self.wake(self.speakers.wake_at());
        let chosen = self
            .speakers
            .choose(&self.tracks, now, at, config.audio_forwarded_max);
        match (passes && chosen, silent) {
            (false, _) => Verdict::LeaveOut,
            (true, true) => Verdict::SignOfLife,
            (true, false) => Verdict::Forward,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talk_spurt_is_marked_where_it_begins_and_a_sign_of_life_is_not() {
        let mut voice = Voice::default();
        let placed = |index, begins_spurt| {
            Some(Placed {
                index,
                begins_spurt,
            })
        };
        assert_eq!(voice.place(10, Verdict::Forward), placed(10, false));
        assert_eq!(voice.place(11, Verdict::LeaveOut), None);
        assert_eq!(voice.place(12, Verdict::SignOfLife), placed(11, false));
        assert_eq!(voice.place(13, Verdict::LeaveOut), None);
        assert_eq!(voice.place(14, Verdict::Forward), placed(12, true));
        assert_eq!(voice.place(15, Verdict::Forward), placed(13, false));
        assert_eq!(voice.place_late(11), None);
        assert_eq!(voice.place_late(10), Some(10));
    }
}
