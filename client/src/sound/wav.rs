//! WAV files as microphones and speakers.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use tokio::sync::mpsc;

use super::tone::paced;
use crate::media::{Pcm, SAMPLE_RATE, SAMPLES};

/// The longest file that is read: half an hour at 48 kHz.
const SAMPLES_MAX: usize = 30 * 60 * 48_000;

/// Why a sound file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    #[error(transparent)]
    File(#[from] hound::Error),
    #[error("the file is longer than half an hour")]
    TooLong,
    #[error("the file has no channel or no sample rate")]
    Empty,
}

/// All samples of a file, as one channel at 48 kHz.
///
/// # Errors
/// When it is no WAV file, or too long.
pub fn read_file(path: &Path) -> Result<Vec<i16>, WavError> {
    let reader = WavReader::open(path)?;
    let spec = reader.spec();
    if spec.channels == 0 || spec.sample_rate == 0 {
        return Err(WavError::Empty);
    }
    let channels = usize::from(spec.channels);
    let samples: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader
            .into_samples::<f32>()
            .take(SAMPLES_MAX * channels + 1)
            .collect::<Result<_, _>>()?,
        SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample.max(1)) - 1);
            let samples = reader
                .into_samples::<i32>()
                .take(SAMPLES_MAX * channels + 1);
            samples
                .map(|sample| Ok(sample? as f32 / full))
                .collect::<Result<_, hound::Error>>()?
        }
    };
    if samples.len() > SAMPLES_MAX * channels {
        return Err(WavError::TooLong);
    }
    let mix = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
    let one: Vec<f32> = samples.chunks_exact(channels).map(mix).collect();
    let resampled = resample(&one, spec.sample_rate);
    Ok(resampled
        .into_iter()
        .map(|sample| (sample.clamp(-1.0, 1.0) * 32_767.0) as i16)
        .collect())
}

/// Straight lines between samples: good enough for speech and ring tones.
fn resample(samples: &[f32], rate: u32) -> Vec<f32> {
    if rate == SAMPLE_RATE {
        return samples.to_vec();
    }
    let step = f64::from(rate) / f64::from(SAMPLE_RATE);
    let count = (samples.len() as f64 / step) as usize;
    let at = |index: usize| {
        let position = index as f64 * step;
        let before = position as usize;
        let share = (position - before as f64) as f32;
        let after = samples.get(before + 1).or_else(|| samples.get(before));
        samples[before] * (1.0 - share) + after.copied().unwrap_or(0.0) * share
    };
    (0..count.min(SAMPLES_MAX)).map(at).collect()
}

/// A file as a microphone: played once, then silence.
///
/// # Errors
/// When it can't be read.
pub fn play_file(path: &Path) -> Result<mpsc::Receiver<Pcm>, WavError> {
    let samples = read_file(path)?;
    let mut at = 0;
    Ok(paced(move || {
        let mut pcm = Pcm::SILENCE;
        let rest = samples.get(at..).unwrap_or_default();
        let count = rest.len().min(SAMPLES);
        pcm.0[..count].copy_from_slice(&rest[..count]);
        at = (at + SAMPLES).min(samples.len());
        Some(pcm)
    }))
}

/// A file as a speaker.
pub struct Recorder {
    writer: WavWriter<BufWriter<File>>,
}

impl Recorder {
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path) -> Result<Self, WavError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        Ok(Self {
            writer: WavWriter::create(path, spec)?,
        })
    }

    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, pcm: &Pcm) -> Result<(), WavError> {
        pcm.0
            .iter()
            .try_for_each(|sample| self.writer.write_sample(*sample))?;
        // The header is kept true, so that a file of a killed program can be read.
        Ok(self.writer.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::level_at;

    #[test]
    fn a_file_comes_back_at_another_rate_and_with_fewer_channels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let spec = WavSpec {
            channels: 2,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        for index in 0..16_000 {
            let seconds = f64::from(index) / 16_000.0;
            let sample = (8_000.0 * (std::f64::consts::TAU * 500.0 * seconds).sin()) as i16;
            writer.write_sample(sample).unwrap();
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        let samples = read_file(&path).unwrap();
        assert_eq!(samples.len(), 48_000);
        assert!(level_at(500.0, &samples) > 0.95);
    }

    #[test]
    fn a_recording_can_be_read_while_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.wav");
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.write(&Pcm([5; SAMPLES])).unwrap();
        assert_eq!(read_file(&path).unwrap().len(), SAMPLES);
        assert!(read_file(&folder.path().join("none.wav")).is_err());
    }
}
