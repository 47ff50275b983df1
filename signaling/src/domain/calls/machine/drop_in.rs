//! A drop-in, which is a call from the moment on in which its target has opened: the target began it, the
//! one who drops in has answered, and nobody else has a part in it.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{EndReason, Event, MediaState};

use super::answered::Introduction;
use super::call::{Call, Sort, State};
use crate::domain::calls::CallsConfig;
use crate::domain::calls::input::{Act, CallError, Effect, Invite, Moment, Rings};

/// The one who drops in.
#[derive(Debug, Clone)]
pub(in crate::domain::calls) struct Initiator {
    pub account: AccountId,
    /// Their device, and where its switches stand.
    pub rings: Rings,
    /// What it sends.
    pub media: MediaState,
    /// What lets it into the target's group.
    pub introduction: Introduction,
    /// What it is told first.
    pub told: Vec<Event>,
}

impl Call {
    /// A drop-in that its target opens. `invite` names the target as the one who calls.
    #[must_use]
    pub(in crate::domain::calls) fn opened(
        config: &CallsConfig,
        invite: Invite,
        media: MediaState,
        initiator: Initiator,
        now: Moment,
    ) -> (Self, Vec<Effect>) {
        let mut call = Self::new(config, invite, now);
        call.sort = Sort::DropIn;
        call.caller_media = media;
        let device = initiator.rings.device;
        call.switches.insert(device, initiator.rings.switches);
        let room = call.room.id;
        let mut effects = vec![Effect::Media(MediaCommand::CreateRoom { room })];
        let told = initiator.told.into_iter();
        effects.extend(told.map(|event| Effect::Tell(device, event)));
        let side = (device, initiator.account, initiator.media);
        effects.extend(call.both_are_there(now, side, initiator.introduction));
        (call, effects)
    }

    /// What can't be done to a drop-in: to the two devices it says so, to others there is no such call.
    pub(super) fn check_drop_in(&self, device: DeviceId, act: &Act) -> Result<(), CallError> {
        let State::Answered(answered) = &self.state else {
            return Ok(());
        };
        if !matches!(self.sort, Sort::DropIn) {
            return Ok(());
        }
        if answered.side(device).is_none() {
            return Err(CallError::NotFound);
        }
        match act {
            Act::Add(_) | Act::CancelAdding | Act::Move(_) | Act::WantHere => Err(
                CallError::NotYours("nobody is added to a drop-in, and it stays where it is"),
            ),
            // The key package was signed for this one asking.
            Act::Ringing { .. } => Err(CallError::NotNow(
                "a device that was reloaded drops in anew",
            )),
            _ => Ok(()),
        }
    }

    /// A device has forgotten what it was in: the group is lost with the keys in its memory. A drop-in, and
    /// what this device announces, is over; what it hears is over for it.
    pub(super) fn session_new(&mut self, now: Moment, device: DeviceId) -> Vec<Effect> {
        match &self.state {
            State::Answered(answered) if answered.side(device).is_some() => {
                self.leave(now, device, EndReason::DeviceLost)
            }
            _ => self.session(now, device, true),
        }
    }
}
