//! What a device keeps of its own ledger: its head, and the entries that the server has not stored yet.
//!
//! Its owner stores it beside the key whenever it has changed, before the entry is sent. Nothing is written
//! that would let whoever asks without right fill it.

use std::collections::VecDeque;

use homeline_protocol::session::DropInRefusal;

use super::entry::{Entry, What};
use super::reader::{Head, LedgerFault};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::Signed;
use crate::time::UnixMs;

quiet_debug!(OwnLedger);

/// Entries that wait for the server. When fewer than two places are left nothing opens, and nothing further is written
/// but the end of a drop-in that runs.
pub const UNSENT_MAX: usize = 1024;
/// Refusals, of drop-ins and of grants, that are written within a minute; more of them are not, and of the
/// same initiator and reason only one is.
pub const REFUSALS_A_MINUTE_MAX: usize = 32;
const MINUTE_MS: u64 = 60 * 1000;

/// A device's own ledger. Stored as `encode` gives it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OwnLedger {
    head: Head,
    unsent: VecDeque<Signed>,
    refusals: Vec<Recent>,
}

/// A refusal that was written lately. Not stored.
#[derive(Clone, PartialEq, Eq)]
struct Recent {
    /// The initiator's key, or the hash of a statement.
    whose: [u8; 32],
    refusal: DropInRefusal,
    at: UnixMs,
}

/// Too much waits for the server: nothing may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger holds as many entries as it can until the server has stored some")]
pub struct LedgerFull;

impl OwnLedger {
    /// Where it ends, unsent entries included.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many entries the server has said that it stored.
    pub fn stored_length(&self) -> u64 {
        self.head.length - self.unsent.len() as u64
    }

    /// Whether a drop-in may open: its beginning and its end must have room.
    pub fn has_room(&self) -> bool {
        self.unsent.len() + 2 <= UNSENT_MAX
    }

    /// Writes the next entry. A refusal that was written within the last minute, or is one too many, is no
    /// error and leaves no entry.
    ///
    /// # Errors
    /// [`LedgerFull`]: it was not written, and nothing may open.
    pub fn write(
        &mut self,
        now: UnixMs,
        genesis: PublicKey,
        key: &PrivateKey,
        what: What,
    ) -> Result<(), LedgerFull> {
        let fits = match what {
            What::Ended { .. } => self.unsent.len() < UNSENT_MAX,
            _ => self.has_room(),
        };
        if !fits {
            return Err(LedgerFull);
        }
        if self.is_one_too_many(now, &what) {
            return Ok(());
        }
        self.push(now, genesis, key, what);
        Ok(())
    }

    /// The entry that the server is to store next, with its place.
    pub fn next(&self) -> Option<(u64, &Signed)> {
        self.unsent
            .front()
            .map(|entry| (self.stored_length(), entry))
    }

    /// The server has stored the entry at this place. Said twice, it changes nothing.
    pub fn stored(&mut self, index: u64) {
        if index == self.stored_length() {
            self.unsent.pop_front();
        }
    }

    /// Compares with what the server has, at the beginning of a session: how many entries, and the last of
    /// them. What it has stored without its answer having arrived is not sent again.
    ///
    /// # Errors
    /// When that is not this ledger. See `resume`.
    pub fn meet(&mut self, length: u64, last: Option<&Signed>) -> Result<(), LedgerFault> {
        let stored = self.stored_length();
        if length < stored {
            return Err(LedgerFault::Shorter {
                found: length,
                remembered: stored,
            });
        }
        let expected = self.hash_at(length).ok_or(LedgerFault::AnotherOne)?;
        let found = last.map_or([0; 32], Signed::hash);
        if found != expected {
            return Err(LedgerFault::AnotherOne);
        }
        let known = usize::try_from(length - stored).unwrap_or(usize::MAX);
        self.unsent.drain(..known.min(self.unsent.len()));
        Ok(())
    }

    /// Goes on from what the server has, which a `LedgerReader` has read from the first entry to `found`,
    /// after `meet` refused it: the server lost some, or the device did. The next entry says what the device
    /// had remembered, and what was not stored follows it.
    ///
    /// # Errors
    /// [`LedgerFull`], if one more does not fit.
    pub fn resume(
        &mut self,
        now: UnixMs,
        genesis: PublicKey,
        key: &PrivateKey,
        found: Head,
    ) -> Result<(), LedgerFull> {
        if self.unsent.len() >= UNSENT_MAX {
            return Err(LedgerFull);
        }
        let Head { length, hash } = self.head;
        let unsent = std::mem::take(&mut self.unsent);
        self.head = found;
        self.push(now, genesis, key, What::Resumed { length, hash });
        for entry in unsent {
            let entry = Entry::read(&entry.body).expect("the device wrote it, or `decode` read it");
            self.push(entry.at, genesis, key, entry.what);
        }
        Ok(())
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let count = u16::try_from(self.unsent.len()).expect("at most UNSENT_MAX");
        writer
            .u8(1)
            .u64(self.head.length)
            .raw(&self.head.hash)
            .u16(count);
        for entry in &self.unsent {
            writer.vec32(&entry.encode());
        }
        writer.finish()
    }

    /// # Errors
    /// When it is not what `encode` gave.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let head = Head {
            length: reader.u64()?,
            hash: reader.array()?,
        };
        let count = usize::from(reader.u16()?);
        if count > UNSENT_MAX || count as u64 > head.length {
            return Err(DecodeError::TooMany {
                field: "unsent",
                max: UNSENT_MAX,
            });
        }
        let mut unsent = VecDeque::new();
        for _ in 0..count {
            let entry = Signed::decode(reader.vec32()?)?;
            Entry::read(&entry.body)?;
            unsent.push_back(entry);
        }
        reader.finish()?;
        Ok(Self {
            head,
            unsent,
            refusals: vec![],
        })
    }

    fn push(&mut self, now: UnixMs, genesis: PublicKey, key: &PrivateKey, what: What) {
        let entry = Entry {
            genesis,
            index: self.head.length,
            prev: self.head.hash,
            at: now,
            what,
        };
        let signed = entry.sign(key);
        self.head = Head {
            length: self.head.length + 1,
            hash: signed.hash(),
        };
        self.unsent.push_back(signed);
    }

    /// The hash of the entry before a place; `None`: the device does not remember that place.
    fn hash_at(&self, length: u64) -> Option<[u8; 32]> {
        if length == self.head.length {
            return Some(self.head.hash);
        }
        let place = length.checked_sub(self.stored_length())?;
        let entry = self.unsent.get(usize::try_from(place).ok()?)?;
        Some(Entry::read(&entry.body).ok()?.prev)
    }

    fn is_one_too_many(&mut self, now: UnixMs, what: &What) -> bool {
        let (whose, refusal) = match what {
            What::Refused { who, refusal, .. } => (who.device.0, *refusal),
            What::GrantRefused { statement, refusal } => (*statement, *refusal),
            _ => return false,
        };
        // A clock that was set back would else keep what is remembered for as long as it was set back.
        self.refusals
            .retain(|recent| recent.at <= now && now.since(recent.at) < MINUTE_MS);
        let known = |recent: &Recent| recent.whose == whose && recent.refusal == refusal;
        if self.refusals.len() >= REFUSALS_A_MINUTE_MAX || self.refusals.iter().any(known) {
            return true;
        }
        let at = now;
        self.refusals.push(Recent { whose, refusal, at });
        false
    }
}
