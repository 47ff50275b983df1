//! Is a tone in this sound? Goertzel's algorithm: one bin of a Fourier transform.

use std::f64::consts::TAU;

use crate::media::SAMPLE_RATE;

/// The share of the sound's energy that lies at `hertz`, 0 to 1: near 1 for that tone alone.
#[must_use]
pub fn level_at(hertz: f64, samples: &[i16]) -> f64 {
    let energy: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    if energy == 0.0 {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hertz / f64::from(SAMPLE_RATE)).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + coefficient * last - before;
        (before, last) = (last, next);
    }
    let power = last * last + before * before - coefficient * last * before;
    2.0 * power / (energy * samples.len() as f64)
}

/// Root mean square, of 32,767.
#[must_use]
pub fn loudness(samples: &[i16]) -> f64 {
    let energy: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    (energy / samples.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64) -> Vec<i16> {
        let at = |index: i32| f64::from(index) / f64::from(SAMPLE_RATE);
        (0..9_600)
            .map(|index| (8_000.0 * (TAU * hertz * at(index)).sin()) as i16)
            .collect()
    }

    #[test]
    fn a_tone_is_told_from_another_and_from_silence() {
        assert!(level_at(1_000.0, &sine(1_000.0)) > 0.95);
        assert!(level_at(1_500.0, &sine(1_000.0)) < 0.01);
        assert!(level_at(1_000.0, &[0; 960]).abs() < f64::EPSILON);
        assert!((loudness(&sine(1_000.0)) - 5_657.0).abs() < 10.0);
    }
}
