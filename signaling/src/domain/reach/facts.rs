//! What a decision looks at: plain data that the caller has loaded, and nothing else.

use homeline_protocol::Handle;
use homeline_protocol::id::{AccountId, DeviceId, GrantId, HouseholdId};
use homeline_protocol::session::{CameraSwitch, Capabilities, DeviceKind, Switches};

use super::quiet::{QuietFacts, Schedule};
use crate::domain::guests::GUEST_HANDLE;
use crate::model::UnixMillis;

/// As every device begins.
pub(in crate::domain) const ALL_ON: Switches = Switches {
    microphone: true,
    camera: CameraSwitch::On,
};

/// Everything that bears on one question.
#[derive(Debug, Clone)]
pub struct World {
    /// Now.
    pub now: UnixMillis,
    /// How somebody is to be reached.
    pub way: Way,
    /// Who asks.
    pub asker: Asker,
    /// Whom.
    pub target: Target,
    /// Who has let whom drop in, as far as it concerns the target.
    pub grants: Vec<Grant>,
    /// How often strangers may call one person.
    pub limits: StrangerLimits,
    /// Who is in the call besides the asker, if the target is to be added to one.
    pub company: Vec<Companion>,
}

/// Somebody who takes part in the call to which the target is to be added.
#[derive(Debug, Clone)]
pub struct Companion {
    /// Their handle.
    pub handle: Handle,
    /// Their household.
    pub household: Option<HouseholdId>,
    /// What they may, if they are a child.
    pub child: Option<ChildFacts>,
    /// Whether they have blocked the target, or the target them.
    pub blocked: bool,
    /// Whether it is a guest who came by a call link.
    pub guest: bool,
}

/// A way of reaching somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It rings, and somebody answers.
    Call,
    /// It is kept, and announces itself.
    Message,
    /// The device answers by itself.
    DropIn,
    /// It is played at once, one way.
    Announcement,
}

/// Who wants to reach somebody.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The person.
    pub account: AccountId,
    /// Their handle.
    pub handle: Handle,
    /// What they call themselves.
    pub name: String,
    /// From which app or device; absent for a sign-in without a key, which can't encrypt.
    pub device: Option<DeviceId>,
    /// Only with one has it a certificate that others can check.
    pub household: Option<HouseholdId>,
    /// What they may, if they are a child.
    pub child: Option<ChildFacts>,
}

/// Whom somebody wants to reach.
#[derive(Debug, Clone)]
pub enum Target {
    /// Whoever has this handle, if anybody.
    Person {
        /// As the asker typed it.
        handle: Handle,
        /// Who has it.
        person: Option<PersonFacts>,
    },
    /// One device of the asker's own household, if there is such a one. Its owner's `devices` hold it.
    Device {
        /// Which.
        device: DeviceId,
        /// Whose it is.
        owner: Option<PersonFacts>,
    },
    /// Everybody of a household.
    Household {
        /// Its people.
        people: Vec<PersonFacts>,
    },
    /// All home devices of the asker's own household.
    Home {
        /// Its people.
        people: Vec<PersonFacts>,
    },
    /// A guest who knocked at a call link, if there is such a one.
    Guest {
        /// Who.
        guest: Option<GuestFacts>,
    },
}

/// A guest who is to be let in.
#[derive(Debug, Clone)]
pub struct GuestFacts {
    /// The account that stands for them.
    pub account: AccountId,
    /// Whose link they knocked at.
    pub maker: AccountId,
    /// The name said.
    pub label: String,
    /// Whether they wait at a link that has not ended.
    pub waits: bool,
    /// Whether they were let in already, by the call that this is about or by another.
    pub let_in: bool,
    /// Their page.
    pub device: DeviceFacts,
}

/// A person who is to be reached.
#[derive(Debug, Clone)]
pub struct PersonFacts {
    /// The person.
    pub account: AccountId,
    /// What they call themselves.
    pub name: String,
    /// Absent for somebody who waits for admission, or was taken out.
    pub household: Option<HouseholdId>,
    /// What they may, if they are a child.
    pub child: Option<ChildFacts>,
    /// Whether they have blocked the asker.
    pub blocks_asker: bool,
    /// Whether the asker is in their household's address book.
    pub knows_asker: bool,
    /// Calls from strangers that have rung them lately.
    pub stranger_calls: StrangerCalls,
    /// Their do not disturb.
    pub quiet: QuietFacts,
    /// Every device that is theirs: their apps, and the home devices whose default person they are.
    pub devices: Vec<DeviceFacts>,
}

/// What the adults let a child do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildFacts {
    /// Whether an adult has consented to their using this at all.
    pub consented: bool,
    /// May call and be called.
    pub calling: bool,
    /// May write and be written to, and announce.
    pub messaging: bool,
    /// May drop in, and be dropped in on.
    pub drop_in: bool,
    /// Handles of the contacts that were chosen for them.
    pub contacts: Vec<Handle>,
}

/// A device of a person who is to be reached.
#[derive(Debug, Clone)]
pub struct DeviceFacts {
    /// The device.
    pub device: DeviceId,
    /// App or home device.
    pub kind: DeviceKind,
    /// Its label.
    pub label: String,
    /// Whether its own do not disturb is on.
    pub quiet: bool,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Where its switches stand.
    pub switches: Switches,
    /// Whether it has a session.
    pub session: bool,
    /// Whether it has a push address.
    pub push: bool,
    /// Whether anybody may drop in on it, whatever the grants.
    pub drop_in: bool,
}

/// Calls from strangers that have rung a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StrangerCalls {
    /// From this asker, in the last hour.
    pub from_asker: u32,
    /// From all of them, in the last day.
    pub from_all: u32,
}

/// How often strangers may call one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrangerLimits {
    /// One stranger, in an hour.
    pub one_an_hour: u32,
    /// All of them, in a day.
    pub all_a_day: u32,
}

/// A household has let somebody drop in. It is no mutual thing.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Which.
    pub id: GrantId,
    /// Whose home devices may be dropped in on.
    pub by: HouseholdId,
    /// Who may drop in.
    pub to: Grantee,
    /// On which devices; none named: on all of the household.
    pub devices: Vec<DeviceId>,
    /// When; absent: always.
    pub hours: Option<Schedule>,
    /// With picture, or sound only.
    pub picture: bool,
    /// Whom of a contact's household it names. Whoever is new there is let to the device, which refuses them
    /// by name; absent: nobody is left out.
    pub people: Option<Vec<AccountId>>,
}

/// Who may drop in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grantee {
    /// A person, as long as they are of this household.
    Person(AccountId, HouseholdId),
    /// Everybody who is in a household when they ask.
    Household(HouseholdId),
}

impl Companion {
    /// A guest: of no household, with a handle that is nobody's.
    pub(super) fn guest() -> Self {
        Self {
            handle: GUEST_HANDLE.parse().expect("it is a handle"),
            household: None,
            child: None,
            blocked: false,
            guest: true,
        }
    }
}

impl Grant {
    /// Whether it lets somebody drop in on a device now.
    pub(super) fn lets(&self, asker: &Asker, device: DeviceId, now: UnixMillis) -> bool {
        let fits = match self.to {
            Grantee::Person(whom, home) => whom == asker.account && asker.household == Some(home),
            Grantee::Household(home) => asker.household == Some(home),
        };
        fits && (self.devices.is_empty() || self.devices.contains(&device))
            && self.hours.as_ref().is_none_or(|hours| hours.is_on(now))
    }

    /// Whether it names this person, where it names anybody.
    pub(super) fn names(&self, account: AccountId) -> bool {
        let people = self.people.as_ref();
        people.is_none_or(|people| people.contains(&account))
    }
}

impl ChildFacts {
    /// Whether the switch for a way is on.
    #[must_use]
    pub fn may(&self, way: Way) -> bool {
        match way {
            Way::Call => self.calling,
            Way::Message | Way::Announcement => self.messaging,
            Way::DropIn => self.drop_in,
        }
    }
}

impl PersonFacts {
    /// Whether the asker belongs to this person's household.
    #[must_use]
    pub fn is_family_of(&self, asker: &Asker) -> bool {
        self.household.is_some() && self.household == asker.household
    }
}
