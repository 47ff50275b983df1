//! Folding roster entries: what each may say, after whom, signed by whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::certificate::{Kind, Rights};
use crate::chain::Identity;
use crate::encoding::DecodeError;
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::roster::entry::{Change, Entry};
use crate::signed::{BadSignature, Context, Signed};
use crate::time::UnixMs;

quiet_debug!(RosterDevice, Roster);

/// More entries than a home makes in its life; a longer roster is refused.
pub const ENTRIES_MAX: usize = 4096;

#[derive(Clone, PartialEq, Eq)]
pub struct RosterDevice {
    pub kind: Kind,
    pub rights: Rights,
    pub person: String,
    pub label: String,
}

/// A verified roster. It only ever grows: `append` is the one way to change it.
#[derive(Clone, PartialEq, Eq)]
pub struct Roster {
    genesis: PublicKey,
    name: String,
    recovery: PublicKey,
    devices: BTreeMap<PublicKey, RosterDevice>,
    removed: BTreeSet<PublicKey>,
    /// Hash of every entry; the last is the head.
    hashes: Vec<[u8; 32]>,
}

/// The longest roster a client has seen of its household; it keeps this for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterPin {
    pub seq: u64,
    pub head: [u8; 32],
}

/// The roster is shorter than, or different from, one seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rollback: the roster is not a continuation of the one seen before")]
pub struct Rollback;

/// Why an entry does not belong at the end of a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error("the roster has no entries")]
    Empty,
    #[error("the roster has more than {ENTRIES_MAX} entries")]
    TooLong,
    #[error("the entry belongs to another household")]
    OtherHousehold,
    #[error("the entry is number {found}, expected {expected}")]
    Sequence { expected: u64, found: u64 },
    #[error("the entry does not follow the one before")]
    BrokenLink,
    #[error("the signer may not sign the roster")]
    SignerMayNot,
    #[error("a genesis entry comes first, and only first")]
    Genesis,
    #[error("the device was there before")]
    KnownDevice,
    #[error("no such device")]
    UnknownDevice,
    #[error("neither a recovery key nor a guest is a device of a household")]
    NotADevice,
    #[error("a home device is never adult")]
    AdultHomeDevice,
}

impl Roster {
    /// A roster of its first entry, which makes its signer the household's genesis key.
    pub fn genesis(first: &Signed) -> Result<Self, RosterError> {
        first.verify(Context::Roster)?;
        let entry = Entry::read(&first.body)?;
        let Change::Genesis {
            household_name,
            recovery,
        } = entry.change
        else {
            return Err(RosterError::Genesis);
        };
        if first.signer != entry.genesis {
            return Err(RosterError::SignerMayNot);
        }
        if entry.seq != 0 {
            return Err(RosterError::Sequence {
                expected: 0,
                found: entry.seq,
            });
        }
        if entry.prev != [0; 32] {
            return Err(RosterError::BrokenLink);
        }
        Ok(Self {
            genesis: entry.genesis,
            name: household_name,
            recovery,
            devices: BTreeMap::new(),
            removed: BTreeSet::new(),
            hashes: vec![first.hash()],
        })
    }

    /// A roster from all its entries in order, each encoded.
    pub fn from_entries<B: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = B>,
    ) -> Result<Self, RosterError> {
        let mut entries = entries.into_iter();
        let first = entries.next().ok_or(RosterError::Empty)?;
        let mut roster = Self::genesis(&Signed::decode(first.as_ref())?)?;
        for entry in entries {
            roster.append(&Signed::decode(entry.as_ref())?)?;
        }
        Ok(roster)
    }

    /// Takes a further entry, or leaves the roster as it is and says why.
    pub fn append(&mut self, signed: &Signed) -> Result<(), RosterError> {
        if self.hashes.len() >= ENTRIES_MAX {
            return Err(RosterError::TooLong);
        }
        signed.verify(Context::Roster)?;
        let entry = Entry::read(&signed.body)?;
        if entry.genesis != self.genesis {
            return Err(RosterError::OtherHousehold);
        }
        let expected = self.seq() + 1;
        if entry.seq != expected {
            return Err(RosterError::Sequence {
                expected,
                found: entry.seq,
            });
        }
        if entry.prev != self.head() {
            return Err(RosterError::BrokenLink);
        }
        if !self.may_sign(signed.signer) {
            return Err(RosterError::SignerMayNot);
        }
        self.apply(entry.change)?;
        self.hashes.push(signed.hash());
        Ok(())
    }

    /// The next entry, signed. Nothing changes until it is appended.
    pub fn next_entry(&self, change: Change, at: UnixMs, key: &PrivateKey) -> Signed {
        let (genesis, seq, prev) = (self.genesis, self.seq() + 1, self.head());
        Entry {
            genesis,
            seq,
            prev,
            at,
            change,
        }
        .sign(key)
    }

    fn may_sign(&self, signer: PublicKey) -> bool {
        signer == self.genesis || signer == self.recovery || self.is_adult(signer)
    }

    fn apply(&mut self, change: Change) -> Result<(), RosterError> {
        match change {
            Change::Genesis { .. } => return Err(RosterError::Genesis),
            Change::AddDevice {
                device,
                kind,
                rights,
                person,
                label,
            } => {
                let added = RosterDevice {
                    kind,
                    rights,
                    person,
                    label,
                };
                self.add(device, added)?;
            }
            Change::RemoveDevice { device } => {
                self.devices
                    .remove(&device)
                    .ok_or(RosterError::UnknownDevice)?;
                self.removed.insert(device);
            }
            Change::SetRights { device, rights } => {
                let known = self
                    .devices
                    .get_mut(&device)
                    .ok_or(RosterError::UnknownDevice)?;
                if known.kind == Kind::HomeDevice && rights.adult {
                    return Err(RosterError::AdultHomeDevice);
                }
                known.rights = rights;
            }
            Change::RecoveryKey { recovery } => self.recovery = recovery,
        }
        Ok(())
    }

    fn add(&mut self, device: PublicKey, added: RosterDevice) -> Result<(), RosterError> {
        if self.devices.contains_key(&device) || self.removed.contains(&device) {
            return Err(RosterError::KnownDevice);
        }
        match added.kind {
            Kind::RecoveryKey | Kind::Guest => return Err(RosterError::NotADevice),
            Kind::HomeDevice if added.rights.adult => return Err(RosterError::AdultHomeDevice),
            Kind::HomeDevice | Kind::App => {}
        }
        self.devices.insert(device, added);
        Ok(())
    }
}

/// What a roster says.
impl Roster {
    pub fn genesis_key(&self) -> PublicKey {
        self.genesis
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn recovery_key(&self) -> PublicKey {
        self.recovery
    }

    pub fn devices(&self) -> &BTreeMap<PublicKey, RosterDevice> {
        &self.devices
    }

    pub fn is_adult(&self, device: PublicKey) -> bool {
        self.devices
            .get(&device)
            .is_some_and(|known| known.rights.adult)
    }

    pub fn has_removed(&self, device: PublicKey) -> bool {
        self.removed.contains(&device)
    }

    /// Is this one of the household's devices now: listed, and certified by nobody it has removed?
    pub fn admits(&self, identity: &Identity) -> bool {
        identity.genesis == self.genesis
            && identity.kind.is_device()
            && self.devices.contains_key(&identity.device_key)
            && !identity
                .subjects
                .iter()
                .any(|subject| self.has_removed(*subject))
    }

    pub fn seq(&self) -> u64 {
        self.hashes.len() as u64 - 1
    }

    pub fn head(&self) -> [u8; 32] {
        *self.hashes.last().expect("a roster has its genesis entry")
    }

    pub fn pin(&self) -> RosterPin {
        RosterPin {
            seq: self.seq(),
            head: self.head(),
        }
    }

    /// Refuses a roster that is not what was seen before, or a continuation of it.
    pub fn check_against(&self, seen: RosterPin) -> Result<(), Rollback> {
        let at_that_time = usize::try_from(seen.seq)
            .ok()
            .and_then(|seq| self.hashes.get(seq));
        match at_that_time == Some(&seen.head) {
            true => Ok(()),
            false => Err(Rollback),
        }
    }
}
