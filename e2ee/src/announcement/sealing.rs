//! The key with which a device takes what is sealed to it, and its signed word on it.
//!
//! HPKE (RFC 9180) in base mode, as MLS's suite 1 has it: X25519, HKDF-SHA256, AES-128-GCM. The key comes
//! from the device's own, so that a device has nothing more to keep.

use hkdf::Hkdf;
use mls_rs_core::crypto::{
    CipherSuite, CipherSuiteProvider, CryptoProvider, HpkeCiphertext, HpkePublicKey, HpkeSecretKey,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::roster::Roster;
use crate::signed::{BadSignature, Context, Signed};

quiet_debug!(SealingStatement);

const SUITE: CipherSuite = CipherSuite::CURVE25519_AES128;

/// What others seal to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealingPublic(pub [u8; 32]);

/// A device's sealing key. No `Debug`.
pub struct SealingKey {
    secret: HpkeSecretKey,
    public: SealingPublic,
}

/// A device's word on its sealing key.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingStatement {
    pub genesis: PublicKey,
    pub device: PublicKey,
    pub key: SealingPublic,
}

/// Why nothing is sealed to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealingKeyError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error("the sealing key is of another household")]
    OtherHousehold,
    #[error("a device's sealing key is signed by somebody else")]
    WrongSigner,
    #[error("the device is not in the household")]
    NotInRoster,
}

impl SealingKey {
    pub fn of(device: &PrivateKey) -> Self {
        let mut ikm = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(b"homeline sealing key v1"), device.seed().as_ref())
            .expand(b"seal", ikm.as_mut())
            .expect("32 bytes are one block of HKDF-SHA256");
        let (secret, public) = suite()
            .kem_derive(ikm.as_ref())
            .expect("32 bytes are enough");
        let public = public
            .as_ref()
            .try_into()
            .expect("an X25519 key has 32 bytes");
        Self {
            secret,
            public: SealingPublic(public),
        }
    }

    pub fn public(&self) -> SealingPublic {
        self.public
    }

    pub(super) fn open(
        &self,
        (enc, ciphertext): (&[u8], &[u8]),
        info: &[u8],
        aad: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = HpkeCiphertext {
            kem_output: enc.to_vec(),
            ciphertext: ciphertext.to_vec(),
        };
        let public = HpkePublicKey::from(self.public.0.to_vec());
        suite()
            .hpke_open(&sealed, &self.secret, &public, info, Some(aad))
            .ok()
    }
}

impl SealingPublic {
    /// `None` for a key that is no point to agree with.
    pub(super) fn seal(&self, info: &[u8], aad: &[u8], what: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let public = HpkePublicKey::from(self.0.to_vec());
        let sealed = suite().hpke_seal(&public, info, Some(aad), what).ok()?;
        Some((sealed.kem_output, sealed.ciphertext))
    }
}

impl SealingStatement {
    pub fn sign(genesis: PublicKey, device: &PrivateKey) -> Signed {
        let statement = Self {
            genesis,
            device: device.public(),
            key: SealingKey::of(device).public(),
        };
        Signed::sign(Context::SealingKey, statement.body(), device)
    }

    /// Opens the statement of a device that is in this roster now.
    ///
    /// # Errors
    /// When it is not the device's own word, or the device is none of the household.
    pub fn open(signed: &Signed, roster: &Roster) -> Result<Self, SealingKeyError> {
        signed.verify(Context::SealingKey)?;
        let statement = Self::read(&signed.body)?;
        if statement.genesis != roster.genesis_key() {
            return Err(SealingKeyError::OtherHousehold);
        }
        if statement.device != signed.signer {
            return Err(SealingKeyError::WrongSigner);
        }
        match roster.devices().contains_key(&statement.device) {
            true => Ok(statement),
            false => Err(SealingKeyError::NotInRoster),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        Writer::new()
            .u8(1)
            .raw(&self.genesis.0)
            .raw(&self.device.0)
            .raw(&self.key.0)
            .finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    ///
    /// # Errors
    /// When it is not in the one form that it has.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let statement = Self {
            genesis: PublicKey(reader.array()?),
            device: PublicKey(reader.array()?),
            key: SealingPublic(reader.array()?),
        };
        reader.finish()?;
        Ok(statement)
    }
}

pub(super) fn suite() -> impl CipherSuiteProvider {
    RustCryptoProvider::with_enabled_cipher_suites(vec![SUITE])
        .cipher_suite_provider(SUITE)
        .expect("the suite was enabled")
}
