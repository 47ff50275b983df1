//! Whom a call's group may hold: one's own household and those invited or accepted in this call.

use std::collections::BTreeSet;

use homeline_protocol::id::{DeviceId, HouseholdId};

use crate::chain::{ChainError, Identity};
use crate::key::PublicKey;
use crate::roster::Roster;

/// Households by genesis key. A genuine certificate of any other household is refused.
#[derive(Debug, Clone)]
pub struct Expect {
    own: Roster,
    others: BTreeSet<PublicKey>,
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
            own,
            others: BTreeSet::new(),
        }
    }

    /// And one more, invited or accepted in this call.
    #[must_use]
    pub fn and(mut self, genesis: PublicKey) -> Self {
        self.others.insert(genesis);
        self
    }

    pub fn allows(&self, identity: &Identity) -> Result<(), RefusedMember> {
        let allowed = match identity.genesis == self.own.genesis_key() {
            true => self.own.admits(identity),
            false => self.others.contains(&identity.genesis),
        };
        let (household, device) = (identity.household, identity.device);
        match allowed {
            true => Ok(()),
            false => Err(RefusedMember { household, device }),
        }
    }
}
