//! A drop-in that was let through already, and who may see that somebody is near: the grants, the limits
//! and the blocks of `rules`, without what only keeps new ones out, such as do not disturb.

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::DeviceKind;

use super::facts::{DeviceFacts, Grant, PersonFacts, Target, World};
use super::rules::{child_keeps_out, may_leave_home};

/// Why a drop-in may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Drop-in is switched off at the device.
    Off,
    /// Nobody lets them any more.
    NotGranted,
}

/// Whether the asker may be dropped in at this device now, if they are already. `world` is the question of
/// a drop-in on it.
///
/// # Errors
/// Why not.
pub fn may_stay(world: &World, device: DeviceId) -> Result<(), Stop> {
    let (person, facts) = at(world, device).ok_or(Stop::NotGranted)?;
    if !is_let(world, person, device) {
        return Err(Stop::NotGranted);
    }
    if facts.drop_in {
        Ok(())
    } else {
        Err(Stop::Off)
    }
}

/// Whether the asker may see that somebody is near this device. Newcomers of a contact's household whom no
/// adult has confirmed do not.
#[must_use]
pub fn may_see(world: &World, device: DeviceId) -> bool {
    let named = |grant: &Grant| grant.names(world.asker.account);
    may_stay(world, device).is_ok()
        && at(world, device).is_some_and(|(person, _)| {
            let mut grants = letting(world, person, device);
            grants.any(named)
        })
}

/// The grant that lets the asker drop in on a device now: of several the one that covers what they want,
/// since the device judges by the one that it is shown.
#[must_use]
pub fn granting(world: &World, device: DeviceId, picture: bool) -> Option<&Grant> {
    let (person, _) = at(world, device)?;
    let grants = letting(world, person, device);
    let covers = |grant: &Grant| grant.picture || !picture;
    grants.max_by_key(|grant| (grant.names(world.asker.account), covers(grant)))
}

fn letting<'a>(
    world: &'a World,
    person: &'a PersonFacts,
    device: DeviceId,
) -> impl Iterator<Item = &'a Grant> {
    let by_home = |grant: &&Grant| person.household == Some(grant.by);
    let lets = move |grant: &&Grant| grant.lets(&world.asker, device, world.now);
    world.grants.iter().filter(by_home).filter(lets)
}

fn is_let(world: &World, person: &PersonFacts, device: DeviceId) -> bool {
    let asker = &world.asker;
    let child = asker.child.as_ref();
    let family = person.is_family_of(asker);
    let handle = match &world.target {
        Target::Person { handle, .. } => Some(handle),
        _ => None,
    };
    child.is_none_or(|child| child.consented && child.may(world.way))
        && (family || handle.is_some())
        && may_leave_home(asker, family, handle).is_ok()
        && !person.blocks_asker
        && child_keeps_out(world, person, family).is_none()
        && letting(world, person, device).next().is_some()
}

fn at(world: &World, device: DeviceId) -> Option<(&PersonFacts, &DeviceFacts)> {
    let (Target::Person { person, .. } | Target::Device { owner: person, .. }) = &world.target
    else {
        return None;
    };
    let person = person.as_ref()?;
    let stands = |one: &&DeviceFacts| one.device == device && one.kind == DeviceKind::HomeDevice;
    let facts = person.devices.iter().find(stands)?;
    Some((person, facts))
}
