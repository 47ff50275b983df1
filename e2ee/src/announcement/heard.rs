//! What a device remembers of what it heard, so that nothing is played twice.

use std::collections::BTreeMap;

use crate::time::UnixMs;

/// Far more than a household announces while one counts; with a full memory none is taken.
pub const HEARD_MAX: usize = 256;

/// The announcements that were taken, for as long as they could count.
#[derive(Debug)]
pub struct Heard<Id> {
    until: BTreeMap<Id, UnixMs>,
}

/// Why an announcement is not taken though it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeardError {
    #[error("the announcement was heard before")]
    Before,
    #[error("too many announcements in a short time")]
    Full,
}

impl<Id> Default for Heard<Id> {
    fn default() -> Self {
        let until = BTreeMap::new();
        Self { until }
    }
}

impl<Id: Ord> Heard<Id> {
    /// Has it know one that was taken before a restart, which counts until then.
    pub fn restore(&mut self, id: Id, until: UnixMs) {
        if self.until.len() < HEARD_MAX {
            self.until.insert(id, until);
        }
    }

    /// Takes one that was opened, and that counts until then.
    ///
    /// # Errors
    /// When it was taken before, or the memory is full.
    pub fn take(&mut self, id: Id, counts_until: UnixMs, now: UnixMs) -> Result<(), HeardError> {
        self.until.retain(|_, until| *until >= now);
        if self.until.contains_key(&id) {
            return Err(HeardError::Before);
        }
        if self.until.len() >= HEARD_MAX {
            return Err(HeardError::Full);
        }
        self.until.insert(id, counts_until);
        Ok(())
    }
}
