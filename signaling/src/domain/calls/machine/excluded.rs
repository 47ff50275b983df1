//! Somebody may be in a call no longer: a child's limits, or a block, while it rings or runs.

use homeline_protocol::id::{AccountId, DeviceId};
use homeline_protocol::session::EndReason;

use super::call::{Call, State};
use crate::domain::calls::input::{Effect, Moment};

impl Call {
    /// The person leaves, as if they had hung up; between two that ends the call. What rings them falls
    /// silent, and whoever rings them hears what they would hear of an empty house.
    pub(super) fn excluded(
        &mut self,
        now: Moment,
        account: AccountId,
        devices: &[DeviceId],
    ) -> Vec<Effect> {
        match &mut self.state {
            State::Waiting(_) if self.invite.caller.id == account => {
                self.end(now, EndReason::Cancelled)
            }
            State::Waiting(waiting) => {
                let rung = devices.iter().copied();
                let silenced: Vec<_> = rung.filter(|one| waiting.invited.contains(one)).collect();
                for device in &silenced {
                    waiting.forget(*device);
                }
                self.silence(silenced)
            }
            State::Answered(answered) => {
                let own = answered.participants.iter();
                let own = own.filter(|side| side.account == account);
                let own: Vec<_> = own.map(|side| side.device).collect();
                let mut silenced = Vec::new();
                if let Some(leg) = &mut answered.leg
                    && leg.adding.account == Some(account)
                {
                    leg.waiting.ringing.clear();
                    silenced.extend(std::mem::take(&mut leg.waiting.invited));
                }
                let mut effects = self.silence(silenced);
                for device in own {
                    effects.extend(self.leave(now, device, EndReason::HungUp));
                }
                effects
            }
            State::Ended(_) => Vec::new(),
        }
    }

    fn silence(&mut self, devices: Vec<DeviceId>) -> Vec<Effect> {
        let told = devices.into_iter();
        told.flat_map(|device| self.told_off(device, EndReason::Cancelled))
            .collect()
    }
}
