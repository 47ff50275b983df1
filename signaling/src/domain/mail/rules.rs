//! When a mail is tried again, and when no more.

use std::time::Duration;

use crate::model::UnixMillis;

/// After the first failure; doubled after each further one.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// Waits grow no longer: a mail server that is back is noticed within the hour.
const WAIT_MAX: Duration = Duration::from_secs(60 * 60);
/// A mail that could not be sent for so long is given up.
pub(super) const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// When to try again after so many failed tries; never, once a day has passed. The last try is at the
/// end of that day.
pub(super) fn next_try(created: UnixMillis, tries: u32, now: UnixMillis) -> Option<UnixMillis> {
    let end = created.plus(GIVE_UP_AFTER);
    if now >= end {
        return None;
    }
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
    Some(now.plus(doubled.min(WAIT_MAX)).min(end))
}
