//! The rules of reaching people as a session shows them: roles, what stands at each device, do not
//! disturb, blocks, what a child may, and the top contact.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Handle;
use crate::id::{AccountId, ContactId};

/// What a member of a household is. A child's apps never have the adult right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who founded the household. An adult whose role nobody changes.
    Owner,
    /// An adult.
    Adult,
    /// A child: reaches, and is reached by, only whom the adults have chosen.
    Child,
}

/// A member of the household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Member {
    /// The id.
    pub id: AccountId,
    /// What others type.
    pub handle: Handle,
    /// What devices speak.
    pub display_name: String,
    /// What they are.
    pub role: Role,
}

/// What a device can do at all, as it told itself. Until it has: a microphone and a speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Capabilities {
    /// It can hear.
    pub microphone: bool,
    /// It can be heard.
    pub speaker: bool,
    /// It can show.
    pub screen: bool,
    /// It can see.
    pub camera: bool,
}

/// Where the camera's switch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CameraSwitch {
    /// It may see.
    On,
    /// Switched off.
    Off,
    /// The shutter is closed; the microphone may be on.
    Shutter,
}

/// A device's own switches, as it told itself. The server believes them and clamps what a call says:
/// sound of a device whose microphone is off is not forwarded, nor its picture with the camera off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Switches {
    /// False: the microphone's power is cut.
    pub microphone: bool,
    /// The camera.
    pub camera: CameraSwitch,
}

/// What stands at a device beside what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceSettings {
    /// Where it stands, as "Upstairs"; at most 64 characters, empty for nowhere in particular.
    pub room: String,
    /// Whether this one device is silent, until somebody switches it off.
    pub do_not_disturb: bool,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Its switches.
    pub switches: Switches,
    /// Whether anybody may drop in on it, whatever the grants.
    #[serde(default = "allowed")]
    pub drop_in: bool,
    /// Whether it may say that somebody is near it.
    #[serde(default = "allowed")]
    pub recently_active: bool,
}

fn allowed() -> bool {
    true
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first day of the week, as ISO 8601 counts.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

/// A stretch of time that comes every week on some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QuietWindow {
    /// On which days it begins; at least one, none twice.
    pub days: Vec<Weekday>,
    /// When it begins: minutes of the day on the wall clock, 0 to 1439.
    pub from_minute: u16,
    /// When it ends, 0 to 1439. Before the beginning, or equal to it: on the next day.
    pub to_minute: u16,
}

/// When somebody is on do not disturb every week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QuietSchedule {
    /// IANA name of the time zone whose wall clock counts, as "Europe/Berlin".
    pub time_zone: String,
    /// The windows, at most 32.
    pub windows: Vec<QuietWindow>,
}

/// Do not disturb on everything that is one person's, apps too. One device's own switch stands in its
/// settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DoNotDisturb {
    /// On now, until it is switched off.
    pub everywhere: bool,
    /// On by itself at these times.
    pub schedule: Option<QuietSchedule>,
    /// Contacts of the household who get through `everywhere` and the schedule, at most 64. A device
    /// that is silent by its own switch stays silent for them too.
    pub exceptions: Vec<ContactId>,
}

/// Whom one press calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TopContact {
    /// A contact of the household's address book.
    Contact {
        /// The contact.
        contact: ContactId,
    },
    /// Anybody, by handle.
    Person {
        /// The handle.
        handle: Handle,
    },
}

/// What one person has set for themself. Their blocks are shown to their apps only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PersonSettings {
    /// Do not disturb.
    pub do_not_disturb: DoNotDisturb,
    /// Who reaches them no more.
    pub blocked: Vec<Handle>,
    /// Whom one press calls.
    pub top_contact: Option<TopContact>,
}

/// That an adult has allowed a child to use this at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Consent {
    /// Which adult.
    pub by: AccountId,
    /// When, Unix milliseconds.
    #[ts(type = "number")]
    pub at_ms: u64,
}

/// What the adults let a child do. The own household is always allowed, as far as the switch is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChildLimits {
    /// May call and be called.
    pub calling: bool,
    /// May write and be written to, and announce.
    pub messaging: bool,
    /// May drop in, and be dropped in on.
    pub drop_in: bool,
    /// Outside the household: only these contacts, in both directions; at most 256.
    pub contacts: Vec<ContactId>,
}

/// A child of the household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Child {
    /// Who.
    pub account: AccountId,
    /// What they may.
    pub limits: ChildLimits,
    /// Without it they reach nobody and nobody reaches them.
    pub consent: Option<Consent>,
}
