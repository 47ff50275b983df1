//! Ed25519 keys: public ones that can be compared and shown, private ones that cannot be logged.

use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

/// 32 raw bytes of an Ed25519 public key. Whether they are a point on the curve is found when a
/// signature is checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// "No key", where a format has a place for one that is not there yet.
    pub const ZERO: Self = Self([0; 32]);

    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Strict verification (RFC 8032): no small-order keys, no malleable signatures.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&self.0) else {
            return false;
        };
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.verify_strict(message, &signature).is_ok()
    }
}

impl std::fmt::Debug for PublicKey {
    /// Four bytes: enough to tell two keys apart in a test, too little to be a pseudonym in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "PublicKey({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// A private key. Wiped from memory when dropped; neither `Debug` nor `Display`.
#[derive(Clone)]
pub struct PrivateKey(ed25519_dalek::SigningKey);

impl PrivateKey {
    /// The seed is 32 random bytes, or those that a recovery code gives.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// To be stored in a file of mode 0600 or a system key store, nowhere else.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Seed and public key in one, as MLS's Ed25519 wants its private keys.
    pub(crate) fn keypair_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_keypair_bytes().to_vec())
    }
}
