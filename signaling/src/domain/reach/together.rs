//! Whether a child and somebody else may be in one call, whoever rang whom.
//!
//! `rules` decides before anything rings. This is asked again where people come together whom no ring
//! brings together: somebody is added to a call in which a child is, or an adult changes what a child
//! may while the child talks. Do not disturb and the like have no say in a call that runs.

use homeline_protocol::Handle;
use homeline_protocol::id::HouseholdId;

use super::facts::{ChildFacts, Way};

/// Somebody in a call, or on the way into it.
#[derive(Debug, Clone)]
pub struct Companion {
    /// As others know them.
    pub handle: Handle,
    /// What they call themselves.
    pub name: String,
    /// Absent where nobody has the handle.
    pub household: Option<HouseholdId>,
    /// What they may, if they are a child.
    pub child: Option<ChildFacts>,
}

impl Companion {
    /// Whether this person's own limits let them be in a call with another. Always, for an adult.
    #[must_use]
    pub fn may_be_with(&self, other: &Self) -> bool {
        let Some(child) = &self.child else {
            return true;
        };
        let family = self.household.is_some() && self.household == other.household;
        self.may_call() && (family || child.contacts.contains(&other.handle))
    }

    /// Whether they may be in any call.
    #[must_use]
    pub fn may_call(&self) -> bool {
        let may = |child: &ChildFacts| child.consented && child.may(Way::Call);
        self.child.as_ref().is_none_or(may)
    }
}
