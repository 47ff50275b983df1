//! A member vouches for a household before it commits the first of its devices in.
//!
//! The others take a leaf only of a household that they expect. Who is invited is known to the one
//! who invites; its word, authenticated by the group, is what widens the others' expectations. It is
//! said in the epoch that the commit ends, right before it, so that it can't come too late.

use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::PublicKey;

/// Households of one call that were vouched for. A call has no more participants; further ones are
/// not taken, and the commit that adds them is refused.
pub(super) const VOUCHED_MAX: usize = 32;

/// The message's first byte.
const VOUCHING: u8 = 2;

pub(super) fn encode(genesis: PublicKey) -> Vec<u8> {
    Writer::new().u8(VOUCHING).raw(&genesis.0).finish()
}

/// `None`: it is another kind of message.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<PublicKey>, DecodeError> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != VOUCHING {
        return Ok(None);
    }
    let genesis = PublicKey(reader.array()?);
    reader.finish()?;
    Ok(Some(genesis))
}
