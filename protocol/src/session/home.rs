//! People, households, devices and contacts as a session shows them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::{Child, DeviceSettings, DropInGrant, Member, PersonSettings};
use crate::id::{AccountId, ContactId, DeviceId, HouseholdId, InvitationId};
use crate::{Blob, Handle};

/// What runs on the other side of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A person's app.
    App,
    /// A home device: a browser tab opened as a device, a Raspberry Pi, a maker's device.
    HomeDevice,
}

/// Whether a device can be reached now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It has a live session.
    Online,
    /// Its tab is suspended: it said so, or its heartbeats stopped.
    Asleep,
    /// No session.
    Offline,
}

/// The caller's own account and household, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Home {
    /// The account that asks.
    pub account: Account,
    /// The household; absent until admitted.
    pub household: Option<Household>,
    /// The household's contacts.
    pub contacts: Vec<Contact>,
    /// Open invitations of further members.
    pub invitations: Vec<Invitation>,
    /// Members who wait for admission.
    pub join_requests: Vec<JoinRequest>,
    /// The signed answer policies of home devices.
    pub answer_policies: Vec<AnswerPolicy>,
    /// What the asking account has set for itself.
    pub settings: PersonSettings,
    /// The household's children, and what each may.
    pub children: Vec<Child>,
    /// Members who asked to leave and wait for an adult's app to sign them out.
    pub leave_requests: Vec<AccountId>,
    /// Who may drop in on the household's home devices.
    #[serde(default)]
    pub drop_in_grants: Vec<DropInGrant>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Account {
    /// The id.
    pub id: AccountId,
    /// What others type.
    pub handle: Handle,
    /// What devices speak.
    pub display_name: String,
}

/// A household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Household {
    /// The id.
    pub id: HouseholdId,
    /// The genesis key; clients check it against the one they pinned.
    pub genesis: Blob,
    /// The roster, all entries in order.
    pub roster: Vec<Blob>,
    /// The recovery key's certificate, signed by genesis, and its binding, signed by itself.
    pub recovery_certificate: Blob,
    /// Members.
    pub members: Vec<Member>,
    /// Devices that are not removed.
    pub devices: Vec<Device>,
}

/// A device of the household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Device {
    /// The id.
    pub id: DeviceId,
    /// App or home device.
    pub kind: DeviceKind,
    /// Whose it is; a shared device's default person.
    pub account: AccountId,
    /// Its label, as "Kitchen".
    pub label: String,
    /// Whether it may certify and sign.
    pub adult: bool,
    /// Reachable now?
    pub presence: Presence,
    /// Its newest certificate chain.
    pub chain: Blob,
    /// Its room, do not disturb, capabilities and switches.
    pub settings: DeviceSettings,
}

/// A contact of the household, with the card that an adult's app signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Contact {
    /// Chosen by the app that added it.
    pub id: ContactId,
    /// What the family calls them.
    pub name: String,
    /// Their handle.
    pub handle: Handle,
    /// The signed card (docs/identity.md); clients trust only this for name, handle and pinned key.
    pub card: Blob,
}

/// An open invitation of a further member. Its secret is known only to the app that made it and to the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Invitation {
    /// The id in the link.
    pub id: InvitationId,
    /// When it ends, Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at_ms: u64,
}

/// Somebody signed up with an invitation and waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JoinRequest {
    /// The invitation used.
    pub invitation: InvitationId,
    /// Who.
    pub account: Account,
    /// Their app's key.
    pub app_key: Blob,
    /// Their app's label.
    pub label: String,
    /// HMAC with the link's secret (docs/identity.md).
    pub proof: Blob,
}

/// A home device's answer policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AnswerPolicy {
    /// The device.
    pub device: DeviceId,
    /// The signed policy.
    pub policy: Blob,
}
