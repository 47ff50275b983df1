//! STUN messages as ICE needs them: read from borrowed bytes, written into a given buffer.
//!
//! RFC 8489 (format, integrity, fingerprint) and RFC 8445 section 16 (ICE attributes). Only the 96-bit
//! transaction ids of RFC 5389 and later are read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, Mac};
use sha1::Sha1;

/// The only method that ICE uses.
pub const BINDING: u16 = 0x001;

/// Attribute types (RFC 8489 section 18.3, RFC 8445 section 20).
pub mod attribute {
    /// USERNAME.
    pub const USERNAME: u16 = 0x0006;
    /// MESSAGE-INTEGRITY.
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    /// ERROR-CODE.
    pub const ERROR_CODE: u16 = 0x0009;
    /// UNKNOWN-ATTRIBUTES.
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    /// REALM.
    pub const REALM: u16 = 0x0014;
    /// NONCE.
    pub const NONCE: u16 = 0x0015;
    /// MESSAGE-INTEGRITY-SHA256.
    pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
    /// XOR-MAPPED-ADDRESS.
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    /// PRIORITY.
    pub const PRIORITY: u16 = 0x0024;
    /// USE-CANDIDATE.
    pub const USE_CANDIDATE: u16 = 0x0025;
    /// SOFTWARE.
    pub const SOFTWARE: u16 = 0x8022;
    /// FINGERPRINT.
    pub const FINGERPRINT: u16 = 0x8028;
    /// ICE-CONTROLLED.
    pub const ICE_CONTROLLED: u16 = 0x8029;
    /// ICE-CONTROLLING.
    pub const ICE_CONTROLLING: u16 = 0x802a;
}

const HEADER_LEN: usize = 20;
const MAGIC_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const INTEGRITY_LEN: usize = 20;
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Longest message that is read: ICE's have under 200 bytes, and parsing walks the attributes.
pub const STUN_LEN_MAX: usize = 1_500;

/// What kind of message this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// Answers a request.
    Success,
    /// Refuses a request.
    Error,
}

/// Ties an answer to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// Why bytes are not a STUN message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StunError {
    /// The bytes end inside the header or an attribute.
    #[error("message ends too early")]
    Truncated,
    /// More bytes than the header announces, or than are ever read.
    #[error("message is longer than announced")]
    TooLong,
    /// No magic cookie, or the first two bits are set.
    #[error("not a stun message")]
    NotStun,
    /// FINGERPRINT is not the last attribute, or an integrity attribute has the wrong length.
    #[error("misplaced or malformed attribute {0:#06x}")]
    Attribute(u16),
}

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
}

/// A message whose attributes are known to lie inside it.
#[derive(Clone, Copy)]
pub struct StunMessage<'a> {
    bytes: &'a [u8],
    integrity_at: Option<usize>,
    fingerprint_at: Option<usize>,
}

impl<'a> StunMessage<'a> {
    /// Reads a message that fills `bytes` exactly.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, StunError> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(StunError::Truncated)?;
        if header[0] & 0xc0 != 0 || header[4..8] != MAGIC_COOKIE {
            return Err(StunError::NotStun);
        }
        let announced = HEADER_LEN + usize::from(u16::from_be_bytes([header[2], header[3]]));
        if bytes.len() < announced {
            return Err(StunError::Truncated);
        }
        if bytes.len() > announced || announced > STUN_LEN_MAX {
            return Err(StunError::TooLong);
        }
        let mut message = Self {
            bytes,
            integrity_at: None,
            fingerprint_at: None,
        };
        message.find_checks()?;
        Ok(message)
    }

    fn find_checks(&mut self) -> Result<(), StunError> {
        let mut at = HEADER_LEN;
        while at < self.bytes.len() {
            if self.fingerprint_at.is_some() {
                return Err(StunError::Attribute(attribute::FINGERPRINT));
            }
            let (kind, value) = attribute_at(self.bytes, at).ok_or(StunError::Truncated)?;
            match kind {
                attribute::MESSAGE_INTEGRITY if self.integrity_at.is_none() => {
                    if value.len() != INTEGRITY_LEN {
                        return Err(StunError::Attribute(kind));
                    }
                    self.integrity_at = Some(at);
                }
                attribute::FINGERPRINT => {
                    if value.len() != 4 {
                        return Err(StunError::Attribute(kind));
                    }
                    self.fingerprint_at = Some(at);
                }
                _ => {}
            }
            at += 4 + value.len().next_multiple_of(4);
        }
        // The last attribute's padding counts: RFC 8489 section 5 wants the length in words.
        if at == self.bytes.len() {
            Ok(())
        } else {
            Err(StunError::Truncated)
        }
    }

    /// Request, indication, success or error.
    pub fn class(&self) -> Class {
        match (self.bytes[0] & 1, self.bytes[1] & 0x10) {
            (0, 0) => Class::Request,
            (0, _) => Class::Indication,
            (_, 0) => Class::Success,
            (_, _) => Class::Error,
        }
    }

    /// The method; [`BINDING`] is the one that ICE uses.
    pub fn method(&self) -> u16 {
        let kind = u16::from_be_bytes([self.bytes[0], self.bytes[1]]);
        (kind & 0x000f) | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2
    }

    /// The transaction id.
    pub fn transaction(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER_LEN]);
        TransactionId(id)
    }

    /// The attributes that integrity covers, as `(type, value)`. Those behind MESSAGE-INTEGRITY are left
    /// out, as RFC 8489 section 14.5 demands: anyone could have appended them.
    pub fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let end = self
            .integrity_at
            .or(self.fingerprint_at)
            .unwrap_or(self.bytes.len());
        let bytes = &self.bytes[..end];
        let mut at = HEADER_LEN;
        std::iter::from_fn(move || {
            let (kind, value) = attribute_at(bytes, at)?;
            at += 4 + value.len().next_multiple_of(4);
            Some((kind, value))
        })
    }

    /// The first attribute of a type.
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes()
            .find(|(found, _)| *found == kind)
            .map(|(_, value)| value)
    }

    /// Whether there is a MESSAGE-INTEGRITY at all.
    pub fn has_integrity(&self) -> bool {
        self.integrity_at.is_some()
    }

    /// Whether MESSAGE-INTEGRITY is there and right. Compares in constant time.
    pub fn verify_integrity(&self, key: &IntegrityKey) -> bool {
        self.integrity_at.is_some_and(|at| {
            let tag = &self.bytes[at + 4..at + 4 + INTEGRITY_LEN];
            key.mac(&self.bytes[..at]).verify_slice(tag).is_ok()
        })
    }

    /// Whether FINGERPRINT is right; `None` when there is none.
    pub fn verify_fingerprint(&self) -> Option<bool> {
        let at = self.fingerprint_at?;
        let expected = (crc32(&self.bytes[..at]) ^ FINGERPRINT_XOR).to_be_bytes();
        Some(self.bytes[at + 4..at + 8] == expected)
    }

    /// USERNAME.
    pub fn username(&self) -> Option<&'a str> {
        std::str::from_utf8(self.attribute(attribute::USERNAME)?).ok()
    }

    /// The two ufrags of an ICE check's USERNAME: the receiver's (ours), then the sender's.
    pub fn ufrags(&self) -> Option<(&'a str, &'a str)> {
        self.username()?.split_once(':')
    }

    /// PRIORITY.
    pub fn priority(&self) -> Option<u32> {
        self.attribute(attribute::PRIORITY)?
            .try_into()
            .ok()
            .map(u32::from_be_bytes)
    }

    /// USE-CANDIDATE: the controlling side nominates this pair.
    pub fn use_candidate(&self) -> bool {
        self.attribute(attribute::USE_CANDIDATE).is_some()
    }

    /// Tie-breaker of ICE-CONTROLLING.
    pub fn ice_controlling(&self) -> Option<u64> {
        self.attribute(attribute::ICE_CONTROLLING)?
            .try_into()
            .ok()
            .map(u64::from_be_bytes)
    }

    /// Tie-breaker of ICE-CONTROLLED.
    pub fn ice_controlled(&self) -> Option<u64> {
        self.attribute(attribute::ICE_CONTROLLED)?
            .try_into()
            .ok()
            .map(u64::from_be_bytes)
    }

    /// XOR-MAPPED-ADDRESS.
    pub fn xor_mapped_address(&self) -> Option<SocketAddr> {
        let value = self.attribute(attribute::XOR_MAPPED_ADDRESS)?;
        let (head, address) = value.split_first_chunk::<4>()?;
        let port = u16::from_be_bytes([head[2] ^ MAGIC_COOKIE[0], head[3] ^ MAGIC_COOKIE[1]]);
        let mask = address_mask(self.transaction());
        let ip: IpAddr = match head[1] {
            1 => Ipv4Addr::from(xored(<[u8; 4]>::try_from(address).ok()?, &mask)).into(),
            2 => Ipv6Addr::from(xored(<[u8; 16]>::try_from(address).ok()?, &mask)).into(),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// The number in ERROR-CODE, 300 to 699.
    pub fn error_code(&self) -> Option<u16> {
        let value = self.attribute(attribute::ERROR_CODE)?;
        let (hundreds, rest) = (value.get(2)? & 7, *value.get(3)?);
        (3..=6).contains(&hundreds).then_some(())?;
        (rest < 100).then(|| u16::from(hundreds) * 100 + u16::from(rest))
    }

    /// Attributes that the sender requires us to understand and that nobody here does (for a 420).
    pub fn unknown_required(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.attributes().map(|(kind, _)| kind).filter(|kind| {
            *kind < 0x8000
                && !matches!(
                    *kind,
                    attribute::USERNAME
                        | attribute::ERROR_CODE
                        | attribute::UNKNOWN_ATTRIBUTES
                        | attribute::REALM
                        | attribute::NONCE
                        | attribute::MESSAGE_INTEGRITY_SHA256
                        | attribute::XOR_MAPPED_ADDRESS
                        | attribute::PRIORITY
                        | attribute::USE_CANDIDATE
                )
        })
    }
}

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
        self.attribute(attribute::XOR_MAPPED_ADDRESS, &value[..len])
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
            let tag = key.mac(&self.out[..self.at]).finalize().into_bytes();
            self.attribute(attribute::MESSAGE_INTEGRITY, &tag)?;
        }
        let announced = (self.at - HEADER_LEN + 8) as u16;
        self.out[2..4].copy_from_slice(&announced.to_be_bytes());
        let fingerprint = crc32(&self.out[..self.at]) ^ FINGERPRINT_XOR;
        self.attribute(attribute::FINGERPRINT, &fingerprint.to_be_bytes())?;
        Ok(self.at)
    }
}

/// Reason phrases are for people reading traces; longer ones are cut.
const REASON_LEN_MAX: usize = 64;

/// The attribute whose header starts at `at`; `None` at the end or when it overruns `bytes`.
fn attribute_at(bytes: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
    Some((u16::from_be_bytes([head[0], head[1]]), rest.get(..len)?))
}

/// What addresses are XORed with: the cookie, for IPv6 followed by the transaction id.
fn address_mask(transaction: TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE);
    mask[4..].copy_from_slice(&transaction.0);
    mask
}

fn xored<const N: usize>(mut address: [u8; N], mask: &[u8; 16]) -> [u8; N] {
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
