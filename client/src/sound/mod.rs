//! Sources and sinks of sound for programs without a sound card: tones, silence, echo, WAV files, and a tone detector.

mod echo;
mod pitch;
mod tone;
mod wav;

pub use echo::echo;
pub use pitch::{level_at, loudness};
pub use tone::{paced, silence, tone};
pub use wav::{Recorder, WavError, play_file, read_file};

/// Frames that may wait between a source and a call: a quarter of a second.
pub const FRAMES_MAX: usize = 12;

/// Decoded frames that may wait for whoever listens: two seconds.
pub const HEARD_MAX: usize = 100;
