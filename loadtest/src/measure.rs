//! Reads the clocks of what is measured, and makes medians of several turns.

use std::time::Duration;

/// Packets that were sent on, and the processor time that it took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Packets sent to receivers.
    pub forwarded: u64,
    /// The thread's processor time.
    pub cpu: Duration,
}

impl Reading {
    /// Microseconds for each packet since an earlier reading; `None` when nothing was sent on.
    pub fn micros_since(&self, earlier: &Self) -> Option<f64> {
        let packets = self
            .forwarded
            .checked_sub(earlier.forwarded)
            .filter(|count| *count > 0)?;
        Some((self.cpu.saturating_sub(earlier.cpu)).as_secs_f64() * 1e6 / packets as f64)
    }
}

/// Processor time of the calling thread.
pub fn cpu_of_this_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What several turns measured: the middle, and how far they were apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The least.
    pub least: f64,
    /// The median.
    pub middle: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// Of these values; `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            least: values.iter().copied().reduce(f64::min)?,
            middle: median(values),
            most: values.iter().copied().reduce(f64::max)?,
        })
    }
}

/// The middle one, or the mean of the middle two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_and_medians() {
        let earlier = Reading {
            forwarded: 10,
            cpu: Duration::from_micros(5),
        };
        let later = Reading {
            forwarded: 20,
            cpu: Duration::from_micros(25),
        };
        assert_eq!(later.micros_since(&earlier), Some(2.0));
        assert_eq!(earlier.micros_since(&earlier), None);
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[3.0, 1.0]) - 2.0).abs() < 1e-9);
        let spread = Spread::of(&[3.0, 1.0, 2.5]).unwrap();
        assert_eq!((spread.least, spread.middle, spread.most), (1.0, 2.5, 3.0));
        assert_eq!(Spread::of(&[]), None);
    }
}
