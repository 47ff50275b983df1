//! What can go wrong with live announcements.

use crate::domain::announcements::AnnounceError;
use crate::domain::calls::BeginLiveError;

/// Why nothing is announced live.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// As nothing would be announced at all.
    #[error(transparent)]
    Announce(#[from] AnnounceError),
    /// It does not begin.
    #[error(transparent)]
    Begin(#[from] BeginLiveError),
    /// Every device that it is for is away or on do not disturb.
    #[error("no device that it is for can hear it now")]
    NobodyHears,
}
