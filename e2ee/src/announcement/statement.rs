//! What is signed of an announcement: who says it, to which devices, when, and which ciphertext it is.

use homeline_protocol::id::AnnouncementId;

use crate::chain::{ChainError, Identity, verify_chain_bytes};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::roster::Roster;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(Announcement, SealedKey);

/// The longest sound; a longer one is refused.
pub const LENGTH_MS_MAX: u64 = 60_000;
/// Bytes of its Ogg file: a minute at 24 kbit/s, and what Ogg adds.
pub const SOUND_BYTES_MAX: usize = 192 * 1024;
/// Bytes of a text: what is spoken in a minute, in any script.
pub const TEXT_BYTES_MAX: usize = 2_048;
/// As many home devices as one announcement goes to.
pub const DEVICES_MAX: usize = 64;
/// How long it may be played or offered.
pub const FRESH_MS: u64 = 5 * 60 * 1000;

/// What is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The speaker's own voice: Opus in Ogg.
    Sound,
    /// Typed, and spoken by each device's own voice.
    Text,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Announcement {
    pub genesis: PublicKey,
    pub id: AnnouncementId,
    pub kind: Kind,
    pub at: UnixMs,
    /// Of the sound; 0 for text.
    pub length_ms: u64,
    pub reply_to: Option<AnnouncementId>,
    /// SHA-256 of the ciphertext.
    pub content_hash: [u8; 32],
    /// In ascending order of the devices, none twice.
    pub keys: Vec<SealedKey>,
    /// The announcing device's chain, encoded.
    pub chain: Vec<u8>,
}

/// The content's key, sealed to one device.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    pub device: PublicKey,
    pub enc: [u8; 32],
    pub sealed: [u8; 32],
}

/// Why an announcement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the announcement is of another household")]
    OtherHousehold,
    #[error("the announcement is signed by another key than its chain's")]
    WrongSigner,
    #[error("whoever announces is none of the household any more")]
    NotInRoster,
    #[error("the announcement is too old, or of the future")]
    NotFresh,
}

/// Whose word it is: a device's of this household, by the chain that it shows.
pub(super) fn who_says(
    signer: PublicKey,
    (genesis, chain): (PublicKey, &[u8]),
    roster: &Roster,
    now: UnixMs,
) -> Result<Identity, AnnouncementError> {
    if genesis != roster.genesis_key() {
        return Err(AnnouncementError::OtherHousehold);
    }
    let from = verify_chain_bytes(chain, now)?;
    if from.device_key != signer {
        return Err(AnnouncementError::WrongSigner);
    }
    if from.genesis != genesis || !roster.admits(&from) {
        return Err(AnnouncementError::NotInRoster);
    }
    Ok(from)
}

/// Said at a time that is not ahead of every clock, and counts still.
pub(super) fn check_fresh(
    (at, until): (UnixMs, UnixMs),
    now: UnixMs,
) -> Result<(), AnnouncementError> {
    let early = at > now.plus(CLOCK_SKEW_MS);
    match early || now > until {
        true => Err(AnnouncementError::NotFresh),
        false => Ok(()),
    }
}

impl Announcement {
    pub fn sign(&self, device: &PrivateKey) -> Signed {
        Signed::sign(Context::Announcement, self.body(), device)
    }

    /// Opens an announcement that a device of this household has signed, and that is of now.
    ///
    /// # Errors
    /// When it is not, or does not parse.
    pub fn open(
        signed: &Signed,
        roster: &Roster,
        now: UnixMs,
    ) -> Result<(Self, Identity), AnnouncementError> {
        signed.verify(Context::Announcement)?;
        let said = Self::read(&signed.body)?;
        let from = who_says(signed.signer, (said.genesis, &said.chain), roster, now)?;
        check_fresh((said.at, said.counts_until()), now)?;
        Ok((said, from))
    }

    /// After this no device takes it, whatever its clock.
    pub fn counts_until(&self) -> UnixMs {
        self.at.plus(FRESH_MS + CLOCK_SKEW_MS)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(1)
            .raw(&self.genesis.0)
            .raw(&self.id.0)
            .u8(match self.kind {
                Kind::Sound => 1,
                Kind::Text => 2,
            })
            .u64(self.at.0)
            .u64(self.length_ms)
            .raw(&self.reply_to.unwrap_or(AnnouncementId([0; 16])).0)
            .raw(&self.content_hash);
        let keys = self.keys.iter().take(DEVICES_MAX);
        writer.u16(u16::try_from(keys.len()).expect("at most DEVICES_MAX"));
        keys.for_each(|one| {
            writer.raw(&one.device.0).raw(&one.enc).raw(&one.sealed);
        });
        writer.vec16(&self.chain).finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    ///
    /// # Errors
    /// When it is not in the one form that it has.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let genesis = PublicKey(reader.array()?);
        let id = AnnouncementId(reader.array()?);
        let kind = match reader.u8()? {
            1 => Kind::Sound,
            2 => Kind::Text,
            other => return Err(refused("kind", other.into())),
        };
        let at = UnixMs(reader.u64()?);
        if at > UnixMs::NEVER {
            return Err(refused("at_ms", at.0));
        }
        let length_ms = reader.u64()?;
        let fits = match kind {
            Kind::Sound => (1..=LENGTH_MS_MAX).contains(&length_ms),
            Kind::Text => length_ms == 0,
        };
        if !fits {
            return Err(refused("length_ms", length_ms));
        }
        let reply_to = Some(AnnouncementId(reader.array()?)).filter(|id| id.0 != [0; 16]);
        let content_hash = reader.array()?;
        let keys = read_keys(&mut reader)?;
        let chain = reader.vec16()?.to_vec();
        reader.finish()?;
        Ok(Self {
            genesis,
            id,
            kind,
            at,
            length_ms,
            reply_to,
            content_hash,
            keys,
            chain,
        })
    }
}

fn read_keys(reader: &mut Reader<'_>) -> Result<Vec<SealedKey>, DecodeError> {
    let count = usize::from(reader.u16()?);
    if count > DEVICES_MAX {
        return Err(DecodeError::TooMany {
            field: "devices",
            max: DEVICES_MAX,
        });
    }
    let keys = (0..count)
        .map(|_| {
            Ok(SealedKey {
                device: PublicKey(reader.array()?),
                enc: reader.array()?,
                sealed: reader.array()?,
            })
        })
        .collect::<Result<Vec<_>, DecodeError>>()?;
    match !keys.is_empty() && keys.is_sorted_by(|one, next| one.device < next.device) {
        true => Ok(keys),
        false => Err(refused("devices", count as u64)),
    }
}

fn refused(field: &'static str, value: u64) -> DecodeError {
    DecodeError::Value { field, value }
}
