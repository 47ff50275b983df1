//! A household's roster: what an entry says, who may sign it, and what it makes of the household.

use std::collections::{BTreeMap, BTreeSet};

use homeline_protocol::id::DeviceId;

use super::certificate::{Identity, Kind, read_rights};
use super::encoding::{Malformed, Reader};
use super::keys::{PublicKey, device_id};
use super::signed::{Context, Signed, StatementError, envelope_hash};

/// More entries than a home makes in its life. Clients refuse a longer roster.
pub const ENTRIES_MAX: u64 = 4096;

/// What an entry does to the household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Founds it.
    Genesis {
        /// The household's name.
        name: String,
        /// The recovery key.
        recovery: PublicKey,
    },
    /// Takes an app or home device in.
    AddDevice {
        /// Its key.
        key: PublicKey,
        /// App or home device.
        kind: Kind,
        /// Whether it may certify and sign.
        adult: bool,
        /// The account id in words.
        person: String,
        /// Its label.
        label: String,
    },
    /// Takes it out.
    RemoveDevice {
        /// Its key.
        key: PublicKey,
    },
    /// Changes what it may do.
    SetRights {
        /// Its key.
        key: PublicKey,
        /// Whether it may certify and sign.
        adult: bool,
    },
    /// Replaces the recovery key.
    RecoveryKey {
        /// The new one.
        recovery: PublicKey,
    },
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    genesis: PublicKey,
    /// Its number, from 0.
    pub seq: u64,
    prev: [u8; 32],
    /// What it changes.
    pub change: Change,
}

/// Why an entry does not belong at the end of a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// It does not parse, its signature is wrong, or its signer may not.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It was signed on top of another roster: fetch it and sign again.
    #[error("the roster has grown meanwhile")]
    Moved,
    /// It adds who is there or was removed, or changes who is not there.
    #[error("the entry does not fit the roster")]
    DoesNotFit,
    /// The roster has as many entries as it may.
    #[error("the roster is full")]
    Full,
}

impl From<Malformed> for RosterError {
    fn from(error: Malformed) -> Self {
        Self::Statement(error.into())
    }
}

/// What a roster's entries fold to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    genesis: PublicKey,
    recovery: PublicKey,
    /// Every device that is not removed, and whether it is adult.
    devices: BTreeMap<PublicKey, bool>,
    removed: BTreeSet<PublicKey>,
    seq: u64,
    head: [u8; 32],
}

impl Roster {
    /// A roster of its first entry, and the household's name.
    ///
    /// # Errors
    /// When that is not a genesis entry signed by its own genesis key.
    pub fn found(bytes: &[u8]) -> Result<(Self, String), RosterError> {
        let (signed, entry) = open(bytes)?;
        signed.verify(Context::Roster)?;
        let Change::Genesis { name, .. } = &entry.change else {
            return Err(RosterError::DoesNotFit);
        };
        let name = name.clone();
        Ok((Self::first(bytes, signed.signer, entry)?, name))
    }

    /// The roster that stored entries fold to; their signatures were checked when they were stored.
    ///
    /// # Errors
    /// When they are not a roster.
    pub fn from_stored(entries: &[Vec<u8>]) -> Result<Self, RosterError> {
        let (first, rest) = entries.split_first().ok_or(Malformed)?;
        let (signed, entry) = open(first)?;
        let mut roster = Self::first(first, signed.signer, entry)?;
        for bytes in rest {
            let (signed, entry) = open(bytes)?;
            roster.take(bytes, signed.signer, entry)?;
        }
        Ok(roster)
    }

    /// Takes a further entry, or leaves the roster as it is and says why.
    ///
    /// # Errors
    /// When it does not belong there.
    pub fn append(&mut self, bytes: &[u8]) -> Result<Change, RosterError> {
        let (signed, entry) = open(bytes)?;
        signed.verify(Context::Roster)?;
        self.take(bytes, signed.signer, entry)
    }

    fn first(bytes: &[u8], signer: PublicKey, entry: Entry) -> Result<Self, RosterError> {
        let Change::Genesis { recovery, .. } = entry.change else {
            return Err(RosterError::DoesNotFit);
        };
        if signer != entry.genesis {
            return Err(StatementError::SignerMayNot.into());
        }
        if entry.seq != 0 || entry.prev != [0; 32] {
            return Err(RosterError::DoesNotFit);
        }
        let (genesis, head) = (entry.genesis, envelope_hash(bytes));
        let (devices, removed) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self {
            genesis,
            recovery,
            devices,
            removed,
            seq: 0,
            head,
        })
    }

    fn take(
        &mut self,
        bytes: &[u8],
        signer: PublicKey,
        entry: Entry,
    ) -> Result<Change, RosterError> {
        if entry.genesis != self.genesis {
            return Err(StatementError::SaysOtherwise.into());
        }
        if entry.seq != self.seq + 1 || entry.prev != self.head {
            return Err(RosterError::Moved);
        }
        if entry.seq >= ENTRIES_MAX {
            return Err(RosterError::Full);
        }
        if !self.may_sign(signer) {
            return Err(StatementError::SignerMayNot.into());
        }
        self.apply(&entry.change)?;
        self.seq = entry.seq;
        self.head = envelope_hash(bytes);
        Ok(entry.change)
    }

    fn apply(&mut self, change: &Change) -> Result<(), RosterError> {
        match change {
            Change::Genesis { .. } => return Err(RosterError::DoesNotFit),
            Change::AddDevice {
                key, kind, adult, ..
            } => {
                let known = self.devices.contains_key(key) || self.removed.contains(key);
                let home_adult = *kind == Kind::HomeDevice && *adult;
                if known || *kind == Kind::RecoveryKey || home_adult {
                    return Err(RosterError::DoesNotFit);
                }
                self.devices.insert(*key, *adult);
            }
            Change::RemoveDevice { key } => {
                self.devices.remove(key).ok_or(RosterError::DoesNotFit)?;
                self.removed.insert(*key);
            }
            Change::SetRights { key, adult } => {
                *self.devices.get_mut(key).ok_or(RosterError::DoesNotFit)? = *adult;
            }
            Change::RecoveryKey { recovery } => self.recovery = *recovery,
        }
        Ok(())
    }

    fn may_sign(&self, signer: PublicKey) -> bool {
        signer == self.genesis || signer == self.recovery || self.is_adult(signer)
    }
}

/// What a roster says.
impl Roster {
    /// The genesis key.
    #[must_use]
    pub fn genesis(&self) -> PublicKey {
        self.genesis
    }

    /// The recovery key now in force.
    #[must_use]
    pub fn recovery(&self) -> PublicKey {
        self.recovery
    }

    /// The number of the last entry.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether this device may certify and sign.
    #[must_use]
    pub fn is_adult(&self, key: PublicKey) -> bool {
        self.devices.get(&key).is_some_and(|adult| *adult)
    }

    /// Whether this device is in it and not removed.
    #[must_use]
    pub fn contains(&self, device: DeviceId) -> bool {
        self.devices.keys().any(|key| device_id(*key) == device)
    }

    /// Whether all who certified somebody still may.
    #[must_use]
    pub fn vouches_for(&self, identity: &Identity) -> bool {
        identity.genesis == self.genesis
            && identity
                .issuers
                .iter()
                .all(|issuer| *issuer == self.recovery || self.is_adult(*issuer))
    }
}

fn open(bytes: &[u8]) -> Result<(Signed<'_>, Entry), Malformed> {
    let signed = Signed::parse(bytes)?;
    let mut reader = Reader::new(signed.body);
    reader.version()?;
    let genesis = PublicKey(reader.array()?);
    let seq = reader.u64()?;
    let prev = reader.array()?;
    let _at_ms = reader.u64()?;
    let change = read_change(&mut reader)?;
    reader.finish()?;
    Ok((
        signed,
        Entry {
            genesis,
            seq,
            prev,
            change,
        },
    ))
}

fn read_change(reader: &mut Reader<'_>) -> Result<Change, Malformed> {
    Ok(match reader.u8()? {
        0 => Change::Genesis {
            name: reader.string()?.to_owned(),
            recovery: PublicKey(reader.array()?),
        },
        1 => Change::AddDevice {
            key: PublicKey(reader.array()?),
            kind: Kind::parse(reader.u8()?)?,
            adult: read_rights(reader)?,
            person: reader.string()?.to_owned(),
            label: reader.string()?.to_owned(),
        },
        2 => Change::RemoveDevice {
            key: PublicKey(reader.array()?),
        },
        3 => Change::SetRights {
            key: PublicKey(reader.array()?),
            adult: read_rights(reader)?,
        },
        4 => Change::RecoveryKey {
            recovery: PublicKey(reader.array()?),
        },
        _ => return Err(Malformed),
    })
}
