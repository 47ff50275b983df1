//! Protection profiles and the master keys that a DTLS handshake exports for them.

use zeroize::Zeroize;

use super::{Inbound, Outbound};

/// An SRTP protection profile (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// AES-128 in Galois/counter mode: the fast one, offered first.
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode: for peers that have no other GCM.
    AeadAes256Gcm,
    /// AES-128 in counter mode with an 80-bit HMAC-SHA1 tag: the one every peer has.
    Aes128CmHmacSha1_80,
}

impl Profile {
    /// The profiles that we take, the preferred one first.
    pub const PREFERRED: [Self; 3] = [
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
        Self::Aes128CmHmacSha1_80,
    ];

    /// The profile with this number in DTLS's `use_srtp` extension.
    pub const fn from_id(id: u16) -> Option<Self> {
        match id {
            0x0007 => Some(Self::AeadAes128Gcm),
            0x0008 => Some(Self::AeadAes256Gcm),
            0x0001 => Some(Self::Aes128CmHmacSha1_80),
            _ => None,
        }
    }

    /// The number in DTLS's `use_srtp` extension.
    pub const fn id(self) -> u16 {
        match self {
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
            Self::Aes128CmHmacSha1_80 => 0x0001,
        }
    }

    /// Its name in IANA's registry of DTLS-SRTP protection profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
            Self::Aes128CmHmacSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
        }
    }

    /// Length of a master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::Aes128CmHmacSha1_80 => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Length of a master salt: 96 bits for GCM, 112 for counter mode.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            Self::Aes128CmHmacSha1_80 => 14,
        }
    }

    /// Bytes to export from DTLS under the label `EXTRACTOR-dtls_srtp`.
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// Bytes that protection adds to an RTP packet.
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
            Self::Aes128CmHmacSha1_80 => 10,
        }
    }

    /// Bytes that protection adds to an RTCP packet: the tag and the index.
    pub const fn rtcp_overhead(self) -> usize {
        self.rtp_overhead() + 4
    }
}

/// Longest key of any profile.
pub(crate) const KEY_LEN_MAX: usize = 32;

/// Longest salt of any profile.
pub(crate) const SALT_LEN_MAX: usize = 14;

/// Which end of the DTLS handshake we were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtlsRole {
    /// We sent the ClientHello (`a=setup:active`).
    Client,
    /// We answered it (`a=setup:passive`).
    Server,
}

/// Why keys were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The material has not the length that the profile needs.
    #[error("keying material has {found} bytes, {needed} needed")]
    Length {
        /// What the profile needs.
        needed: usize,
        /// What was given.
        found: usize,
    },
}

/// One direction's master key and salt. Wiped when dropped, never printed.
pub struct MasterKey {
    pub(crate) profile: Profile,
    /// Zero behind the profile's length.
    key: [u8; KEY_LEN_MAX],
    /// The salt, zero-padded on the right, which is how RFC 7714 section 11 fits it to the key
    /// derivation of RFC 3711.
    pub(crate) salt: [u8; SALT_LEN_MAX],
}

impl MasterKey {
    /// Checks the lengths against the profile.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        if key.len() != profile.key_len() {
            return Err(KeyError::Length {
                needed: profile.key_len(),
                found: key.len(),
            });
        }
        let mut padded_key = [0; KEY_LEN_MAX];
        padded_key[..key.len()].copy_from_slice(key);
        if salt.len() != profile.salt_len() {
            return Err(KeyError::Length {
                needed: profile.salt_len(),
                found: salt.len(),
            });
        }
        let mut padded = [0; SALT_LEN_MAX];
        padded[..salt.len()].copy_from_slice(salt);
        Ok(Self {
            profile,
            key: padded_key,
            salt: padded,
        })
    }

    /// The key, as long as the profile's keys are.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key[..self.profile.key_len()]
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

/// Both directions' contexts from the bytes that DTLS exported (RFC 5764 section 4.2): client key,
/// server key, client salt, server salt. The caller wipes `material`.
pub fn from_exporter(
    profile: Profile,
    material: &[u8],
    role: DtlsRole,
) -> Result<(Inbound, Outbound), KeyError> {
    let needed = profile.keying_material_len();
    if material.len() != needed {
        return Err(KeyError::Length {
            needed,
            found: material.len(),
        });
    }
    let (keys, salts) = material.split_at(2 * profile.key_len());
    let (client_key, server_key) = keys.split_at(profile.key_len());
    let (client_salt, server_salt) = salts.split_at(profile.salt_len());
    let client = MasterKey::new(profile, client_key, client_salt)?;
    let server = MasterKey::new(profile, server_key, server_salt)?;
    Ok(match role {
        DtlsRole::Client => (Inbound::new(&server), Outbound::new(&client)),
        DtlsRole::Server => (Inbound::new(&client), Outbound::new(&server)),
    })
}
