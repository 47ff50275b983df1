//! Checks a ledger that somebody shows: each entry's signer, signature, place and link to the one before,
//! and that it goes on from the longest that was ever seen.

use homeline_protocol::id::DeviceId;

use super::entry::Entry;
use crate::ids::device_id;
use crate::key::PublicKey;
use crate::signed::{Context, Signed};

/// Where a ledger ends: how many entries it has, and the hash of the last one (zeros for none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    pub length: u64,
    pub hash: [u8; 32],
}

/// What is wrong with a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerFault {
    #[error(
        "entry {index} can't be read, does not follow the one before, or its signature is wrong"
    )]
    Broken { index: u64 },
    #[error("entry {index} was signed by somebody else")]
    WrongSigner { index: u64 },
    #[error("it has {found} entries, and had {remembered} before")]
    Shorter { found: u64, remembered: u64 },
    #[error("it is another one than was seen before")]
    AnotherOne,
}

/// Reads one ledger, entry by entry. What it returned counts once `finish` has agreed.
#[derive(Debug, Clone)]
pub struct LedgerReader {
    genesis: PublicKey,
    device: DeviceId,
    remembered: Head,
    /// Where it began to read.
    began: u64,
    head: Head,
}

impl LedgerReader {
    /// Reads from the first entry on. `remembered`: the longest head that was seen of this device.
    pub fn new(genesis: PublicKey, device: DeviceId, remembered: Head) -> Self {
        Self {
            genesis,
            device,
            remembered,
            began: 0,
            head: Head::default(),
        }
    }

    /// Reads only what came after the head that was seen.
    pub fn after(genesis: PublicKey, device: DeviceId, remembered: Head) -> Self {
        Self {
            began: remembered.length,
            head: remembered,
            ..Self::new(genesis, device, remembered)
        }
    }

    /// Where it ends, as far as it was read.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Reads the next entry.
    ///
    /// # Errors
    /// The first thing that is wrong; nothing after it can be read.
    pub fn read(&mut self, signed: &Signed) -> Result<Entry, LedgerFault> {
        let index = self.head.length;
        if device_id(signed.signer) != self.device {
            return Err(LedgerFault::WrongSigner { index });
        }
        let broken = LedgerFault::Broken { index };
        let entry = Entry::read(&signed.body).map_err(|_| broken)?;
        let fits = entry.genesis == self.genesis && entry.index == index;
        // Signatures under a remembered head were checked when it was remembered: that the bytes are the
        // same is what its hash says.
        let known = index < self.remembered.length;
        if !fits || !(known || signed.verify(Context::DropInLedger).is_ok()) {
            return Err(broken);
        }
        if entry.prev != self.head.hash {
            // Where nothing but the remembered head is known it is not the chain that is broken.
            let unlike_remembered = index > 0 && index == self.began;
            return Err(match unlike_remembered {
                true => LedgerFault::AnotherOne,
                false => broken,
            });
        }
        let head = Head {
            length: index + 1,
            hash: signed.hash(),
        };
        if head.length == self.remembered.length && head.hash != self.remembered.hash {
            return Err(LedgerFault::AnotherOne);
        }
        self.head = head;
        Ok(entry)
    }

    /// There are no more entries.
    ///
    /// # Errors
    /// When there were more before.
    pub fn finish(self) -> Result<Head, LedgerFault> {
        match self.head.length < self.remembered.length {
            true => Err(LedgerFault::Shorter {
                found: self.head.length,
                remembered: self.remembered.length,
            }),
            false => Ok(self.head),
        }
    }
}
