//! Reads a STUN message and checks its integrity and fingerprint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::checks::{INTEGRITY_LEN, IntegrityKey, address_mask, fingerprint, xored};
use super::{HEADER_LEN, MAGIC_COOKIE, STUN_LEN_MAX, attribute};

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

    /// The method; [`BINDING`](super::BINDING) is the one that ICE uses.
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
            key.verify(&self.bytes[..at], tag)
        })
    }

    /// Whether FINGERPRINT is right; `None` when there is none.
    pub fn verify_fingerprint(&self) -> Option<bool> {
        let at = self.fingerprint_at?;
        let expected = fingerprint(&self.bytes[..at]);
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
        self.unmask(self.attribute(attribute::XOR_MAPPED_ADDRESS)?)
    }

    /// The address in the value of an attribute that is written like XOR-MAPPED-ADDRESS.
    pub fn unmask(&self, value: &[u8]) -> Option<SocketAddr> {
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

/// The attribute whose header starts at `at`; `None` at the end or when it overruns `bytes`.
fn attribute_at(bytes: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
    Some((u16::from_be_bytes([head[0], head[1]]), rest.get(..len)?))
}
