//! What a device remembers of what it heard, so that nothing is played twice.

use std::collections::BTreeMap;

use homeline_protocol::id::{AnnouncementId, CallId};

use super::live::LiveAnnouncement;
use super::statement::Announcement;
use crate::time::UnixMs;

/// Far more than a household announces while one counts; with a full memory none is taken.
pub const HEARD_MAX: usize = 256;

/// The announcements that were taken, for as long as they could count.
#[derive(Debug, Default)]
pub struct Heard(Memory<AnnouncementId>);

/// The same of those that were heard while they were spoken.
#[derive(Debug, Default)]
pub struct LiveHeard(Memory<CallId>);

#[derive(Debug)]
struct Memory<Id> {
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

impl Heard {
    /// Takes one that was opened.
    ///
    /// # Errors
    /// When it was taken before, or the memory is full.
    pub fn take(&mut self, said: &Announcement, now: UnixMs) -> Result<(), HeardError> {
        self.0.take(said.id, said.counts_until(), now)
    }
}

impl LiveHeard {
    /// Takes one that was opened.
    ///
    /// # Errors
    /// When it was taken before, or the memory is full.
    pub fn take(&mut self, said: &LiveAnnouncement, now: UnixMs) -> Result<(), HeardError> {
        self.0.take(said.call, said.counts_until(), now)
    }
}

impl<Id> Default for Memory<Id> {
    fn default() -> Self {
        let until = BTreeMap::new();
        Self { until }
    }
}

impl<Id: Ord> Memory<Id> {
    fn take(&mut self, id: Id, counts_until: UnixMs, now: UnixMs) -> Result<(), HeardError> {
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
