//! Ids that prove themselves: hashes of the keys they stand for.

use homeline_protocol::id::{DeviceId, HouseholdId};
use sha2::{Digest, Sha256};

use crate::key::PublicKey;

/// All 32 bytes of a household's hash: what links and QR codes carry.
pub fn fingerprint(genesis: PublicKey) -> [u8; 32] {
    hash(b"homeline household v1", genesis)
}

pub fn household_id(genesis: PublicKey) -> HouseholdId {
    HouseholdId(first_half(fingerprint(genesis)))
}

pub fn device_id(device: PublicKey) -> DeviceId {
    DeviceId(first_half(hash(b"homeline device v1", device)))
}

fn hash(label: &[u8], key: PublicKey) -> [u8; 32] {
    Sha256::new()
        .chain_update(label)
        .chain_update(key.0)
        .finalize()
        .into()
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}
