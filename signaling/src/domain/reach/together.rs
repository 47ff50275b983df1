//! Whether a child and somebody else may be in one call, whoever rang whom.
//!
//! `rules` and `company` decide before anything rings. This is asked again when an adult changes what a
//! child may while the child talks. Do not disturb and the like have no say in a call that runs.

use homeline_protocol::Handle;
use homeline_protocol::id::HouseholdId;

use super::facts::{ChildFacts, Way};
use crate::domain::guests::GUEST_HANDLE;

/// Somebody in a call, or on the way into it.
#[derive(Debug, Clone)]
pub struct Attendee {
    /// As others know them.
    pub handle: Handle,
    /// Absent where nobody has the handle.
    pub household: Option<HouseholdId>,
    /// What they may, if they are a child.
    pub child: Option<ChildFacts>,
    /// Whether they came by a call link: no child is with them.
    pub guest: bool,
}

impl Attendee {
    /// Somebody who came by a call link.
    pub(super) fn guest() -> Self {
        Self {
            handle: GUEST_HANDLE.parse().expect("it is a handle"),
            household: None,
            child: None,
            guest: true,
        }
    }

    /// Whether this person's own limits let them be in a call with another. Always, for an adult.
    #[must_use]
    pub fn may_be_with(&self, other: &Self) -> bool {
        let Some(child) = &self.child else {
            return true;
        };
        let family = self.household.is_some() && self.household == other.household;
        self.may_call() && child_meets(child, family, &other.handle, other.guest)
    }

    /// Whether they may be in any call.
    #[must_use]
    pub fn may_call(&self) -> bool {
        let may = |child: &ChildFacts| child.consented && child.may(Way::Call);
        self.child.as_ref().is_none_or(may)
    }
}

/// Whether a child's limits let it be in one call with somebody: its household, and whom an adult has
/// chosen; never a guest who came by a call link.
pub(super) fn child_meets(child: &ChildFacts, family: bool, other: &Handle, guest: bool) -> bool {
    !guest && (family || child.contacts.contains(other))
}
