//! A step is not a slope: a delay that jumps at once and then stays is another way through the network (a
//! detour, Wi-Fi to mobile), and one that comes back is a stall. Neither is a queue of ours.
//!
//! What was sent between two groups can lengthen a queue only by the time that it takes on the path, so a greater
//! difference is held back until it is seen what follows: a rise that goes on was a queue after all and counts
//! in full; a level is where the path is from now on.

/// Below this a difference is jitter or a slope, in milliseconds.
const LEAST_MS: f64 = 35.0;
/// The path is thought not to carry less than this part of what came through lately.
const SLOWER: f64 = 2.0;
/// How long the level is watched, twice over, in milliseconds and groups.
const WATCH_MS: f64 = 120.0;
const WATCH_GROUPS: u32 = 4;
/// A level that rises by this meanwhile is a slope; one that falls is watched on.
const SLOPE_MS: f64 = 12.0;
/// A fall is watched for so long at most.
const WATCH_MS_MAX: f64 = 1_000.0;

/// A difference that is held back.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// How far the delay is from where it was before.
    sum: f64,
    began: f64,
    /// The present watch, and the least that the one before saw.
    watch_began: f64,
    groups: u32,
    least: f64,
    least_before: Option<f64>,
}

/// What a difference of delay turned out to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// A change like any other, in milliseconds.
    Change(f64),
    /// Held back.
    Wait,
    /// The delay is greater by this from now on, without a queue; the rest is a change.
    Level { level: f64, change: f64 },
}

/// See the module's description.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Jump {
    held: Option<Held>,
}

impl Jump {
    /// Judges the delay of a group against that of the one before, `left` after which it was sent and whose
    /// bytes take `own` on the path, all in milliseconds.
    pub(super) fn judge(&mut self, at: f64, delta: f64, left: f64, own: Option<f64>) -> Verdict {
        let leaps = own.is_some_and(|own| delta > LEAST_MS.max(SLOWER * own - left));
        let Some(held) = &mut self.held else {
            if leaps {
                self.held = Some(Held {
                    sum: delta,
                    began: at,
                    watch_began: at,
                    groups: 0,
                    least: f64::INFINITY,
                    least_before: None,
                });
                return Verdict::Wait;
            }
            return Verdict::Change(delta);
        };
        held.sum += delta;
        held.least = held.least.min(held.sum);
        held.groups += 1;
        let verdict = if leaps {
            Verdict::Change(held.sum)
        } else {
            held.watch(at)
        };
        if verdict != Verdict::Wait {
            self.held = None;
        }
        verdict
    }
}

impl Held {
    fn watch(&mut self, at: f64) -> Verdict {
        if at - self.watch_began < WATCH_MS || self.groups < WATCH_GROUPS {
            return Verdict::Wait;
        }
        let least = self.least;
        let risen = self.least_before.map(|before| least - before);
        let falls = risen.is_some_and(|risen| risen < -SLOPE_MS);
        match risen {
            Some(risen) if risen > SLOPE_MS => Verdict::Change(self.sum),
            Some(_) if !falls || at - self.began > WATCH_MS_MAX => Verdict::Level {
                level: least.max(0.0),
                change: self.sum - least.max(0.0),
            },
            _ => {
                self.least_before = Some(least);
                (self.least, self.groups, self.watch_began) = (f64::INFINITY, 0, at);
                Verdict::Wait
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of 33 ms that take ten on the path, with these delays.
    fn run(delays: &[f64]) -> Vec<Verdict> {
        let mut jump = Jump::default();
        let pairs = delays.windows(2).zip(0_u32..);
        pairs
            .map(|(pair, number)| {
                let at = f64::from(number) * 33.0 + pair[1];
                jump.judge(at, pair[1] - pair[0], 33.0, Some(20.0))
            })
            .collect()
    }

    #[test]
    fn a_step_is_a_level_and_a_stall_is_nothing() {
        let step = [&[5.0; 3][..], &[100.0; 12]].concat();
        let verdicts = run(&step);
        let level = verdicts.iter().find(|v| matches!(v, Verdict::Level { .. }));
        let expected = Verdict::Level {
            level: 95.0,
            change: 0.0,
        };
        assert_eq!(level, Some(&expected));
        let changes = verdicts
            .iter()
            .filter(|v| matches!(v, Verdict::Change(c) if *c != 0.0));
        assert_eq!(changes.count(), 0);
        let stall = [&[5.0; 3][..], &[300.0, 267.0, 234.0, 120.0], &[5.0; 20]].concat();
        let verdicts = run(&stall);
        let level = verdicts.iter().find(|v| matches!(v, Verdict::Level { .. }));
        let expected = Verdict::Level {
            level: 0.0,
            change: 0.0,
        };
        assert_eq!(level, Some(&expected));
    }

    #[test]
    fn a_queue_counts_in_full_as_soon_as_it_grows_on() {
        let queue: Vec<f64> = (0..10)
            .map(|number| 5.0 + 60.0 * f64::from(number))
            .collect();
        assert_eq!(run(&queue)[..2], [Verdict::Wait, Verdict::Change(120.0)]);
        let slower = [
            5.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0, 130.0,
        ];
        let verdicts = run(&slower);
        assert!(
            verdicts
                .iter()
                .any(|v| matches!(v, Verdict::Change(c) if *c > 80.0))
        );
        assert!(!verdicts.iter().any(|v| matches!(v, Verdict::Level { .. })));
    }
}
