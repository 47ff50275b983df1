//! Processor time of the calling thread, and how much of a core that is.

use std::time::{Duration, Instant};

/// A new reading counts a quarter: the rest of a peak is below a tenth after two seconds of four readings each.
const SMOOTHING: u64 = 4;

/// Processor time that this thread has used; zero where the system does not tell.
pub(crate) fn of_this_thread() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
    #[cfg(not(target_os = "linux"))]
    {
        Duration::ZERO
    }
}

/// How much of a core a thread uses, of late.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    last: Option<(Instant, Duration)>,
    millionths: u64,
}

impl Busy {
    /// Takes a reading: the thread has used so much in all. Returns thousandths of a core.
    pub(crate) fn note(&mut self, now: Instant, used: Duration) -> u16 {
        if let Some((at, before)) = self.last {
            let wall = now.saturating_duration_since(at).as_micros().max(1);
            let spent = used.saturating_sub(before).as_micros().min(wall);
            let share = u64::try_from(spent * 1_000_000 / wall).unwrap_or_default();
            self.millionths = (self.millionths * (SMOOTHING - 1) + share) / SMOOTHING;
        }
        self.last = Some((now, used));
        u16::try_from(self.millionths / 1_000).unwrap_or(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_core_follows_what_a_thread_uses_within_two_seconds() {
        let quarter = Duration::from_millis(250);
        let (mut now, mut used) = (Instant::now(), Duration::ZERO);
        let mut busy = Busy::default();
        assert_eq!(busy.note(now, used), 0);
        let mut run = |spends: Duration| {
            now += quarter;
            used += spends;
            busy.note(now, used)
        };
        assert_eq!(run(quarter), 250, "one peak is not much");
        for _ in 0..7 {
            run(quarter);
        }
        let full = run(quarter);
        assert!((900..=1_000).contains(&full), "{full}");
        for _ in 0..7 {
            run(Duration::ZERO);
        }
        let idle = run(Duration::ZERO);
        assert!(idle < 100, "{idle}");
        // Clocks that disagree make no more than a core of it.
        assert!(run(quarter * 9) <= 1_000);
    }
}
