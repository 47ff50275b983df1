//! What the device that wants to drop in signs: who it is, on whom, when, and with which key package.
//!
//! The server carries it and can't make one: the target learns from it, and not from the server, who asks.
//! It is for one drop-in and one household.

use homeline_protocol::id::CallId;
use sha2::{Digest, Sha256};

use crate::chain::{Chain, ChainError, Identity, verify_chain};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(Asking, Asked);

/// How old an asking may be, beyond the clocks' skew. A target has decided long before.
pub const ASKING_AGE_MS_MAX: u64 = 60 * 1000;

#[derive(Clone, PartialEq, Eq)]
pub struct Asking {
    pub call: CallId,
    pub at: UnixMs,
    /// The household that is meant.
    pub target_genesis: PublicKey,
    pub picture: bool,
    /// SHA-256 of the KeyPackage as it goes over the wire (the whole `MLSMessage`).
    pub key_package_hash: [u8; 32],
    /// The asking device's chain, encoded.
    pub chain: Vec<u8>,
}

/// An asking that holds, and who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    pub asking: Asking,
    pub chain: Chain,
    pub initiator: Identity,
}

/// Why an asking does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskingError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the asking is signed by another key than its chain's")]
    WrongSigner,
    #[error("the asking is for another drop-in")]
    OtherCall,
    #[error("the asking is for another household")]
    OtherHousehold,
    #[error("the asking is about another key package")]
    OtherKeyPackage,
    #[error("the asking is too old, or from the future")]
    Stale,
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
            chain: chain.encode(),
        }
    }

    pub fn sign(&self, device: &PrivateKey) -> Signed {
        Signed::sign(Context::DropInAsking, self.body(), device)
    }

    /// Opens what came for `call`, with this key package, at a device of the household `own`.
    ///
    /// # Errors
    /// When anything does not fit. That it was not asked before is looked at by whoever remembers.
    pub fn open(
        signed: &Signed,
        call: CallId,
        key_package: &[u8],
        own: PublicKey,
        now: UnixMs,
    ) -> Result<Asked, AskingError> {
        signed.verify(Context::DropInAsking)?;
        let asking = Self::read(&signed.body)?;
        if asking.call != call {
            return Err(AskingError::OtherCall);
        }
        let too_old = now.since(asking.at) > ASKING_AGE_MS_MAX + CLOCK_SKEW_MS;
        if too_old || asking.at.since(now) > CLOCK_SKEW_MS {
            return Err(AskingError::Stale);
        }
        if asking.target_genesis != own {
            return Err(AskingError::OtherHousehold);
        }
        let hash: [u8; 32] = Sha256::digest(key_package).into();
        if asking.key_package_hash != hash {
            return Err(AskingError::OtherKeyPackage);
        }
        let chain = Chain::decode(&asking.chain)?;
        let initiator = verify_chain(&chain, now)?;
        match initiator.device_key == signed.signer {
            true => Ok(Asked {
                asking,
                chain,
                initiator,
            }),
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
            .vec16(&self.chain)
            .finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    ///
    /// # Errors
    /// When it is not in the one form that an asking has.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let asking = Self {
            call: CallId(reader.array()?),
            at: UnixMs(reader.u64()?),
            target_genesis: PublicKey(reader.array()?),
            picture: match reader.u8()? {
                0 => false,
                1 => true,
                other => {
                    return Err(DecodeError::Value {
                        field: "picture",
                        value: other.into(),
                    });
                }
            },
            key_package_hash: reader.array()?,
            chain: reader.vec16()?.to_vec(),
        };
        reader.finish()?;
        Ok(asking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{House, NOW, key};
    use crate::time::DAY_MS;

    const CALL: CallId = CallId([3; 16]);

    fn asking(house: &House, target: PublicKey) -> Asking {
        Asking::new(CALL, NOW, target, true, b"package", &house.app_chain())
    }

    #[test]
    fn an_asking_tells_who_wants_to_drop_in_and_is_for_one_time_and_place() {
        let (house, target) = (House::new(10), key(40).public());
        let signed = asking(&house, target).sign(&house.app);
        let signed = Signed::decode(&signed.encode()).unwrap();
        let open = |call, package: &[u8], own, now| {
            Asking::open(&signed, call, package, own, now).map(|asked| asked.initiator.device_key)
        };
        let app = house.app.public();
        assert_eq!(open(CALL, b"package", target, NOW), Ok(app));
        let other = CallId([4; 16]);
        let refused = |opened: Result<PublicKey, AskingError>| opened.unwrap_err();
        assert_eq!(
            refused(open(other, b"package", target, NOW)),
            AskingError::OtherCall
        );
        assert_eq!(
            refused(open(CALL, b"another", target, NOW)),
            AskingError::OtherKeyPackage
        );
        let own = key(41).public();
        assert_eq!(
            refused(open(CALL, b"package", own, NOW)),
            AskingError::OtherHousehold
        );
        let last = NOW.plus(ASKING_AGE_MS_MAX + CLOCK_SKEW_MS);
        assert_eq!(open(CALL, b"package", target, last), Ok(app));
        for now in [
            last.plus(1),
            NOW.minus(CLOCK_SKEW_MS + 1),
            NOW.plus(31 * DAY_MS),
        ] {
            let found = refused(open(CALL, b"package", target, now));
            assert_eq!(found, AskingError::Stale);
        }
    }

    #[test]
    fn a_chain_is_not_borrowed_nor_a_signature_used_for_another_purpose() {
        let (house, target) = (House::new(10), key(40).public());
        let asking = asking(&house, target);
        let open =
            |signed: &Signed| Asking::open(signed, CALL, b"package", target, NOW).unwrap_err();
        assert_eq!(open(&asking.sign(&key(90))), AskingError::WrongSigner);
        let other = Signed::sign(Context::Ringing, asking.body(), &house.app);
        assert_eq!(open(&other), AskingError::Signature(BadSignature));
    }
}
