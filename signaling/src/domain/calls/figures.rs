//! What is counted of calls, for `/metrics`.

use std::collections::HashMap;

use homeline_protocol::session::{CallPhase, EndReason};

/// Counts of calls at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFigures {
    /// Running calls that nothing rings for yet.
    pub inviting: usize,
    /// Running calls that ring.
    pub ringing: usize,
    /// Running calls that are answered.
    pub answered: usize,
    /// Calls begun since the start.
    pub started_total: u64,
    /// Calls ended since the start, by reason.
    pub ended_total: HashMap<EndReason, u64>,
    /// Drop-ins that their targets have opened, which are no calls here.
    pub drop_ins: OpenedFigures,
    /// Live announcements, neither.
    pub live: OpenedFigures,
}

/// Counts of what begins answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenedFigures {
    /// Those that go on.
    pub open: usize,
    /// Begun since the start.
    pub opened_total: u64,
    /// Ended since the start, by reason.
    pub ended_total: HashMap<EndReason, u64>,
}

impl CallFigures {
    pub(super) fn count(&mut self, phase: CallPhase) {
        match phase {
            CallPhase::Inviting => self.inviting += 1,
            CallPhase::Ringing => self.ringing += 1,
            CallPhase::Answered => self.answered += 1,
        }
    }
}
