//! A ringing device's signed statement: this key package is mine, for this call.

use homeline_protocol::id::CallId;
use sha2::{Digest, Sha256};

use crate::chain::{Chain, ChainError, Identity, verify_chain_bytes};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::PrivateKey;
use crate::quiet::quiet_debug;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::UnixMs;

quiet_debug!(Ringing);

#[derive(Clone, PartialEq, Eq)]
pub struct Ringing {
    pub call: CallId,
    /// SHA-256 of the KeyPackage as it goes over the wire (the whole `MLSMessage`).
    pub key_package_hash: [u8; 32],
    /// The ringing device's chain, encoded.
    pub chain: Vec<u8>,
}

/// Why a key package is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RingingError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the statement is signed by another key than its chain's")]
    WrongSigner,
    #[error("the statement is for another call")]
    OtherCall,
    #[error("the statement is about another key package")]
    OtherKeyPackage,
}

impl Ringing {
    pub fn new(call: CallId, key_package: &[u8], chain: &Chain) -> Self {
        let key_package_hash = Sha256::digest(key_package).into();
        Self {
            call,
            key_package_hash,
            chain: chain.encode(),
        }
    }

    pub fn sign(&self, device: &PrivateKey) -> Signed {
        Signed::sign(Context::Ringing, self.body(), device)
    }

    pub fn open(
        signed: &Signed,
        call: CallId,
        key_package: &[u8],
        now: UnixMs,
    ) -> Result<Identity, RingingError> {
        signed.verify(Context::Ringing)?;
        let ringing = Self::read(&signed.body)?;
        if ringing.call != call {
            return Err(RingingError::OtherCall);
        }
        let hash: [u8; 32] = Sha256::digest(key_package).into();
        if ringing.key_package_hash != hash {
            return Err(RingingError::OtherKeyPackage);
        }
        let identity = verify_chain_bytes(&ringing.chain, now)?;
        match identity.device_key == signed.signer {
            true => Ok(identity),
            false => Err(RingingError::WrongSigner),
        }
    }

    fn body(&self) -> Vec<u8> {
        Writer::new()
            .u8(1)
            .raw(&self.call.0)
            .raw(&self.key_package_hash)
            .vec16(&self.chain)
            .finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let ringing = Self {
            call: CallId(reader.array()?),
            key_package_hash: reader.array()?,
            chain: reader.vec16()?.to_vec(),
        };
        reader.finish()?;
        Ok(ringing)
    }
}
