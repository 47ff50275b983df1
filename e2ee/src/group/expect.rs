//! Whom a call's group may hold: one's own household and those invited or accepted in this call.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::id::{DeviceId, HouseholdId};

use crate::certificate::Kind;
use crate::chain::{ChainError, Identity};
use crate::key::PublicKey;
use crate::roster::Roster;

/// Households by genesis key. A genuine certificate of any other household is refused.
#[derive(Debug, Clone)]
pub struct Expect {
    own: Own,
    others: BTreeMap<PublicKey, Sort>,
    between: Option<Between>,
}

/// A drop-in is between two, and a live announcement among those that it names, whoever is vouched for.
#[derive(Debug, Clone)]
struct Between {
    own: PublicKey,
    other: Other,
}

/// The other side.
#[derive(Debug, Clone)]
enum Other {
    /// To the target: exactly the device that asked.
    Device(PublicKey),
    /// To the initiator: a home device of the household that it meant, whichever the server chose.
    HomeDeviceOf(PublicKey),
    /// Of a live announcement: the announcing device, and those that it named.
    Devices(BTreeSet<PublicKey>),
}

/// Whose side this is.
#[derive(Debug, Clone)]
enum Own {
    Household(Roster),
    /// A guest has no roster: it is its household.
    Guest(PublicKey),
}

/// What may stand behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// A household, by any of its devices.
    Household,
    /// Exactly this guest.
    Guest,
    /// Either: whoever vouched for the key did not say what it is.
    Whoever,
}

/// A device that must not be in this call; people are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a device that was not invited would be in the call")]
pub struct RefusedMember {
    pub household: HouseholdId,
    pub device: DeviceId,
}

/// Why a leaf is not taken into the group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Refused(#[from] RefusedMember),
    #[error("the credential is not a chain")]
    NotAChain,
    #[error("the leaf's key is not that of its certificate")]
    OtherKey,
}

impl Expect {
    /// Only devices of one's own household, as its roster lists them.
    pub fn own_household(own: Roster) -> Self {
        Self {
            own: Own::Household(own),
            others: BTreeMap::new(),
            between: None,
        }
    }

    /// A guest's own side: only itself.
    pub fn own_guest(own: PublicKey) -> Self {
        Self {
            own: Own::Guest(own),
            others: BTreeMap::new(),
            between: None,
        }
    }

    /// And one more household, invited or accepted in this call. A guest with this key is refused.
    #[must_use]
    pub fn and(mut self, genesis: PublicKey) -> Self {
        self.others.entry(genesis).or_insert(Sort::Household);
        self
    }

    /// And this guest, who was let in: nobody else whom its key certifies.
    #[must_use]
    pub fn and_guest(mut self, guest: PublicKey) -> Self {
        self.others.insert(guest, Sort::Guest);
        self
    }

    /// And one more, vouched for by a member or named by an invitation, a household or a guest.
    #[must_use]
    pub fn and_whoever(mut self, genesis: PublicKey) -> Self {
        self.others.entry(genesis).or_insert(Sort::Whoever);
        self
    }

    /// Besides, nobody but the own device and the one that asked to drop in.
    #[must_use]
    pub fn only(mut self, own: PublicKey, initiator: PublicKey) -> Self {
        let other = Other::Device(initiator);
        self.between = Some(Between { own, other });
        self
    }

    /// Besides, nobody but the own device and home devices of the household that is dropped in on.
    #[must_use]
    pub fn only_target(mut self, own: PublicKey, genesis: PublicKey) -> Self {
        let other = Other::HomeDeviceOf(genesis);
        self.between = Some(Between { own, other });
        self
    }

    /// Besides, nobody but the own device and these: whoever announces live, and those that it named.
    #[must_use]
    pub fn only_among(
        mut self,
        own: PublicKey,
        devices: impl IntoIterator<Item = PublicKey>,
    ) -> Self {
        let other = Other::Devices(devices.into_iter().collect());
        self.between = Some(Between { own, other });
        self
    }

    pub fn allows(&self, identity: &Identity) -> Result<(), RefusedMember> {
        let allowed = self
            .between
            .as_ref()
            .is_none_or(|between| between.fits(identity))
            && match &self.own {
                Own::Household(own) if identity.genesis == own.genesis_key() => {
                    own.admits(identity)
                }
                Own::Guest(own) if identity.genesis == *own => identity.is_guest(),
                Own::Household(_) | Own::Guest(_) => match self.others.get(&identity.genesis) {
                    Some(Sort::Household) => identity.kind.is_device(),
                    Some(Sort::Guest) => identity.is_guest(),
                    Some(Sort::Whoever) => true,
                    None => false,
                },
            };
        let (household, device) = (identity.household, identity.device);
        match allowed {
            true => Ok(()),
            false => Err(RefusedMember { household, device }),
        }
    }
}

impl Between {
    fn fits(&self, identity: &Identity) -> bool {
        identity.device_key == self.own
            || match &self.other {
                Other::Device(device) => identity.device_key == *device,
                Other::Devices(devices) => devices.contains(&identity.device_key),
                Other::HomeDeviceOf(genesis) => {
                    identity.genesis == *genesis && identity.kind == Kind::HomeDevice
                }
            }
    }
}
