//! Writes a STUN message into a given buffer.

use std::net::{IpAddr, SocketAddr};

use super::checks::{IntegrityKey, address_mask, fingerprint, xored};
use super::{Class, HEADER_LEN, MAGIC_COOKIE, STUN_LEN_MAX, TransactionId, attribute};

/// The buffer is too short for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for the stun message")]
pub struct NoRoom;

/// Writes one message, attribute by attribute.
pub struct StunWriter<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> StunWriter<'a> {
    /// Starts a message. 200 bytes hold any that ICE-lite sends.
    pub fn new(
        out: &'a mut [u8],
        class: Class,
        method: u16,
        transaction: TransactionId,
    ) -> Result<Self, NoRoom> {
        let header: &mut [u8; HEADER_LEN] = out.first_chunk_mut().ok_or(NoRoom)?;
        let class_bits = match class {
            Class::Request => 0,
            Class::Indication => 0x0010,
            Class::Success => 0x0100,
            Class::Error => 0x0110,
        };
        let kind = (method & 0x000f) | (method & 0x0070) << 1 | (method & 0x0f80) << 2 | class_bits;
        header[..2].copy_from_slice(&kind.to_be_bytes());
        header[4..8].copy_from_slice(&MAGIC_COOKIE);
        header[8..].copy_from_slice(&transaction.0);
        Ok(Self {
            out,
            at: HEADER_LEN,
        })
    }

    /// Appends an attribute of any type.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> Result<(), NoRoom> {
        let end = self.at + 4 + value.len().next_multiple_of(4);
        if end > STUN_LEN_MAX {
            return Err(NoRoom);
        }
        let space = self.out.get_mut(self.at..end).ok_or(NoRoom)?;
        space[..2].copy_from_slice(&kind.to_be_bytes());
        space[2..4].copy_from_slice(&(value.len() as u16).to_be_bytes());
        space[4..4 + value.len()].copy_from_slice(value);
        space[4 + value.len()..].fill(0);
        self.at = end;
        Ok(())
    }

    /// Appends USERNAME.
    pub fn username(&mut self, username: &str) -> Result<(), NoRoom> {
        self.attribute(attribute::USERNAME, username.as_bytes())
    }

    /// Appends PRIORITY.
    pub fn priority(&mut self, priority: u32) -> Result<(), NoRoom> {
        self.attribute(attribute::PRIORITY, &priority.to_be_bytes())
    }

    /// Appends USE-CANDIDATE.
    pub fn use_candidate(&mut self) -> Result<(), NoRoom> {
        self.attribute(attribute::USE_CANDIDATE, &[])
    }

    /// Appends ICE-CONTROLLING.
    pub fn ice_controlling(&mut self, tie_breaker: u64) -> Result<(), NoRoom> {
        self.attribute(attribute::ICE_CONTROLLING, &tie_breaker.to_be_bytes())
    }

    /// Appends ICE-CONTROLLED.
    pub fn ice_controlled(&mut self, tie_breaker: u64) -> Result<(), NoRoom> {
        self.attribute(attribute::ICE_CONTROLLED, &tie_breaker.to_be_bytes())
    }

    /// Appends XOR-MAPPED-ADDRESS.
    pub fn xor_mapped_address(&mut self, address: SocketAddr) -> Result<(), NoRoom> {
        self.xor_address(attribute::XOR_MAPPED_ADDRESS, address)
    }

    /// Appends an address as XOR-MAPPED-ADDRESS is written, under another attribute's type.
    pub fn xor_address(&mut self, kind: u16, address: SocketAddr) -> Result<(), NoRoom> {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.out[8..HEADER_LEN]);
        let mask = address_mask(TransactionId(transaction));
        let port = address.port().to_be_bytes();
        let mut value = [
            0,
            0,
            port[0] ^ mask[0],
            port[1] ^ mask[1],
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        let len = match address.ip() {
            IpAddr::V4(ip) => {
                value[1] = 1;
                value[4..8].copy_from_slice(&xored(ip.octets(), &mask));
                8
            }
            IpAddr::V6(ip) => {
                value[1] = 2;
                value[4..].copy_from_slice(&xored(ip.octets(), &mask));
                20
            }
        };
        self.attribute(kind, &value[..len])
    }

    /// Appends ERROR-CODE; codes outside 300 to 699 are written as 500.
    pub fn error_code(&mut self, code: u16, reason: &str) -> Result<(), NoRoom> {
        let code = if (300..700).contains(&code) {
            code
        } else {
            500
        };
        let mut value = [0; 4 + REASON_LEN_MAX];
        value[2] = (code / 100) as u8;
        value[3] = (code % 100) as u8;
        let reason = &reason.as_bytes()[..reason.len().min(REASON_LEN_MAX)];
        value[4..4 + reason.len()].copy_from_slice(reason);
        self.attribute(attribute::ERROR_CODE, &value[..4 + reason.len()])
    }

    /// Seals the message: MESSAGE-INTEGRITY when there is a key, FINGERPRINT always. Returns its length.
    pub fn finish(mut self, key: Option<&IntegrityKey>) -> Result<usize, NoRoom> {
        if let Some(key) = key {
            let tag = key.tag(&self.out[..self.at]);
            self.attribute(attribute::MESSAGE_INTEGRITY, &tag)?;
        }
        let announced = (self.at - HEADER_LEN + 8) as u16;
        self.out[2..4].copy_from_slice(&announced.to_be_bytes());
        let value = fingerprint(&self.out[..self.at]);
        self.attribute(attribute::FINGERPRINT, &value)?;
        Ok(self.at)
    }
}

/// Reason phrases are for people reading traces; longer ones are cut.
const REASON_LEN_MAX: usize = 64;
