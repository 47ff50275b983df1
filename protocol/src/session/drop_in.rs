//! Who may drop in on a household, and a drop-in, as members and devices see them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{DeviceId, GrantId};
use crate::{Blob, Handle};

/// A grant of the own household, in its newest revision. Devices and apps go by the signed statement alone;
/// one that was revoked is shown until no earlier revision of it could count any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DropInGrant {
    /// Chosen by the app that gave it.
    pub id: GrantId,
    /// What an adult's app signed (docs/drop-in.md).
    pub statement: Blob,
}

/// How far a drop-in has come, as its target says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DropInStage {
    /// It has chimed, and somebody there may say yes or no. No sound; the picture, if any, is frosted.
    Knocking,
    /// Sound both ways; the picture is frosted.
    Frosted,
    /// Sound both ways; the picture is clear, where there is one.
    Clear,
    /// Somebody there has hushed it: no sound either way.
    Hushed,
}

/// Why nothing of a target was heard or seen, in the words of the target itself (docs/drop-in.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DropInRefusal {
    /// Drop-in is switched off at the device.
    Off,
    /// Who asks could not be verified: certificate, signature, key package, call or time do not fit.
    Initiator,
    /// The asking device is none of the household any more.
    NotInHousehold,
    /// No grant lets them.
    NoGrant,
    /// The grant that the server showed was signed by nobody, or can't be read.
    Forged,
    /// It is another household's.
    OtherHousehold,
    /// Its signer is no adult of the household any more.
    SignerMayNot,
    /// It is older than one seen before.
    Replayed,
    /// It was revoked.
    Revoked,
    /// It was ended at the device, or everyone was put out.
    EndedHere,
    /// It was signed in the future.
    NotYet,
    /// It has expired.
    Expired,
    /// It is to somebody who is no contact any more, or has another key now.
    NotAContact,
    /// It covers other devices.
    OtherDevice,
    /// It counts at other hours.
    OutsideHours,
    /// It covers sound only.
    SoundOnly,
    /// The device is in a call or a drop-in.
    Busy,
    /// The device is on do not disturb.
    Quiet,
    /// It knocked, and somebody said no, or nobody said yes.
    TurnedAway,
    /// Tone or light could not be given: then nothing opens.
    NoSignal,
    /// The device did not answer in time, or went away. Said by the server. To whoever is of another
    /// household this stands for every other reason but `turned_away`.
    Unavailable,
    /// They are new in the contact's household, and no adult here has said yet that they may too.
    NewMember,
}

/// Where a ledger of one target device ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LedgerHead {
    /// Whose.
    pub device: DeviceId,
    /// How many entries it has.
    #[ts(type = "number")]
    pub length: u64,
}

/// Somebody was near lately, rounded: it says no more than a household wants to give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NearDevice {
    /// Which of the own household's devices; absent for another household, of which devices are not told.
    pub device: Option<DeviceId>,
    /// Whose it is, if it is another household's: the person's handle.
    pub handle: Option<Handle>,
    /// Within the last five minutes or the five before: 0 or 5.
    pub minutes_ago: u8,
}

/// What a home device noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Somebody spoke to it or touched it.
    Interaction,
    /// Its camera or motion sensor saw something move. Not said while its camera is off or covered.
    Motion,
}
