//! Do not disturb at this device: by its own switch, everywhere, or by its person's weekly times; and what
//! waits when these times end. It is told the time.

use std::sync::Arc;
use std::time::Duration;

use homeline_e2ee::drop_in::{Hours, Window};
use homeline_e2ee::time::UnixMs;
use homeline_protocol::session::{QuietSchedule, Weekday};
use tokio::sync::{mpsc, watch};

use super::hearing::settle;
use crate::client::{ClientEvent, Shared, State};

/// So far ahead the end of the times is looked for; then again. A timer of a day is as good as any.
const AHEAD_MINUTES: u64 = 24 * 60;

/// After the end by the own clock: the server's may be this much behind, and hold back until then.
const SLACK_MS: u64 = 5_000;

/// Whether nothing is to sound at the own device now.
pub(crate) fn is_quiet(shared: &Shared) -> bool {
    let (own, now) = (shared.device(), shared.hearing().clock.time_of_day());
    let state = shared.state();
    let mut devices = state.household.devices().iter();
    let own = devices.find(|one| one.id == own);
    own.is_some_and(|own| own.settings.do_not_disturb)
        || state.household.settings().do_not_disturb.everywhere
        || times(&state).is_some_and(|times| times.are_open(now))
}

/// Until the client is over: takes what waits whenever the times end. `changed`: the household did.
pub(crate) async fn take_after_quiet_times(
    shared: Arc<Shared>,
    events: mpsc::Sender<ClientEvent>,
    mut changed: watch::Receiver<()>,
) {
    loop {
        let next = Next::of(&shared);
        tokio::select! {
            () = tokio::time::sleep(next.after), if next.times => {
                if next.ends {
                    settle(shared.clone(), events.clone()).await;
                }
            }
            changed = changed.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// When to look again, and whether the times have ended then.
#[derive(Debug, PartialEq, Eq)]
struct Next {
    times: bool,
    ends: bool,
    after: Duration,
}

impl Next {
    fn of(shared: &Shared) -> Self {
        let now = shared.hearing().clock.time_of_day();
        let times = times(&shared.state());
        Self::at(times.as_ref(), now)
    }

    fn at(times: Option<&Hours>, now: UnixMs) -> Self {
        // One that has just ended still waits for the server's clock.
        let before = UnixMs(now.0.saturating_sub(SLACK_MS));
        let end = times.and_then(|times| times.end_within(before, AHEAD_MINUTES));
        let wait_ms = end.map_or(AHEAD_MINUTES * 60_000, |end| end.plus(SLACK_MS).since(now));
        Self {
            times: times.is_some(),
            ends: end.is_some(),
            // Past the end, so that it does not come twice.
            after: Duration::from_millis(wait_ms + 1),
        }
    }
}

fn times(state: &State) -> Option<Hours> {
    let schedule = state.household.settings().do_not_disturb.schedule.as_ref();
    schedule.and_then(hours)
}

/// `None`: no times, or such as the server would not have taken.
fn hours(schedule: &QuietSchedule) -> Option<Hours> {
    let windows = schedule.windows.iter().map(|window| Window {
        days: window.days.iter().fold(0, |days, day| days | bit(*day)),
        from_minute: window.from_minute,
        to_minute: window.to_minute,
    });
    Hours::new(schedule.time_zone.clone(), windows.collect()).ok()
}

fn bit(day: Weekday) -> u8 {
    match day {
        Weekday::Monday => 1,
        Weekday::Tuesday => 2,
        Weekday::Wednesday => 4,
        Weekday::Thursday => 8,
        Weekday::Friday => 16,
        Weekday::Saturday => 32,
        Weekday::Sunday => 64,
    }
}

#[cfg(test)]
mod tests {
    use homeline_protocol::session::QuietWindow;

    use super::*;

    /// Monday, 26 October 2026, midnight UTC.
    const MONDAY: UnixMs = UnixMs(1_792_972_800_000);
    const MINUTE_MS: u64 = 60_000;

    fn nights() -> Hours {
        let window = QuietWindow {
            days: vec![Weekday::Sunday, Weekday::Monday],
            from_minute: 22 * 60,
            to_minute: 7 * 60,
        };
        let schedule = QuietSchedule {
            time_zone: "UTC".to_owned(),
            windows: vec![window],
        };
        hours(&schedule).unwrap()
    }

    // req: ANN-4
    #[test]
    fn what_waits_is_asked_for_once_after_the_times_end_whether_or_not_they_have_begun() {
        let nights = nights();
        let at = |now| Next::at(Some(&nights), now);
        let ends_in = |ms| Next {
            times: true,
            ends: true,
            after: Duration::from_millis(ms + SLACK_MS + 1),
        };
        let seven = 7 * 60 * MINUTE_MS;
        assert_eq!(at(MONDAY), ends_in(seven));
        assert_eq!(at(MONDAY.plus(seven - 1)), ends_in(1));
        // The server may still be at it.
        assert_eq!(at(MONDAY.plus(seven)), ends_in(0));
        // By day the end of the next night counts.
        let noon = MONDAY.plus(12 * 60 * MINUTE_MS);
        assert_eq!(at(noon), ends_in(19 * 60 * MINUTE_MS));
        // And then it is not asked for twice.
        let after = MONDAY.plus(seven + SLACK_MS + 1);
        assert!(at(after).after > Duration::from_secs(23 * 3600));
        let tuesday_noon = noon.plus(24 * 60 * MINUTE_MS);
        assert!(!at(tuesday_noon).ends);
        assert!(!Next::at(None, MONDAY).times);
    }
}
