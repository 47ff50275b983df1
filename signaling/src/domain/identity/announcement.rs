//! Sealing keys and announcements: only what the server needs of them, which is not what is said.

use homeline_protocol::id::{AnnouncementId, CallId, DeviceId};

use super::encoding::{Malformed, Reader};
use super::keys::{PublicKey, device_id, sha256};
use super::roster::Roster;
use super::signed::{Context, Signed, StatementError};
use super::statements::of_this_household;

/// More devices than one announcement goes to.
const DEVICES_MAX: u16 = 64;
/// The longest sound.
const LENGTH_MS_MAX: u64 = 60_000;
/// More devices than a live one goes to.
const LIVE_DEVICES_MAX: u16 = 31;
/// Enc and ciphertext of one sealed key.
const SEALED_BYTES: usize = 64;

/// A device's word on its sealing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealingKeyStatement {
    /// Whose.
    pub device: DeviceId,
}

/// What the server knows of an announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncementStatement {
    /// Which.
    pub id: AnnouncementId,
    /// The announcing device.
    pub signer: DeviceId,
    /// Whether it is sound, or text.
    pub sound: bool,
    /// When it was signed.
    pub at_ms: u64,
    /// Who can open it.
    pub devices: Vec<DeviceId>,
    content_hash: [u8; 32],
}

/// What is said of an announcement that is heard while it is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveStatement {
    /// In which call.
    pub call: CallId,
    /// The announcing device.
    pub signer: DeviceId,
    /// When it was signed.
    pub at_ms: u64,
    /// For whom it is.
    pub devices: Vec<DeviceId>,
}

impl SealingKeyStatement {
    /// Opens a statement that a device of this household signed about itself.
    ///
    /// # Errors
    /// When it does not parse, or somebody else signed it.
    pub fn open(bytes: &[u8], roster: &Roster) -> Result<Self, StatementError> {
        let signed = Signed::parse(bytes)?;
        signed.verify(Context::SealingKey)?;
        let mut reader = Reader::new(signed.body);
        reader.version()?;
        of_this_household(&mut reader, roster)?;
        let device = PublicKey(reader.array()?);
        let _key: [u8; 32] = reader.array()?;
        reader.finish()?;
        if device != signed.signer {
            return Err(StatementError::SignerMayNot);
        }
        Ok(Self {
            device: device_id(device),
        })
    }
}

impl AnnouncementStatement {
    /// Opens an announcement that a device of this household signed.
    ///
    /// # Errors
    /// When it does not parse, or somebody else signed it.
    pub fn open(bytes: &[u8], roster: &Roster) -> Result<Self, StatementError> {
        let (signer, mut reader) = by_a_device(bytes, Context::Announcement, roster)?;
        let id = AnnouncementId(reader.array()?);
        let sound = match reader.u8()? {
            1 => true,
            2 => false,
            _ => return Err(Malformed.into()),
        };
        let (at_ms, length_ms) = (reader.u64()?, reader.u64()?);
        let fits = if sound {
            (1..=LENGTH_MS_MAX).contains(&length_ms)
        } else {
            length_ms == 0
        };
        if !fits {
            return Err(Malformed.into());
        }
        let _reply_to: [u8; 16] = reader.array()?;
        let content_hash = reader.array()?;
        let devices = devices(&mut reader, DEVICES_MAX, SEALED_BYTES)?;
        let chain = usize::from(reader.u16()?);
        reader.raw(chain)?;
        reader.finish()?;
        Ok(Self {
            id,
            signer,
            sound,
            at_ms,
            devices,
            content_hash,
        })
    }

    /// Whether this is the ciphertext that was signed.
    #[must_use]
    pub fn is_of(&self, content: &[u8]) -> bool {
        sha256(&[content]) == self.content_hash
    }
}

impl LiveStatement {
    /// Opens a statement that a device of this household signed.
    ///
    /// # Errors
    /// When it does not parse, names its signer, or somebody else signed it.
    pub fn open(bytes: &[u8], roster: &Roster) -> Result<Self, StatementError> {
        let (signer, mut reader) = by_a_device(bytes, Context::LiveAnnouncement, roster)?;
        let call = CallId(reader.array()?);
        let at_ms = reader.u64()?;
        let devices = devices(&mut reader, LIVE_DEVICES_MAX, 0)?;
        let chain = usize::from(reader.u16()?);
        reader.raw(chain)?;
        reader.finish()?;
        if devices.contains(&signer) {
            return Err(StatementError::SaysOtherwise);
        }
        Ok(Self {
            call,
            signer,
            at_ms,
            devices,
        })
    }
}

/// Which device of this household signed it, and what follows the household in its body.
fn by_a_device<'a>(
    bytes: &'a [u8],
    context: Context,
    roster: &Roster,
) -> Result<(DeviceId, Reader<'a>), StatementError> {
    let signed = Signed::parse(bytes)?;
    signed.verify(context)?;
    let signer = device_id(signed.signer);
    if !roster.contains(signer) {
        return Err(StatementError::SignerMayNot);
    }
    let mut reader = Reader::new(signed.body);
    reader.version()?;
    of_this_household(&mut reader, roster)?;
    Ok((signer, reader))
}

/// Devices in order, each with so many bytes behind it.
fn devices(reader: &mut Reader<'_>, max: u16, behind: usize) -> Result<Vec<DeviceId>, Malformed> {
    let count = reader.u16()?;
    if count == 0 || count > max {
        return Err(Malformed);
    }
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(PublicKey(reader.array()?));
        reader.raw(behind)?;
    }
    if !keys.is_sorted_by(|one, next| one < next) {
        return Err(Malformed);
    }
    Ok(keys.into_iter().map(device_id).collect())
}
