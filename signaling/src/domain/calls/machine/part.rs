//! Who has a part in an answered call, as the other calls must know it.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::Callee;

use super::call::{Call, State};

/// Everybody who has a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::domain::calls) struct Part {
    /// The participants.
    pub present: Vec<(DeviceId, AccountId)>,
    /// The person who is being added.
    pub coming: Option<Coming>,
    /// Devices that were asked to take a part over.
    pub moving: Vec<DeviceId>,
}

/// Somebody who is being added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::domain::calls) struct Coming {
    /// Who.
    pub account: AccountId,
    /// As it was asked for.
    pub to: Callee,
    /// By whom.
    pub by: Someone,
}

/// A device and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain::calls) struct Someone {
    /// The person.
    pub account: AccountId,
    /// Their device.
    pub device: DeviceId,
}

impl Call {
    /// Who has a part by now. Nobody has before the answer.
    #[must_use]
    pub(in crate::domain::calls) fn part(&self) -> Part {
        let State::Answered(answered) = &self.state else {
            return Part::default();
        };
        let present = answered
            .participants
            .iter()
            .map(|side| (side.device, side.account))
            .collect();
        let ringing = answered.leg.as_ref().filter(|leg| !leg.adding.full);
        let coming = ringing.and_then(|leg| {
            let by = answered.side(leg.inviter)?;
            let by = Someone {
                account: by.account,
                device: by.device,
            };
            Some(Coming {
                account: leg.adding.account?,
                to: leg.adding.to.clone(),
                by,
            })
        });
        let moving = answered.moves.keys().copied().collect();
        Part {
            present,
            coming,
            moving,
        }
    }
}
