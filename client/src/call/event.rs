//! What a call tells the program that makes it.

use homeline_e2ee::member::{Refusal, StopReason, Warning};
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{
    AnnouncementReceiver, DropInRefusal, DropInStage, EndReason, MediaState,
};

use crate::home::Person;

/// Something that happened in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// To the caller: a device of the callee rings.
    Ringing,
    /// Answered; keys are on their way.
    Answered,
    /// Keys are up. Both sides show the same code; compare it to be sure who is there.
    Secured { code: String, with: Person },
    /// The media connection is up, or gone for the moment.
    Media { connected: bool },
    /// Media has found no way to the server so far, and what went wrong with each that was tried. Trying
    /// goes on; somebody may have to change something in the network.
    NoWay { troubles: Vec<String> },
    /// The other side's switches.
    PartyMedia { device: DeviceId, media: MediaState },
    /// The other side's connection is lost, or back.
    PartyConnection { device: DeviceId, connected: bool },
    /// Another participant is there, as they call themselves; the server's word.
    Joined { device: DeviceId, party: Person },
    /// A participant left, and the call goes on.
    Left { device: DeviceId },
    /// A device of the person who is being added rings.
    AddingRings,
    /// The server does not let this device add or move now: its words, for people. What comes of it
    /// follows as `NotAdded` or `NotMoved`.
    Denied { words: String },
    /// The person who was to be added does not come.
    NotAdded(EndReason),
    /// The call stays here, and does not go on at that device.
    NotMoved { device: DeviceId, reason: EndReason },
    /// To the one who drops in: the target has opened, and what it is called.
    DropInOpened { device: DeviceId, label: String },
    /// To the one who drops in: how far it has come.
    DropInStage(DropInStage),
    /// To the one who drops in: nothing of the target will be heard or seen, and why.
    DropInRefused(DropInRefusal),
    /// To whoever announces live: the devices were told, and what becomes of it at each. `Joined` and `Left`
    /// say who hears it.
    Announced {
        receivers: Vec<AnnouncementReceiver>,
    },
    /// To whoever announces live: a device that was told will not hear it.
    LiveDeclined { device: DeviceId },
    /// Something is wrong with the keys; people should know.
    Warning(CallWarning),
    /// The encryption was refused, and the call ends: possibly an attack. To be shown loudly.
    Refused(RefusedBecause),
    /// Frames did not decrypt; how many so far.
    FramesLost { total: u64 },
    /// The call, or this device's part in it, is over. The last event.
    Ended(EndReason),
}

/// What is wrong with a call's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallWarning {
    #[error("somebody may be in another group of this call: compare the call code")]
    Fork,
    #[error("the server holds back the removal of a device; nothing is sent until it is gone")]
    RemovalWithheld,
    #[error("nothing is sent: the keys of this call are not right")]
    NotSending,
}

/// Why a call's encryption was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedBecause {
    #[error("a device of a household that was not invited was put into the call")]
    NotInvited,
    #[error("a device whose certificate is not genuine was put into the call")]
    NotGenuine,
    #[error("the answering device's key does not belong to this call")]
    WrongKey,
    #[error("the other household's key is not the one that was pinned for this contact")]
    KeyChanged,
    #[error("the keys that came over the server do not lead into the call")]
    BadKeys,
}

impl From<&Refusal> for RefusedBecause {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotInvited(_) => Self::NotInvited,
            Refusal::NotGenuine(_) => Self::NotGenuine,
            Refusal::BadKeyPackage => Self::WrongKey,
        }
    }
}

impl CallWarning {
    /// `None`: not a warning but an end.
    pub(super) fn of(warning: Warning) -> Option<Self> {
        match warning {
            Warning::Fork => Some(Self::Fork),
            Warning::RemoveWithheld => Some(Self::RemovalWithheld),
            Warning::InvalidCommit | Warning::InvalidWelcome => None,
        }
    }

    pub(super) fn of_stop(reason: StopReason) -> Option<Self> {
        match reason {
            StopReason::RemoveWithheld => Some(Self::RemovalWithheld),
            StopReason::InvalidCommit => Some(Self::NotSending),
            StopReason::Removed => None,
        }
    }
}
