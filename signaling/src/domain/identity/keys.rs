//! Keys, and the ids and commitments that are hashes of them.

use homeline_protocol::Handle;
use homeline_protocol::id::{DeviceId, HouseholdId};
use homeline_protocol::session::DeviceKind;
use ring::digest::{Context, SHA256};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::Malformed;

/// An Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = Malformed;
    fn try_from(bytes: &[u8]) -> Result<Self, Malformed> {
        bytes.try_into().map(Self).map_err(|_| Malformed)
    }
}

/// The id of the household that a genesis key founds.
#[must_use]
pub fn household_id(genesis: PublicKey) -> HouseholdId {
    HouseholdId(first_half(sha256(&[b"homeline household v1", &genesis.0])))
}

/// The id of the app or home device that holds a key.
#[must_use]
pub fn device_id(device: PublicKey) -> DeviceId {
    DeviceId(first_half(sha256(&[b"homeline device v1", &device.0])))
}

/// What a device committed to when it asked to be paired.
#[must_use]
pub fn pairing_commit(key: PublicKey, nonce: &[u8; 32], kind: DeviceKind, label: &str) -> [u8; 32] {
    let kind = match kind {
        DeviceKind::App => 1,
        DeviceKind::HomeDevice => 2,
    };
    let length = u16::try_from(label.len()).unwrap_or(u16::MAX).to_be_bytes();
    let parts: [&[u8]; 6] = [
        b"homeline pairing device v1",
        &key.0,
        nonce,
        &[kind],
        &length,
        label.as_bytes(),
    ];
    sha256(&parts)
}

/// Whether an app signed that it signs in now.
#[must_use]
pub fn verify_app_proof(key: PublicKey, handle: &Handle, at_ms: u64, signature: &[u8]) -> bool {
    let at_ms = at_ms.to_string();
    let parts: [&[u8]; 5] = [
        b"homeline sign-in v1",
        &[0],
        handle.as_str().as_bytes(),
        &[0],
        at_ms.as_bytes(),
    ];
    key.verifies(&parts.concat(), signature)
}

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}
