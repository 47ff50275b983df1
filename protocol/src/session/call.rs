//! Calls as a session shows them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Handle;
use crate::id::{AccountId, CallId, DeviceId, TrackId};

/// Why a call ended, or why one device stopped ringing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Somebody hung up.
    HungUp,
    /// The callee declined.
    Declined,
    /// The caller gave up while it rang.
    Cancelled,
    /// It rang and nobody answered in time.
    NoAnswer,
    /// Another device of the callee answered: only that device's ringing ended.
    AnsweredElsewhere,
    /// The callee is in another call.
    Busy,
    /// No device of the own household could be reached. Whoever calls from outside hears `no_answer` for
    /// everything: away, do not disturb, blocked, and a handle that nobody has.
    Unreachable,
    /// A side's device was lost and did not come back in time.
    DeviceLost,
    /// A side's device was removed from its household in mid-call.
    DeviceRevoked,
    /// The server was restarted and the call could not go on.
    ServerRestarted,
    /// A client refused the other side's certificate or key: possibly an attack, and shown as such.
    EncryptionRefused,
    /// No media path could be made.
    MediaFailed,
    /// The call goes on at another device of the same person: only this device's part is over.
    Moved,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CallPhase {
    /// Invited; nothing rings yet.
    Inviting,
    /// At least one device rings.
    Ringing,
    /// Answered: keys and media are being set up, or are up.
    Answered,
}

/// Which way a call went, seen by the one who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// The asking account called.
    Outgoing,
    /// It was called.
    Incoming,
}

/// A person on the other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Party {
    /// Their handle.
    pub handle: Handle,
    /// What they call themselves; a contact's name, where there is one, outranks it on screens.
    pub display_name: String,
    /// Whether it is a guest who came by a call link: then the handle is nobody's, and the name what the
    /// guest said. Clients go by the certificate where they have one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub guest: bool,
}

/// A running call, as `list_calls` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RunningCall {
    /// The call.
    pub call: CallId,
    /// Which way.
    pub direction: CallDirection,
    /// The other side.
    pub party: Party,
    /// Where it stands.
    pub phase: CallPhase,
    /// Whether the asking device itself takes part (called, or answered).
    pub here: bool,
}

/// A past call in the history of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PastCall {
    /// The call.
    pub call: CallId,
    /// Which way.
    pub direction: CallDirection,
    /// The other side.
    pub party: Party,
    /// With picture?
    pub video: bool,
    /// When it began to ring, Unix milliseconds.
    #[ts(type = "number")]
    pub started_at_ms: u64,
    /// When it was answered.
    #[ts(type = "number | null")]
    pub answered_at_ms: Option<u64>,
    /// When it ended.
    #[ts(type = "number")]
    pub ended_at_ms: u64,
    /// Why it ended.
    pub reason: EndReason,
}

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Voice.
    Microphone,
    /// Picture.
    Camera,
}

/// A track that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Track {
    /// Its id.
    pub track: TrackId,
    /// Who sends it. Clients check it against the sender that the frame's key names.
    pub device: DeviceId,
    /// What it carries.
    pub source: Source,
}

/// What a device's switches stand at in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MediaState {
    /// False when muted.
    pub microphone: bool,
    /// False with video off.
    pub camera: bool,
}

/// A sending section of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PublishSection {
    /// The section's mid, at most 16 characters.
    pub mid: String,
    /// What it carries.
    pub source: Source,
}

/// A receiving section of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SubscribeSection {
    /// The section's mid, at most 16 characters.
    pub mid: String,
    /// The track wanted.
    pub track: TrackId,
}

/// Figures of the asking device's transport, for the connection-quality sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Quality {
    /// Loss towards the server in the last interval, percent.
    pub loss_up_percent: u8,
    /// Loss from the server as last reported, percent.
    pub loss_down_percent: u8,
    /// Round trip, milliseconds.
    pub round_trip_ms: Option<u32>,
}

/// Who a call is for, told apart by the field's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum Callee {
    /// A person, by handle. The app finds the handle of a contact in the signed card.
    Person {
        /// The handle.
        handle: Handle,
    },
    /// One device of the own household. The invitation is signed for its default person.
    Device {
        /// The device.
        device: DeviceId,
    },
    /// A place of the own household. The invitation is signed for the caller's own handle, which the
    /// incoming call names too.
    Place {
        /// Which.
        place: Place,
    },
    /// A guest who knocked at a call link of the caller's. The invitation is signed for the guest's
    /// device id in hexadecimal digits.
    Guest {
        /// The guest's device.
        guest: DeviceId,
    },
}

/// What can be called in the own household, beside people and devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// All home devices but the asking one.
    Home,
}

/// Who is in a call's key group, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Participant {
    /// The device.
    pub device: DeviceId,
    /// Its account.
    pub account: AccountId,
    /// Who that is, as they call themselves.
    pub party: Party,
    /// Its switches.
    pub media: MediaState,
}
