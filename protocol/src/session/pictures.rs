//! Pictures and lines of a call: how large each is shown, which encodings are wanted, how good each line is.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{DeviceId, TrackId};

/// How large a device shows a picture, in physical pixels. Of a picture of no size nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TrackView {
    /// A camera of another participant.
    pub track: TrackId,
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
}

/// How good a device's connection is for a call, and all that the others learn of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing is noticed of it.
    Good,
    /// A listener notices.
    Fair,
    /// A listener suffers.
    Poor,
}

/// The connection of another participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GradedDevice {
    /// Whose.
    pub device: DeviceId,
    /// How good.
    pub grade: Grade,
}

/// The own connection, with its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OwnConnection {
    /// How good; the others are told this word and no figure.
    pub grade: Grade,
    /// Loss towards the server in the last interval, percent.
    pub loss_up_percent: u8,
    /// Loss from the server as last reported, percent.
    pub loss_down_percent: u8,
    /// Round trip, milliseconds.
    pub round_trip_ms: Option<u32>,
    /// Jitter as last reported, milliseconds.
    pub jitter_ms: u32,
    /// What the way to this device is estimated to carry, in 1,000 bits a second.
    pub estimate_kbit_per_second: Option<u32>,
}
