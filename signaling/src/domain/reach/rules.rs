//! One pure function that every way of reaching somebody asks first.
//!
//! It reads no table and rings nothing. The order of the rules is the order below: what stands on the
//! asker's side is told; then what the target has decided; then what the devices can do. Outside the
//! household every obstacle of the target's gives the same plan as a handle that nobody has.

use homeline_protocol::Handle;
use homeline_protocol::id::{DeviceId, HouseholdId};
use homeline_protocol::session::DeviceKind;

use super::company::{children_here, guest_meets_all, meets_all};
use super::facts::{Asker, DeviceFacts, GuestFacts, PersonFacts, Target, Way, World};
use super::plan::{Plan, can};
use super::words::Refusal;

/// Decides how the asker reaches the target.
///
/// # Errors
/// [`Refusal`], with the words for the asker: nothing that somebody outside a household should not
/// learn. A plan that rings nothing is no error; the asker waits as long as for somebody who is away,
/// and is told the same.
pub fn reach(world: &World) -> Result<Plan, Refusal> {
    let asker = &world.asker;
    if asker.device.is_none() {
        return Err(Refusal::NoDevice);
    }
    let Some(home) = asker.household else {
        return Err(Refusal::NotAdmitted);
    };
    if let Some(child) = &asker.child {
        if !child.consented {
            return Err(Refusal::NoConsent);
        }
        if !child.may(world.way) {
            return Err(Refusal::SwitchedOff(world.way));
        }
    }
    match &world.target {
        Target::Person { handle, person } => reach_person(world, home, handle, person.as_ref()),
        Target::Device { device, owner } => reach_device(world, *device, owner.as_ref()),
        Target::Household { people } => reach_people(world, home, people),
        Target::Home { people } => reach_home(world, people),
        Target::Guest { guest } => reach_guest(world, guest.as_ref()),
    }
}

/// Only whoever made the link lets a guest in, and no child is in a call with one.
fn reach_guest(world: &World, guest: Option<&GuestFacts>) -> Result<Plan, Refusal> {
    let asker = &world.asker;
    if world.way != Way::Call {
        return Err(Refusal::NoSuchGuest);
    }
    if asker.child.is_some() {
        return Err(Refusal::ChildAsksForGuest);
    }
    let theirs = guest.filter(|guest| guest.waits && guest.maker == asker.account);
    let guest = theirs.ok_or(Refusal::NoSuchGuest)?;
    if !guest_meets_all(world) {
        return Err(Refusal::GuestApart);
    }
    Ok(Plan::of_guest(guest))
}

fn reach_person(
    world: &World,
    home: HouseholdId,
    handle: &Handle,
    person: Option<&PersonFacts>,
) -> Result<Plan, Refusal> {
    let asker = &world.asker;
    if *handle == asker.handle {
        return Err(Refusal::OwnHandle);
    }
    let family = person.is_some_and(|person| person.household == Some(home));
    may_leave_home(asker, family, Some(handle))?;
    children_here(world, home, handle, family)?;
    if world.way == Way::Announcement && !family {
        return Err(Refusal::NotHousehold);
    }
    if world.way == Way::DropIn && !person.is_some_and(|person| is_granted(world, person)) {
        return Err(Refusal::NoGrant);
    }
    let Some(person) = person else {
        return Ok(Plan::default());
    };
    if !meets_all(world, person, handle) {
        return kept_apart(person, family);
    }
    one_person(world, person, |_| true)
}

/// Somebody who may not meet those who are in the call already: a child's own family is told.
fn kept_apart(person: &PersonFacts, family: bool) -> Result<Plan, Refusal> {
    if family && person.child.is_some() {
        let person = person.name.clone();
        return Err(Refusal::ChildApart { person });
    }
    Ok(Plan {
        family,
        ..Plan::default()
    })
}

/// Everybody of a household, each by their own rules. Refused aloud only if nobody at all is reached.
fn reach_people(world: &World, home: HouseholdId, people: &[PersonFacts]) -> Result<Plan, Refusal> {
    let family = people.iter().all(|person| person.household == Some(home));
    may_leave_home(&world.asker, family, None)?;
    if world.way == Way::Announcement && !family {
        return Err(Refusal::NotHousehold);
    }
    let others = people
        .iter()
        .filter(|one| one.account != world.asker.account);
    let granted = others.filter(|one| world.way != Way::DropIn || is_granted(world, one));
    let refusal = match world.way {
        Way::DropIn => Refusal::NoGrant,
        Way::Call | Way::Message | Way::Announcement => Refusal::NoDevices,
    };
    together(world, granted, |_| true, refusal)
}

/// All home devices of the own household but the asking one. Their owners' limits and do not disturb
/// count as for a call to each.
fn reach_home(world: &World, people: &[PersonFacts]) -> Result<Plan, Refusal> {
    let asker = world.asker.device;
    let stands_there =
        |one: &DeviceFacts| one.kind == DeviceKind::HomeDevice && Some(one.device) != asker;
    let granted = people
        .iter()
        .filter(|one| one.devices.iter().any(stands_there))
        .filter(|one| world.way != Way::DropIn || is_granted(world, one));
    let refusal = if world.way == Way::DropIn && !people.iter().any(|one| is_granted(world, one)) {
        Refusal::NoGrant
    } else {
        Refusal::NoDevices
    };
    together(
        world,
        granted,
        |device| device.kind == DeviceKind::HomeDevice,
        refusal,
    )
}

fn together<'a>(
    world: &World,
    people: impl Iterator<Item = &'a PersonFacts>,
    choose: impl Fn(&DeviceFacts) -> bool,
    nobody: Refusal,
) -> Result<Plan, Refusal> {
    let mut whole = Plan {
        family: true,
        ..Plan::default()
    };
    let mut refused = None;
    let mut any = false;
    for person in people {
        any = true;
        match one_person(world, person, &choose) {
            Ok(plan) => {
                whole.family &= plan.family;
                whole.people.extend(&plan.people);
                for one in person.devices.iter().filter(|one| plan.rings(one.device)) {
                    whole.add(person, one);
                }
            }
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    let reached = !whole.people.is_empty() && !is_empty(&whole);
    match refused {
        _ if !any => Err(nobody),
        Some(refusal) if !reached => Err(refusal),
        None if whole.family && is_empty(&whole) && world.way != Way::Message => Err(nobody),
        _ => Ok(whole),
    }
}

fn reach_device(
    world: &World,
    device: DeviceId,
    owner: Option<&PersonFacts>,
) -> Result<Plan, Refusal> {
    let asker = &world.asker;
    let owner = owner.filter(|owner| owner.is_family_of(asker));
    let facts = |owner: &PersonFacts| {
        owner
            .devices
            .iter()
            .find(|one| one.device == device)
            .cloned()
    };
    let (Some(owner), Some(facts)) = (owner, owner.and_then(facts)) else {
        return Err(Refusal::NoSuchDevice);
    };
    if Some(device) == asker.device {
        return Err(Refusal::OwnDevice);
    }
    if world.way == Way::DropIn && !lets_in(world, owner, device) {
        return Err(Refusal::NoGrant);
    }
    if facts.quiet && world.way != Way::Message {
        return Err(Refusal::DeviceQuiet { label: facts.label });
    }
    if world.way == Way::DropIn && !facts.drop_in {
        return Err(Refusal::DropInOff { label: facts.label });
    }
    if !can(asker, world.way, &facts) {
        return Err(Refusal::DeviceCannot { label: facts.label });
    }
    one_person(world, owner, |one| one.device == device)
}

/// One person, by what they and their devices have decided.
fn one_person(
    world: &World,
    person: &PersonFacts,
    choose: impl Fn(&DeviceFacts) -> bool,
) -> Result<Plan, Refusal> {
    let (asker, way) = (&world.asker, world.way);
    let family = person.is_family_of(asker);
    let silence = Plan {
        family,
        ..Plan::default()
    };
    if person.household.is_none() || person.blocks_asker {
        return Ok(silence);
    }
    if let Some(refusal) = child_keeps_out(world, person, family) {
        return if family { Err(refusal) } else { Ok(silence) };
    }
    let stranger = !family && !person.knows_asker;
    if stranger && way == Way::Call && !may_still_call(world, person) {
        return Ok(silence);
    }
    let mut plan = Plan {
        people: vec![person.account],
        stranger,
        ..silence
    };
    // What somebody set for themself does not keep them from their own other devices.
    let own = person.account == asker.account;
    if !own && person.quiet.keeps_out(&asker.handle, world.now) {
        return if family && way != Way::Message {
            Err(Refusal::PersonQuiet {
                person: person.name.clone(),
            })
        } else {
            Ok(plan)
        };
    }
    let able = person
        .devices
        .iter()
        .filter(|one| choose(one) && can(asker, way, one))
        .filter(|one| way != Way::DropIn || lets_in(world, person, one.device));
    let mut silent = false;
    for device in able {
        if device.quiet {
            silent = true;
        } else {
            plan.add(person, device);
        }
    }
    if silent && is_empty(&plan) && family && way != Way::Message {
        return Err(Refusal::AllQuiet);
    }
    Ok(plan)
}

fn is_empty(plan: &Plan) -> bool {
    plan.ring.is_empty() && plan.push.is_empty() && plan.later.is_empty()
}

/// A child reaches nobody outside but the chosen contacts: by handle, so that it is told the same
/// whether anybody has it.
pub(super) fn may_leave_home(
    asker: &Asker,
    family: bool,
    to: Option<&Handle>,
) -> Result<(), Refusal> {
    let Some(child) = &asker.child else {
        return Ok(());
    };
    let chosen = to.is_some_and(|to| child.contacts.contains(to));
    if family || chosen {
        Ok(())
    } else {
        Err(Refusal::NotChosen)
    }
}

/// Why a child who is asked for can't be reached.
pub(super) fn child_keeps_out(
    world: &World,
    person: &PersonFacts,
    family: bool,
) -> Option<Refusal> {
    let child = person.child.as_ref()?;
    let name = || person.name.clone();
    if !child.consented {
        return Some(Refusal::ChildNoConsent { person: name() });
    }
    if !child.may(world.way) {
        return Some(Refusal::ChildSwitchedOff {
            person: name(),
            way: world.way,
        });
    }
    let chosen = family || child.contacts.contains(&world.asker.handle);
    (!chosen).then_some(Refusal::NotChosen)
}

fn may_still_call(world: &World, person: &PersonFacts) -> bool {
    let calls = person.stranger_calls;
    calls.from_asker < world.limits.one_an_hour && calls.from_all < world.limits.all_a_day
}

/// Whether the asker may drop in on any home device of somebody's now. One's own devices need nobody's
/// leave but the household's: HH-1 says so of a grant to oneself, and it is a grant like any other.
fn is_granted(world: &World, person: &PersonFacts) -> bool {
    let stands = |one: &&DeviceFacts| one.kind == DeviceKind::HomeDevice;
    let mut devices = person.devices.iter().filter(stands);
    devices.any(|one| lets_in(world, person, one.device))
}

/// Whether the household of a device's person has let the asker drop in on it now.
fn lets_in(world: &World, person: &PersonFacts, device: DeviceId) -> bool {
    let mut grants = world.grants.iter();
    grants.any(|grant| {
        person.household == Some(grant.by) && grant.lets(&world.asker, device, world.now)
    })
}
