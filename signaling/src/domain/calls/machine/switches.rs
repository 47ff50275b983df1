//! The switches of the devices in a call: what they let a device send, and who is told.

use std::collections::BTreeMap;

use homeline_protocol::id::DeviceId;
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{CameraSwitch, Event, MediaState, Source, Switches};

use super::call::{Call, State};
use crate::domain::calls::input::Effect;

/// Where the switches of each device stand that has a part, or is asked to.
pub(super) type Table = BTreeMap<DeviceId, Switches>;

impl Call {
    /// What a device sends of what it says it sends.
    pub(super) fn clamp(&self, device: DeviceId, said: MediaState) -> MediaState {
        clamp(&self.switches, device, said)
    }

    /// A device told where its switches stand: heeded at once, and told to the other side.
    pub(super) fn switched(&mut self, device: DeviceId, switches: Switches) -> Vec<Effect> {
        let Some(before) = self.switches.insert(device, switches) else {
            // It has no part in this call.
            self.switches.remove(&device);
            return Vec::new();
        };
        if before == switches {
            return Vec::new();
        }
        let mut effects = self.hold_tracks(device, true);
        let caller = self.invite.caller_device;
        match &self.state {
            State::Waiting(waiting) if device == caller => {
                let invited = waiting.invited.iter();
                effects.extend(invited.map(|to| self.tell_switches(*to, device)));
            }
            State::Waiting(waiting) if waiting.ringing.contains_key(&device) => {
                effects.push(self.tell_switches(caller, device));
            }
            State::Answered(answered) if answered.side(device).is_some() => {
                effects.extend(self.tell_participants());
            }
            State::Waiting(_) | State::Answered(_) | State::Ended(_) => {}
        }
        effects
    }

    /// Keeps the node from forwarding what a switch is off for. With `all`, also lets go of the rest.
    pub(super) fn hold_tracks(&self, device: DeviceId, all: bool) -> Vec<Effect> {
        let able = self.able(device);
        let on = |source: Source| match source {
            Source::Microphone => able.microphone,
            Source::Camera => able.camera,
        };
        let tracks = self.room.tracks_of(device).into_iter();
        tracks
            .map(|track| (track.track, on(track.source)))
            .filter(|(_, on)| all || !on)
            .map(|(track, on)| {
                let room = self.room.id;
                Effect::Media(MediaCommand::SetTrackForwarding { room, track, on })
            })
            .collect()
    }

    /// Says of a device what it can send, if that is not everything.
    pub(super) fn tell_switches_unless_on(&self, to: DeviceId, of: DeviceId) -> Option<Effect> {
        let able = self.able(of);
        let all = able.microphone && able.camera;
        (!all).then(|| self.tell_switches(to, of))
    }

    fn tell_switches(&self, to: DeviceId, of: DeviceId) -> Effect {
        let event = Event::CallSwitches {
            call: self.invite.call,
            device: of,
            media: self.able(of),
        };
        Effect::Tell(to, event)
    }

    fn able(&self, device: DeviceId) -> MediaState {
        able(&self.switches, device)
    }
}

/// What a device sends of what it says it sends.
pub(super) fn clamp(table: &Table, device: DeviceId, said: MediaState) -> MediaState {
    let able = able(table, device);
    MediaState {
        microphone: said.microphone && able.microphone,
        camera: said.camera && able.camera,
    }
}

fn able(table: &Table, device: DeviceId) -> MediaState {
    let switches = table.get(&device);
    MediaState {
        microphone: switches.is_none_or(|one| one.microphone),
        camera: switches.is_none_or(|one| one.camera == CameraSwitch::On),
    }
}
