//! Several voices to one speaker: frames that belong together are added up, and a soft knock lies over them.
//!
//! Not told the time: whoever sends keeps the pace. A frame waits for those of the others for as long as
//! its own sender sends no further one.

use std::collections::{BTreeMap, VecDeque};

use homeline_client::media::Pcm;
use homeline_protocol::id::DeviceId;

/// Frames of one sender that wait for the others'. The oldest is dropped: late sound is worth nothing.
const WAITING_MAX: usize = 5;

/// Frames that were mixed without one of a sender's, after which nobody waits for it any more: a fifth
/// of a second.
const SILENT_MAX: u32 = 10;

#[derive(Default)]
struct Voice {
    frames: VecDeque<Pcm>,
    /// Frames that were mixed without one of its own.
    missed: u32,
}

/// The voices of one call.
#[derive(Default)]
pub(crate) struct Mixer {
    voices: BTreeMap<DeviceId, Voice>,
    knock: VecDeque<Pcm>,
}

impl Mixer {
    /// Takes in a frame; what can be played now comes out.
    pub(crate) fn take(&mut self, from: DeviceId, pcm: Pcm) -> Vec<Pcm> {
        let voice = self.voices.entry(from).or_default();
        voice.missed = 0;
        voice.frames.push_back(pcm);
        if voice.frames.len() > WAITING_MAX {
            voice.frames.pop_front();
        }
        let mut mixed = Vec::new();
        while self.is_complete() {
            mixed.push(self.mix());
        }
        mixed
    }

    /// Lays a sound over what comes next.
    pub(crate) fn knock(&mut self, frames: impl IntoIterator<Item = Pcm>) {
        self.knock = frames.into_iter().collect();
    }

    /// What of the knock nobody's frame has carried yet: for a call in which nobody sends.
    pub(crate) fn knock_alone(&mut self) -> Option<Pcm> {
        self.knock.pop_front()
    }

    /// Everybody who sends has sent, or somebody has sent twice.
    fn is_complete(&self) -> bool {
        let ahead = self.voices.values().any(|voice| voice.frames.len() > 1);
        let some = self.voices.values().any(|voice| !voice.frames.is_empty());
        ahead || some && self.voices.values().all(|voice| !voice.frames.is_empty())
    }

    fn mix(&mut self) -> Pcm {
        let mut sum = Pcm::SILENCE;
        for voice in self.voices.values_mut() {
            match voice.frames.pop_front() {
                Some(pcm) => add(&mut sum, &pcm),
                None => voice.missed += 1,
            }
        }
        self.voices.retain(|_, voice| voice.missed <= SILENT_MAX);
        if let Some(pcm) = self.knock.pop_front() {
            add(&mut sum, &pcm);
        }
        sum
    }
}

fn add(sum: &mut Pcm, pcm: &Pcm) {
    for (sum, sample) in sum.0.iter_mut().zip(pcm.0) {
        *sum = sum.saturating_add(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(value: i16) -> Pcm {
        let mut pcm = Pcm::SILENCE;
        pcm.0.fill(value);
        pcm
    }

    fn values(mixed: &[Pcm]) -> Vec<i16> {
        mixed.iter().map(|pcm| pcm.0[0]).collect()
    }

    fn device(number: u128) -> DeviceId {
        format!("{number:032x}").parse().unwrap()
    }

    #[test]
    fn one_voice_goes_through_at_once() {
        let mut mixer = Mixer::default();
        assert_eq!(values(&mixer.take(device(1), frame(5))), [5]);
        assert_eq!(values(&mixer.take(device(1), frame(6))), [6]);
    }

    #[test]
    fn two_voices_are_added_up_and_never_wrap_around() {
        let mut mixer = Mixer::default();
        assert_eq!(values(&mixer.take(device(1), frame(1))), [1]);
        assert!(mixer.take(device(2), frame(2)).is_empty());
        assert_eq!(values(&mixer.take(device(1), frame(3))), [5]);
        assert!(mixer.take(device(2), frame(30_000)).is_empty());
        assert_eq!(values(&mixer.take(device(1), frame(30_000))), [i16::MAX]);
    }

    #[test]
    fn nobody_waits_long_for_a_voice_that_has_stopped() {
        let mut mixer = Mixer::default();
        mixer.take(device(1), frame(1));
        mixer.take(device(2), frame(2));
        let mixed: Vec<_> = (0..30)
            .flat_map(|_| mixer.take(device(1), frame(1)))
            .collect();
        assert_eq!(mixed.len(), 30, "none is lost, and none waits at the end");
    }

    #[test]
    fn a_knock_lies_over_the_call_or_sounds_alone() {
        let mut mixer = Mixer::default();
        mixer.knock([frame(10), frame(20), frame(30)]);
        assert_eq!(values(&mixer.take(device(1), frame(1))), [11]);
        assert_eq!(values(&mixer.take(device(1), frame(1))), [21]);
        assert_eq!(mixer.knock_alone().map(|pcm| pcm.0[0]), Some(30));
        assert!(mixer.knock_alone().is_none());
    }
}
