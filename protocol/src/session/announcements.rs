//! Announcements as devices and the server speak of them. What is said in one, only devices can read.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Blob;
use crate::id::{AnnouncementId, DeviceId};

/// Where something is announced. Never at the device that announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AnnounceTo {
    /// At every home device of the own household.
    Home,
    /// At one.
    Device {
        /// Which.
        device: DeviceId,
    },
    /// At those whose settings name this room, in capitals or not.
    Zone {
        /// As the settings say it; 1 to 64 characters.
        room: String,
    },
}

/// What a device takes sealed things with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceSealingKey {
    /// Whose it is.
    pub device: DeviceId,
    /// What the device signed (docs/announcements.md).
    pub statement: Blob,
}

/// An announcement, as a device that it is for is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Announced {
    /// Chosen by the device that announces.
    pub announcement: AnnouncementId,
    /// What it signed (docs/announcements.md).
    pub statement: Blob,
    /// When all begin to play it, by the server's clock, Unix milliseconds. Passed: at once.
    #[ts(type = "number")]
    pub begin_at_ms: u64,
    /// Then it is deleted, and played nowhere any more.
    #[ts(type = "number")]
    pub expires_at_ms: u64,
    /// False: do not disturb was on when it was announced. It is not played, and may be offered.
    pub play: bool,
}

/// What becomes of an announcement at a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AnnouncementFate {
    /// The device was told.
    Told,
    /// It has no session; it is told if it connects while the announcement is fresh.
    Away,
    /// Do not disturb is on: nothing is played there, and the device may offer it afterwards. What was
    /// said live is never offered.
    Quiet,
    /// It is in a call, or hears another announcement live: this one is not heard there. Of live ones only.
    Busy,
}

/// A device that an announcement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AnnouncementReceiver {
    /// Which.
    pub device: DeviceId,
    /// What becomes of it there.
    pub fate: AnnouncementFate,
}

/// What a device made of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AnnouncementHeard {
    /// It was played to its end.
    Played,
    /// It was shown.
    Shown,
    /// It was put aside: somebody did not want it, or the device could not take it.
    PutAside,
}
