//! One pure function that every way of reaching somebody asks first.
//!
//! It reads no table and rings nothing. Do-not-disturb, blocks and children's limits come here.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::DeviceKind;

/// Devices that one call rings at most. A person with more has the rest left out.
pub const DEVICES_MAX: usize = 32;

/// Who wants to reach somebody.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// The person.
    pub account: AccountId,
    /// From which app or device; absent for a sign-in without a key, which can't encrypt.
    pub device: Option<DeviceId>,
    /// Whether it belongs to a household: only then has it a certificate that others can check.
    pub admitted: bool,
}

/// Whom.
#[derive(Debug, Clone)]
pub struct Target {
    /// The person.
    pub account: AccountId,
    /// Every device that is theirs: their apps, and the home devices whose default person they are.
    pub devices: Vec<TargetDevice>,
}

/// A device of the person who is to be reached.
#[derive(Debug, Clone, Copy)]
pub struct TargetDevice {
    /// The device.
    pub device: DeviceId,
    /// App or home device.
    pub kind: DeviceKind,
}

/// How somebody is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which devices ring, all at once. Empty for nobody: the asker waits as long as for a person
    /// whose devices are all off, and is told the same.
    pub ring: Vec<DeviceId>,
}

/// Why nothing is tried. The words are for the asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No key: what it would say could not be encrypted.
    #[error(
        "This browser is signed in without a key of its own. Add it under \"Add a device\" first."
    )]
    NoDevice,
    /// No certificate yet.
    #[error("You are not a member of the household yet. Somebody there has to let you in first.")]
    NotAdmitted,
    /// A person's own devices do not ring for themselves.
    #[error("This is your own handle. To reach a room, call the person whose device stands there.")]
    OwnHandle,
}

/// Decides how `from` reaches `to`, who is nobody if the handle is not taken.
///
/// # Errors
/// [`Refusal`], only for what the asker knows anyway: nothing tells whether a handle is taken.
pub fn reach(from: &Asker, to: Option<&Target>) -> Result<Plan, Refusal> {
    if from.device.is_none() {
        return Err(Refusal::NoDevice);
    }
    if !from.admitted {
        return Err(Refusal::NotAdmitted);
    }
    let Some(to) = to else {
        return Ok(Plan { ring: Vec::new() });
    };
    if to.account == from.account {
        return Err(Refusal::OwnHandle);
    }
    let may_ring = |one: &&TargetDevice| Some(one.device) != from.device;
    let ring = to.devices.iter().filter(may_ring).map(|one| one.device);
    Ok(Plan {
        ring: ring.take(DEVICES_MAX).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: AccountId = AccountId([1; 16]);
    const BEN: AccountId = AccountId([2; 16]);

    fn device(number: u8, kind: DeviceKind) -> TargetDevice {
        TargetDevice {
            device: DeviceId([number; 16]),
            kind,
        }
    }

    fn asker(device: u8) -> Asker {
        Asker {
            account: ANNA,
            device: Some(DeviceId([device; 16])),
            admitted: true,
        }
    }

    #[test]
    fn all_devices_and_apps_of_a_person_ring_at_once() {
        let devices = vec![
            device(21, DeviceKind::App),
            device(22, DeviceKind::HomeDevice),
        ];
        let plan = reach(
            &asker(11),
            Some(&Target {
                account: BEN,
                devices,
            }),
        )
        .unwrap();
        assert_eq!(plan.ring, [DeviceId([21; 16]), DeviceId([22; 16])]);
    }

    #[test]
    fn nobody_is_reached_like_somebody_whose_devices_are_off() {
        let nobody = reach(&asker(11), None);
        let off = reach(
            &asker(11),
            Some(&Target {
                account: BEN,
                devices: vec![],
            }),
        );
        assert_eq!(nobody, off);
    }

    #[test]
    fn one_cannot_call_oneself_nor_without_a_key_that_others_can_check() {
        let own = Target {
            account: ANNA,
            devices: vec![device(11, DeviceKind::App)],
        };
        assert_eq!(reach(&asker(11), Some(&own)), Err(Refusal::OwnHandle));
        let keyless = Asker {
            device: None,
            ..asker(11)
        };
        assert_eq!(reach(&keyless, None), Err(Refusal::NoDevice));
        let waiting = Asker {
            admitted: false,
            ..asker(11)
        };
        assert_eq!(reach(&waiting, None), Err(Refusal::NotAdmitted));
    }

    #[test]
    fn the_number_of_devices_is_bounded() {
        let devices = (0..100)
            .map(|number| device(100 + number, DeviceKind::App))
            .collect();
        let plan = reach(
            &asker(11),
            Some(&Target {
                account: BEN,
                devices,
            }),
        )
        .unwrap();
        assert_eq!(plan.ring.len(), DEVICES_MAX);
    }
}
