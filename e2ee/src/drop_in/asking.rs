//! What a device that wants to drop in signs: which call, on whose household, with which key package.
//!
//! Whether they may is `judge`'s question. Here it is only made sure that the server can neither turn an
//! asking towards another household, nor show one again, nor put another key package beside it.

use std::collections::BTreeMap;

use homeline_protocol::id::CallId;
use sha2::{Digest, Sha256};

use super::grant::read_flag;
use crate::certificate::Certificate;
use crate::chain::Chain;
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(Asking);

/// How old an asking may be, beyond the clocks' skew.
pub const ASKING_AGE_MS_MAX: u64 = 60 * 1000;
/// How long a target remembers what it was asked: longer than one stays fresh, which may be signed ahead of
/// time.
pub const ASKED_FOR_MS: u64 = 12 * 60 * 1000;
const _: () = assert!(ASKED_FOR_MS > ASKING_AGE_MS_MAX + 2 * CLOCK_SKEW_MS);
/// More than anybody asks in that time; with a full memory a target refuses.
pub const ASKED_MAX: usize = 256;

#[derive(Clone, PartialEq, Eq)]
pub struct Asking {
    pub call: CallId,
    pub at: UnixMs,
    /// The household that is meant.
    pub target_genesis: PublicKey,
    pub picture: bool,
    /// SHA-256 of the whole `MLSMessage` with the key package.
    pub key_package_hash: [u8; 32],
    /// Of the device that asks. Nothing is said here about what it proves: `judge` verifies it.
    pub chain: Chain,
}

/// What an asking has to fit.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub call: CallId,
    /// The target's own household.
    pub genesis: PublicKey,
    pub key_package: &'a [u8],
    pub picture: bool,
}

/// Why an asking is not taken: genuine or not, it does not belong here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskingError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error("the asking is for another call")]
    OtherCall,
    #[error("the asking is too old, or from the future")]
    Stale,
    #[error("the asking means another household")]
    OtherHousehold,
    #[error("the asking is about another key package")]
    OtherKeyPackage,
    #[error("the asking says otherwise about the picture")]
    OtherPicture,
    #[error("the asking is signed by another key than its chain's")]
    WrongSigner,
}

impl Asking {
    pub fn new(
        call: CallId,
        at: UnixMs,
        target_genesis: PublicKey,
        picture: bool,
        key_package: &[u8],
        chain: &Chain,
    ) -> Self {
        Self {
            call,
            at,
            target_genesis,
            picture,
            key_package_hash: Sha256::digest(key_package).into(),
            chain: chain.clone(),
        }
    }

    pub fn sign(&self, device: &PrivateKey) -> Signed {
        Signed::sign(Context::DropInAsking, self.body(), device)
    }

    /// Checks all that the asking itself can show.
    ///
    /// # Errors
    /// [`AskingError`]: whoever asks so is refused as `initiator`.
    pub fn open(signed: &Signed, expected: Expected<'_>, now: UnixMs) -> Result<Self, AskingError> {
        signed.verify(Context::DropInAsking)?;
        let asking = Self::read(&signed.body)?;
        if asking.call != expected.call {
            return Err(AskingError::OtherCall);
        }
        let old = now.since(asking.at) > ASKING_AGE_MS_MAX + CLOCK_SKEW_MS;
        if old || asking.at.since(now) > CLOCK_SKEW_MS {
            return Err(AskingError::Stale);
        }
        if asking.target_genesis != expected.genesis {
            return Err(AskingError::OtherHousehold);
        }
        let hash: [u8; 32] = Sha256::digest(expected.key_package).into();
        if asking.key_package_hash != hash {
            return Err(AskingError::OtherKeyPackage);
        }
        if asking.picture != expected.picture {
            return Err(AskingError::OtherPicture);
        }
        let leaf = asking.chain.0.first();
        let leaf = leaf.and_then(|leaf| Certificate::read(&leaf.body).ok());
        match leaf.is_some_and(|leaf| leaf.subject == signed.signer) {
            true => Ok(asking),
            false => Err(AskingError::WrongSigner),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        Writer::new()
            .u8(1)
            .raw(&self.call.0)
            .u64(self.at.0)
            .raw(&self.target_genesis.0)
            .u8(self.picture.into())
            .raw(&self.key_package_hash)
            .vec16(&self.chain.encode())
            .finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let asking = Self {
            call: CallId(reader.array()?),
            at: UnixMs(reader.u64()?),
            target_genesis: PublicKey(reader.array()?),
            picture: read_flag(&mut reader, "picture")?,
            key_package_hash: reader.array()?,
            chain: Chain::decode(reader.vec16()?)?,
        };
        reader.finish()?;
        Ok(asking)
    }
}

/// The calls that somebody asked for lately: a drop-in is asked for once. Stored as it is, so that a restart
/// does not make an asking new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub calls: BTreeMap<CallId, UnixMs>,
}

impl Asked {
    /// Notes that a call was asked for. False: it was before, or nothing more can be remembered.
    pub fn note(&mut self, call: CallId, now: UnixMs) -> bool {
        self.calls.retain(|_, at| now.since(*at) <= ASKED_FOR_MS);
        if self.calls.contains_key(&call) || self.calls.len() >= ASKED_MAX {
            return false;
        }
        self.calls.insert(call, now);
        true
    }
}
