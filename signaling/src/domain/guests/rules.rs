//! What a link may be.

use std::time::Duration;

use crate::model::{UnixMillis, is_name};

/// Links of one person that have not ended; a further one is refused until one ends.
pub(super) const LINKS_MAX: usize = 20;
/// How far ahead a link may end.
const LINK_LIFETIME_MAX: Duration = Duration::from_hours(30 * 24);

pub(super) const BAD_LABEL: &str = "A call link's name has 1 to 64 characters.";
pub(super) const BAD_END: &str =
    "A call link ends in the future, and in 30 days at the latest. Choose another time.";

/// Whether a link can be called so and end then.
pub(super) fn check(
    label: &str,
    expires_at: UnixMillis,
    now: UnixMillis,
) -> Result<(), &'static str> {
    if !is_name(label) {
        return Err(BAD_LABEL);
    }
    if expires_at <= now || expires_at > now.plus(LINK_LIFETIME_MAX) {
        return Err(BAD_END);
    }
    Ok(())
}
