//! Contact cards and answer policies: only what the server needs of them.

use homeline_protocol::id::ContactId;

use super::encoding::{Malformed, Reader};
use super::keys::PublicKey;
use super::roster::Roster;
use super::signed::{Context, Signed, StatementError};

/// More people than a household names in one policy.
const POLICY_RULES_MAX: u16 = 512;

/// What a card says about the other household's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// Nothing, or a key: the server does not care which.
    Kept,
    /// The contact is deleted.
    Deleted,
}

/// A signed contact card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactCard {
    /// Which contact.
    pub contact: ContactId,
    /// Grows with each change.
    pub revision: u64,
    /// What the family calls them.
    pub name: String,
    /// Their handle.
    pub handle: String,
    /// Kept or deleted.
    pub pin: Pin,
    /// The key that is pinned; zeros if none is.
    pub their_genesis: PublicKey,
}

impl ContactCard {
    /// Opens a card that an adult of this household signed.
    ///
    /// # Errors
    /// When it does not parse, or nobody who may has signed it.
    pub fn open(bytes: &[u8], roster: &Roster) -> Result<Self, StatementError> {
        let body = by_an_adult(bytes, Context::Contact, roster)?;
        let mut reader = Reader::new(body);
        reader.version()?;
        of_this_household(&mut reader, roster)?;
        let card = Self {
            contact: ContactId(reader.array()?),
            revision: reader.u64()?,
            name: reader.string()?.to_owned(),
            handle: reader.string()?.to_owned(),
            pin: match reader.u8()? {
                0..=2 => Pin::Kept,
                3 => Pin::Deleted,
                _ => return Err(Malformed.into()),
            },
            their_genesis: PublicKey(reader.array()?),
        };
        reader.finish()?;
        Ok(card)
    }
}

/// A signed answer policy of a home device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyStatement {
    /// Of which device.
    pub device: PublicKey,
    /// Grows with each change.
    pub revision: u64,
}

impl PolicyStatement {
    /// Opens a policy that an adult of this household signed.
    ///
    /// # Errors
    /// When it does not parse, or nobody who may has signed it.
    pub fn open(bytes: &[u8], roster: &Roster) -> Result<Self, StatementError> {
        let body = by_an_adult(bytes, Context::AnswerPolicy, roster)?;
        let mut reader = Reader::new(body);
        reader.version()?;
        of_this_household(&mut reader, roster)?;
        let policy = Self {
            device: PublicKey(reader.array()?),
            revision: reader.u64()?,
        };
        let rules = reader.u16()?;
        if rules > POLICY_RULES_MAX {
            return Err(Malformed.into());
        }
        for _ in 0..rules {
            let _their_genesis: [u8; 32] = reader.array()?;
            let _person = reader.string()?;
            if !matches!(reader.u8()?, 1 | 2) {
                return Err(Malformed.into());
            }
        }
        reader.finish()?;
        Ok(policy)
    }
}

pub(super) fn by_an_adult<'a>(
    bytes: &'a [u8],
    context: Context,
    roster: &Roster,
) -> Result<&'a [u8], StatementError> {
    let signed = Signed::parse(bytes)?;
    signed.verify(context)?;
    if roster.is_adult(signed.signer) {
        Ok(signed.body)
    } else {
        Err(StatementError::SignerMayNot)
    }
}

pub(super) fn of_this_household(
    reader: &mut Reader<'_>,
    roster: &Roster,
) -> Result<(), StatementError> {
    if PublicKey(reader.array()?) == roster.genesis() {
        Ok(())
    } else {
        Err(StatementError::SaysOtherwise)
    }
}
