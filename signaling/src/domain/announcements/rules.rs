//! Which devices are told of an announcement, decided without the store.

use std::collections::BTreeSet;
use std::time::Duration;

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::AnnouncementFate;

use super::AnnounceError;
use crate::domain::identity::AnnouncementStatement;
use crate::domain::limits::Rate;
use crate::domain::reach::{QuietFacts, Refusal, Target, World, reach};
use crate::model::UnixMillis;

/// How long one may be played or offered; then it is deleted.
pub(super) const FRESH: Duration = Duration::from_mins(5);
/// Between storing it and the moment at which all begin: enough to fetch and open a minute of sound in a
/// home, and short enough that a call to dinner feels like one.
pub(super) const LEAD: Duration = Duration::from_millis(250);
/// Fresh ones of one household; a further one is refused until the oldest is gone. At most six megabytes.
pub(super) const FRESH_MAX: i64 = 32;
/// The ciphertext of a minute of sound at 24 kbit/s in Ogg, and its tag.
pub(super) const CONTENT_BYTES_MAX: usize = 192 * 1024 + 16;
/// The ciphertext of a text.
const TEXT_BYTES_MAX: usize = 2_048 + 16;
/// 64 sealed keys and a certificate chain.
pub(in crate::domain) const STATEMENT_BYTES_MAX: usize = 16 * 1024;
/// How far an honest clock may be off.
pub(in crate::domain) const CLOCK_SKEW: Duration = Duration::from_mins(5);
/// One device announces six times at once, then every ten seconds.
pub(in crate::domain) const RATE: Rate = Rate {
    burst: 6,
    refill_secs: 10,
};
/// Devices whose rate is remembered.
pub(in crate::domain) const DEVICES_COUNTED_MAX: u32 = 10_000;

/// Whether a statement goes with its content, and is of now.
pub(super) fn check(
    said: &AnnouncementStatement,
    content: &[u8],
    now: UnixMillis,
) -> Result<(), AnnounceError> {
    let longest = if said.sound {
        CONTENT_BYTES_MAX
    } else {
        TEXT_BYTES_MAX
    };
    if content.len() > longest {
        return Err(AnnounceError::TooLong);
    }
    let at = UnixMillis(said.at_ms);
    if at > now.plus(CLOCK_SKEW) || at < now.minus(CLOCK_SKEW) {
        return Err(AnnounceError::NotNow);
    }
    if said.is_of(content) {
        Ok(())
    } else {
        Err(crate::domain::identity::StatementError::SaysOtherwise.into())
    }
}

/// Keeps of a world's devices those that stand in a zone.
pub(super) fn narrow(world: &mut World, zone: &BTreeSet<DeviceId>) {
    if let Target::Home { people } = &mut world.target {
        for person in people {
            person.devices.retain(|one| zone.contains(&one.device));
        }
    }
}

/// What becomes of an announcement at each device that can open it and that it may be heard at. `named`:
/// who can open it.
pub(in crate::domain) fn fates(
    world: &World,
    named: &[DeviceId],
) -> Result<Vec<(DeviceId, AnnouncementFate)>, Refusal> {
    // Do not disturb refuses nothing here: there it may be offered afterwards.
    let anyhow = reach(&undisturbed(world))?;
    let now = reach(world).unwrap_or_default();
    let fate = |device: DeviceId| {
        let told = now.ring.iter().any(|one| one.device == device);
        match (told, now.rings(device)) {
            (true, _) => AnnouncementFate::Told,
            (false, true) => AnnouncementFate::Away,
            (false, false) => AnnouncementFate::Quiet,
        }
    };
    let reached = named.iter().filter(|device| anyhow.rings(**device));
    let fates: Vec<_> = reached.map(|device| (*device, fate(*device))).collect();
    if fates.is_empty() {
        Err(Refusal::NoDevices)
    } else {
        Ok(fates)
    }
}

fn undisturbed(world: &World) -> World {
    let mut world = world.clone();
    let people = match &mut world.target {
        Target::Home { people } | Target::Household { people } => people.as_mut_slice(),
        Target::Device { owner: one, .. } | Target::Person { person: one, .. } => {
            one.as_mut_slice()
        }
        Target::Guest { .. } => &mut [],
    };
    for person in people {
        person.quiet = QuietFacts::default();
        for device in &mut person.devices {
            device.quiet = false;
        }
    }
    world
}
