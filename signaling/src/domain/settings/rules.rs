//! What may be set, decided without the store.

use std::collections::BTreeSet;

use homeline_protocol::id::{AccountId, ContactId, DeviceId};
use homeline_protocol::session::{DeviceKind, DoNotDisturb, Role};

use super::SettingsError;
use crate::domain::reach::Schedule;
use crate::model::{NAME_CHARS_MAX, Speaker, is_name};

/// Contacts who get through somebody's do not disturb. More are no exceptions any more.
pub(super) const EXCEPTIONS_MAX: usize = 64;
/// Handles that one person blocks; a further one is refused.
pub(super) const BLOCKED_MAX: usize = 1_000;

const BAD_LABEL: &str = "A device's label has 1 to 64 characters.";
const BAD_ROOM: &str = "A room has at most 64 characters.";
const BAD_EXCEPTIONS: &str = "At most 64 contacts get through, none named twice.";

pub(super) fn check_label(label: &str) -> Result<(), SettingsError> {
    if is_name(label) {
        Ok(())
    } else {
        Err(SettingsError::Field(BAD_LABEL))
    }
}

/// As names, but it may be empty.
pub(super) fn check_room(room: &str) -> Result<(), SettingsError> {
    let short = room.chars().take(NAME_CHARS_MAX + 1).count() <= NAME_CHARS_MAX;
    if short && !room.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(SettingsError::Field(BAD_ROOM))
    }
}

pub(super) fn check_do_not_disturb(said: &DoNotDisturb) -> Result<(), SettingsError> {
    let different: BTreeSet<&ContactId> = said.exceptions.iter().collect();
    if said.exceptions.len() > EXCEPTIONS_MAX || different.len() < said.exceptions.len() {
        return Err(SettingsError::Field(BAD_EXCEPTIONS));
    }
    if let Some(schedule) = &said.schedule {
        Schedule::try_from(schedule)?;
    }
    Ok(())
}

/// Whether a speaker may make this device silent: the device itself, any app of its household, and a
/// child's app only what is the child's.
pub(super) fn may_silence(
    speaker: &Speaker,
    role: Role,
    device: DeviceId,
    whose: AccountId,
) -> Result<(), SettingsError> {
    if speaker.device == Some(device) {
        return Ok(());
    }
    if speaker.kind != DeviceKind::App {
        return Err(SettingsError::NotApp);
    }
    if role == Role::Child && whose != speaker.account {
        return Err(SettingsError::NotYours);
    }
    Ok(())
}
