//! What is signed of an announcement that is heard while it is spoken: who speaks, in which call, to whom.
//!
//! What is said is in the call, under its keys, which only these devices hold.

use homeline_protocol::id::CallId;

use super::heard::{Heard, HeardError};
use super::statement::{AnnouncementError, check_fresh, who_says};
use crate::chain::{Chain, Identity};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::roster::Roster;
use crate::signed::{Context, Signed};
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(LiveAnnouncement);

/// As many devices as hear one: with the announcing one as many as a call takes.
pub const LIVE_DEVICES_MAX: usize = 31;
/// How long it lasts at most, and how old its statement may be.
pub const LIVE_MS_MAX: u64 = 60_000;

#[derive(Clone, PartialEq, Eq)]
pub struct LiveAnnouncement {
    pub genesis: PublicKey,
    pub call: CallId,
    pub at: UnixMs,
    /// The home devices that it is for, ascending, none twice.
    pub devices: Vec<PublicKey>,
    /// The announcing device's chain, encoded.
    pub chain: Vec<u8>,
}

/// Why there is nothing to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LiveSayError {
    #[error("there is no other home device to announce at")]
    NoDevices,
    #[error("a live announcement goes to at most {LIVE_DEVICES_MAX} devices")]
    TooManyDevices,
}

/// Why a live announcement is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    #[error(transparent)]
    Statement(#[from] AnnouncementError),
    #[error("the announcement is for the device that makes it")]
    ForItself,
    #[error("the announcement is of another call")]
    OtherCall,
    #[error("the announcement is not for this device")]
    NotForUs,
    #[error(transparent)]
    Heard(#[from] HeardError),
}

impl LiveAnnouncement {
    /// What `device` says to these others; itself among them is left out.
    ///
    /// # Errors
    /// When nobody is left, or they are too many.
    pub fn new(
        (device, chain, genesis): (PublicKey, &Chain, PublicKey),
        call: CallId,
        at: UnixMs,
        to: impl IntoIterator<Item = PublicKey>,
    ) -> Result<Self, LiveSayError> {
        let others = to.into_iter().filter(|one| *one != device);
        let mut devices: Vec<_> = others.collect();
        devices.sort();
        devices.dedup();
        match devices.len() {
            0 => Err(LiveSayError::NoDevices),
            1..=LIVE_DEVICES_MAX => Ok(Self {
                genesis,
                call,
                at,
                devices,
                chain: chain.encode(),
            }),
            _ => Err(LiveSayError::TooManyDevices),
        }
    }

    pub fn sign(&self, device: &PrivateKey) -> Signed {
        Signed::sign(Context::LiveAnnouncement, self.body(), device)
    }

    /// Opens one that a device of this household has signed, and that is of now.
    ///
    /// # Errors
    /// When it is not, or does not parse.
    pub fn open(
        signed: &Signed,
        roster: &Roster,
        now: UnixMs,
    ) -> Result<(Self, Identity), AnnouncementError> {
        signed.verify(Context::LiveAnnouncement)?;
        let said = Self::read(&signed.body)?;
        let from = who_says(signed.signer, (said.genesis, &said.chain), roster, now)?;
        check_fresh((said.at, said.counts_until()), now)?;
        Ok((said, from))
    }

    /// All that a device checks before it hears one: asked of nobody, and taken once.
    ///
    /// # Errors
    /// By the first that does not fit; then nothing is heard.
    pub fn hear(
        signed: &Signed,
        (call, own): (CallId, PublicKey),
        roster: &Roster,
        heard: &mut Heard<CallId>,
        now: UnixMs,
    ) -> Result<(Self, Identity), LiveError> {
        let (said, from) = Self::open(signed, roster, now)?;
        if said.devices.contains(&from.device_key) {
            return Err(LiveError::ForItself);
        }
        if said.call != call {
            return Err(LiveError::OtherCall);
        }
        if !said.devices.contains(&own) {
            return Err(LiveError::NotForUs);
        }
        heard.take(said.call, said.counts_until(), now)?;
        Ok((said, from))
    }

    /// After this no device takes it, whatever its clock.
    pub fn counts_until(&self) -> UnixMs {
        self.at.plus(LIVE_MS_MAX + CLOCK_SKEW_MS)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(1)
            .raw(&self.genesis.0)
            .raw(&self.call.0)
            .u64(self.at.0);
        let devices = self.devices.iter().take(LIVE_DEVICES_MAX);
        writer.u16(u16::try_from(devices.len()).expect("at most LIVE_DEVICES_MAX"));
        devices.for_each(|one| {
            writer.raw(&one.0);
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
        let call = CallId(reader.array()?);
        let at = UnixMs(reader.u64()?);
        if at > UnixMs::NEVER {
            let (field, value) = ("at_ms", at.0);
            return Err(DecodeError::Value { field, value });
        }
        let devices = read_devices(&mut reader)?;
        let chain = reader.vec16()?.to_vec();
        reader.finish()?;
        Ok(Self {
            genesis,
            call,
            at,
            devices,
            chain,
        })
    }
}

fn read_devices(reader: &mut Reader<'_>) -> Result<Vec<PublicKey>, DecodeError> {
    let count = usize::from(reader.u16()?);
    let field = "devices";
    if count > LIVE_DEVICES_MAX {
        let max = LIVE_DEVICES_MAX;
        return Err(DecodeError::TooMany { field, max });
    }
    let devices = (0..count)
        .map(|_| reader.array().map(PublicKey))
        .collect::<Result<Vec<_>, _>>()?;
    match !devices.is_empty() && devices.is_sorted_by(|one, next| one < next) {
        true => Ok(devices),
        false => {
            let value = count as u64;
            Err(DecodeError::Value { field, value })
        }
    }
}
