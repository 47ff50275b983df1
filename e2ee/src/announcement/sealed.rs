//! An announcement's content: encrypted once, its key sealed to each device.

use homeline_protocol::id::AnnouncementId;
use mls_rs_core::crypto::CipherSuiteProvider;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::sealing::{SealingKey, SealingPublic, suite};
use super::statement::{
    Announcement, DEVICES_MAX, Kind, LENGTH_MS_MAX, SOUND_BYTES_MAX, SealedKey, TEXT_BYTES_MAX,
};
use crate::chain::Chain;
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::Signed;
use crate::time::UnixMs;

quiet_debug!(Content, Draft, Sealed);

/// The content's key is used once, so that its nonce may be anything.
const NONCE: [u8; 12] = [0; 12];

/// What is said.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Opus in Ogg, and how long it lasts.
    Sound {
        ogg: Vec<u8>,
        length_ms: u64,
    },
    Text(String),
}

/// What is to be announced.
#[derive(Clone)]
pub struct Draft {
    pub id: AnnouncementId,
    pub content: Content,
    pub reply_to: Option<AnnouncementId>,
    pub at: UnixMs,
}

/// What goes to the server.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub statement: Signed,
    pub ciphertext: Vec<u8>,
}

/// Why nothing is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("an announcement lasts at most a minute")]
    TooLong,
    #[error("there is nothing to announce")]
    Empty,
    #[error("none of the devices can take an announcement")]
    NoDevices,
    #[error("an announcement goes to at most {DEVICES_MAX} devices")]
    TooManyDevices,
}

/// Why an announcement does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the announcement is not for this device")]
    NotForUs,
    #[error("the content is another one than was signed")]
    OtherContent,
    #[error("the content does not decrypt")]
    Sealed,
    #[error("the content is longer than it may be, or no text")]
    NoContent,
}

impl Draft {
    /// Encrypts, seals and signs. `content_key` is random and used for nothing else. A device whose key
    /// is none is left out.
    ///
    /// # Errors
    /// When the content is out of its bounds, or nobody is left to take it.
    pub fn seal(
        &self,
        (device, chain, genesis): (&PrivateKey, &Chain, PublicKey),
        to: &[(PublicKey, SealingPublic)],
        content_key: &[u8; 16],
    ) -> Result<Sealed, SealError> {
        let (kind, plain, length_ms) = self.content.parts()?;
        if to.len() > DEVICES_MAX {
            return Err(SealError::TooManyDevices);
        }
        let ciphertext = suite()
            .aead_seal(content_key, plain, Some(&content_aad(self.id)), &NONCE)
            .expect("key and nonce have the suite's lengths");
        let own = device.public();
        let seal = |(device, key): &(PublicKey, SealingPublic)| {
            let aad = key_aad(genesis, *device);
            let (enc, sealed) = key.seal(&key_info(self.id, own), &aad, content_key)?;
            Some(SealedKey {
                device: *device,
                enc: enc.try_into().ok()?,
                sealed: sealed.try_into().ok()?,
            })
        };
        let others = to.iter().filter(|(device, _)| *device != own);
        let mut keys: Vec<SealedKey> = others.filter_map(seal).collect();
        keys.sort_by_key(|one| one.device);
        keys.dedup_by_key(|one| one.device);
        if keys.is_empty() {
            return Err(SealError::NoDevices);
        }
        let said = Announcement {
            genesis,
            id: self.id,
            kind,
            at: self.at,
            length_ms,
            reply_to: self.reply_to,
            content_hash: Sha256::digest(&ciphertext).into(),
            keys,
            chain: chain.encode(),
        };
        Ok(Sealed {
            statement: said.sign(device),
            ciphertext,
        })
    }
}

/// Opens the content of an announcement that was opened and whose signer is `from`.
///
/// # Errors
/// When it is not for this device, or not what was signed.
pub fn open(
    said: &Announcement,
    from: PublicKey,
    device: &PrivateKey,
    ciphertext: &[u8],
) -> Result<Content, OpenError> {
    let own = device.public();
    let mut keys = said.keys.iter();
    let sealed = keys
        .find(|one| one.device == own)
        .ok_or(OpenError::NotForUs)?;
    let hash: [u8; 32] = Sha256::digest(ciphertext).into();
    if hash != said.content_hash {
        return Err(OpenError::OtherContent);
    }
    let aad = key_aad(said.genesis, own);
    let key = SealingKey::of(device)
        .open(
            (&sealed.enc, &sealed.sealed),
            &key_info(said.id, from),
            &aad,
        )
        .filter(|key| key.len() == 16)
        .ok_or(OpenError::Sealed)?;
    let plain = suite()
        .aead_open(&key, ciphertext, Some(&content_aad(said.id)), &NONCE)
        .map_err(|_| OpenError::Sealed)?;
    Content::of(said, plain)
}

impl Content {
    fn parts(&self) -> Result<(Kind, &[u8], u64), SealError> {
        let (kind, plain, length_ms, max) = match self {
            Self::Sound { ogg, length_ms } => {
                (Kind::Sound, ogg.as_slice(), *length_ms, SOUND_BYTES_MAX)
            }
            Self::Text(text) => (Kind::Text, text.as_bytes(), 0, TEXT_BYTES_MAX),
        };
        if plain.is_empty() || (kind == Kind::Sound && length_ms == 0) {
            return Err(SealError::Empty);
        }
        match plain.len() > max || length_ms > LENGTH_MS_MAX {
            true => Err(SealError::TooLong),
            false => Ok((kind, plain, length_ms)),
        }
    }

    fn of(said: &Announcement, plain: Zeroizing<Vec<u8>>) -> Result<Self, OpenError> {
        match said.kind {
            Kind::Sound if plain.len() <= SOUND_BYTES_MAX => Ok(Self::Sound {
                ogg: plain.to_vec(),
                length_ms: said.length_ms,
            }),
            Kind::Text if plain.len() <= TEXT_BYTES_MAX => String::from_utf8(plain.to_vec())
                .map(Self::Text)
                .map_err(|_| OpenError::NoContent),
            _ => Err(OpenError::NoContent),
        }
    }
}

fn content_aad(id: AnnouncementId) -> Vec<u8> {
    [b"homeline announcement content v1".as_slice(), &id.0].concat()
}

fn key_info(id: AnnouncementId, from: PublicKey) -> Vec<u8> {
    [b"homeline announcement key v1".as_slice(), &id.0, &from.0].concat()
}

fn key_aad(genesis: PublicKey, device: PublicKey) -> Vec<u8> {
    [genesis.0, device.0].concat()
}
