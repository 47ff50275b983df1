//! Those who are in the call already, when somebody is added to it: whoever comes talks with all of
//! them, not only with the one who asks.
//!
//! A child meets nobody outside its household but its chosen contacts, whoever brings them, and nobody
//! meets somebody whom they have blocked. No child meets a guest who came by a call link. Only a child's own family is told.

use homeline_protocol::Handle;
use homeline_protocol::id::HouseholdId;

use super::facts::{Companion, PersonFacts, World};
use super::together::child_meets;
use super::words::Refusal;

/// What the asker may know beforehand: a child of their own household takes part, and the target is
/// no contact of it. By handle, so that it is told the same whether anybody has it.
pub(super) fn children_here(
    world: &World,
    home: HouseholdId,
    handle: &Handle,
    family: bool,
) -> Result<(), Refusal> {
    let own = |one: &&Companion| one.household == Some(home);
    let mut children = world.company.iter().filter(own);
    let kept_apart = |one: &Companion| {
        let child = one.child.as_ref();
        child.is_some_and(|child| !child_meets(child, family, handle, false))
    };
    if children.any(kept_apart) {
        return Err(Refusal::ChildInCall);
    }
    Ok(())
}

/// Whether the target may talk with everybody who is there.
pub(super) fn meets_all(world: &World, person: &PersonFacts, handle: &Handle) -> bool {
    world.company.iter().all(|one| meets(one, person, handle))
}

/// Whether no child is there, whom a guest never meets.
pub(super) fn guest_meets_all(world: &World) -> bool {
    world.company.iter().all(|one| one.child.is_none())
}

fn meets(one: &Companion, person: &PersonFacts, handle: &Handle) -> bool {
    let family = one.household.is_some() && one.household == person.household;
    let (theirs, own) = (one.child.as_ref(), person.child.as_ref());
    !one.blocked
        && theirs.is_none_or(|child| child_meets(child, family, handle, false))
        && own.is_none_or(|child| child_meets(child, family, &one.handle, one.guest))
}
