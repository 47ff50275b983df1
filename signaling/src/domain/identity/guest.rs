//! A guest's chain: one certificate of kind 4 that its fresh key signs for itself (docs/guests.md).
//!
//! Read apart from the chains of households, where that kind is refused.

use std::time::Duration;

use super::certificate::{CLOCK_SKEW, ChainError};
use super::encoding::{Malformed, Reader};
use super::keys::PublicKey;
use super::signed::{Context, Signed};
use crate::model::{UnixMillis, is_name};

/// The kind of a guest's certificate.
const KIND_GUEST: u8 = 4;
/// How long it lasts at most.
const LIFETIME_MAX: Duration = Duration::from_hours(24);
/// The name that a guest says, in characters.
const LABEL_CHARS_MAX: usize = 40;

/// Somebody who came by a call link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestIdentity {
    /// Genesis and device at once.
    pub key: PublicKey,
    /// The name said.
    pub label: String,
}

impl GuestIdentity {
    /// Verifies a guest's chain as it is now.
    ///
    /// # Errors
    /// When anything about it is wrong.
    pub fn verify(chain: &[u8], now: UnixMillis) -> Result<Self, ChainError> {
        let mut reader = Reader::new(chain);
        if reader.u16()? != 1 {
            return Err(ChainError::Broken);
        }
        let signed = Signed::read(&mut reader)?;
        reader.finish()?;
        signed.verify(Context::Certificate)?;
        let (guest, not_before, not_after) = read(signed.body, signed.signer)?;
        let valid = not_before <= now.plus(CLOCK_SKEW) && now <= not_after.plus(CLOCK_SKEW);
        if !valid {
            return Err(ChainError::Expired);
        }
        if not_after > not_before.plus(LIFETIME_MAX) {
            return Err(ChainError::Broken);
        }
        Ok(guest)
    }
}

fn read(
    body: &[u8],
    signer: PublicKey,
) -> Result<(GuestIdentity, UnixMillis, UnixMillis), ChainError> {
    let mut reader = Reader::new(body);
    reader.version()?;
    let (genesis, subject) = (PublicKey(reader.array()?), PublicKey(reader.array()?));
    let (kind, rights) = (reader.u8()?, reader.u8()?);
    let (person, label) = (reader.string()?, reader.string()?);
    let (not_before, not_after) = (UnixMillis(reader.u64()?), UnixMillis(reader.u64()?));
    let roster_seq = reader.u64()?;
    reader.finish()?;
    let itself = genesis == subject && subject == signer;
    let bare = kind == KIND_GUEST && rights == 0 && person.is_empty() && roster_seq == 0;
    let named = label.chars().count() <= LABEL_CHARS_MAX && is_name(label);
    if !(itself && bare && named) {
        return Err(Malformed.into());
    }
    let (key, label) = (signer, label.to_owned());
    Ok((GuestIdentity { key, label }, not_before, not_after))
}
