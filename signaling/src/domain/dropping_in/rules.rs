//! On which of a person's devices somebody drops in, and what they are told of a refusal.

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::DropInRefusal;

use crate::model::UnixMillis;

/// A device that could be the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) device: DeviceId,
    /// When somebody was last near it, if that was lately.
    pub(super) near: Option<UnixMillis>,
    /// Which of them came last: the highest.
    pub(super) came: u64,
}

/// The most recently active one, else the one that spoke last; never more than one.
pub(super) fn choose(candidates: impl Iterator<Item = Candidate>) -> Option<DeviceId> {
    let best = candidates.max_by_key(|one| (one.near, one.came));
    best.map(|one| one.device)
}

/// What the one who drops in is told: the household by name, others only whether somebody there said no.
pub(super) fn told(refusal: DropInRefusal, family: bool) -> DropInRefusal {
    match refusal {
        _ if family => refusal,
        DropInRefusal::TurnedAway => refusal,
        _ => DropInRefusal::Unavailable,
    }
}
