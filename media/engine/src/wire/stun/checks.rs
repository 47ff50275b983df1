//! What protects a STUN message: integrity, fingerprint, and the mask that hides addresses from NATs.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::{HEADER_LEN, MAGIC_COOKIE, TransactionId};

pub(super) const INTEGRITY_LEN: usize = 20;
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Password of a STUN exchange, with HMAC-SHA1's state computed.
#[derive(Clone)]
pub struct IntegrityKey(Hmac<Sha1>);

impl IntegrityKey {
    /// For short-term credentials, as in ICE, the key is the password itself.
    pub fn new(key: &[u8]) -> Self {
        Self(<Hmac<Sha1> as Mac>::new_from_slice(key).expect("HMAC takes any length"))
    }

    /// HMAC over `message` with the header's length set to reach past a MESSAGE-INTEGRITY at its end.
    fn mac(&self, message: &[u8]) -> Hmac<Sha1> {
        let announced = (message.len() - HEADER_LEN + 4 + INTEGRITY_LEN) as u16;
        let mut mac = self.0.clone();
        mac.update(&message[..2]);
        mac.update(&announced.to_be_bytes());
        mac.update(&message[4..]);
        mac
    }

    /// The value of a MESSAGE-INTEGRITY that follows `message`.
    pub(super) fn tag(&self, message: &[u8]) -> [u8; INTEGRITY_LEN] {
        self.mac(message).finalize().into_bytes().into()
    }

    /// Whether `tag` is that value; compares in constant time.
    pub(super) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.mac(message).verify_slice(tag).is_ok()
    }
}

/// The value of a FINGERPRINT that follows `message`.
pub(super) fn fingerprint(message: &[u8]) -> [u8; 4] {
    (crc32(message) ^ FINGERPRINT_XOR).to_be_bytes()
}

/// What addresses are XORed with: the cookie, for IPv6 followed by the transaction id.
pub(super) fn address_mask(transaction: TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE);
    mask[4..].copy_from_slice(&transaction.0);
    mask
}

pub(super) fn xored<const N: usize>(mut address: [u8; N], mask: &[u8; 16]) -> [u8; N] {
    for (byte, other) in address.iter_mut().zip(mask) {
        *byte ^= other;
    }
    address
}

/// CRC-32 of ITU-T V.42, as FINGERPRINT wants it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        CRC_TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8)
    })
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                0xedb8_8320 ^ (value >> 1)
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
};
