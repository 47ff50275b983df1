//! What both sides of a pairing hash: commitments and digits.

use sha2::{Digest, Sha256};

use crate::certificate::Kind;
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::PublicKey;
use crate::quiet::quiet_debug;

quiet_debug!(DeviceReveal);

/// Step 3: what the device committed to.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceReveal {
    pub device_key: PublicKey,
    pub nonce: [u8; 32],
    pub kind: Kind,
    pub label: String,
}

/// Step 4: what the app committed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppReveal {
    pub genesis: PublicKey,
    pub app_key: PublicKey,
    pub nonce: [u8; 32],
}

/// Why a pairing stops. All but `OutOfOrder` say that somebody in between tried something, or that
/// digits were mistyped: a new pairing is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    #[error("this step does not come now")]
    OutOfOrder,
    #[error("the other side revealed other keys than it had committed to")]
    BrokenCommitment,
    #[error("the digits differ")]
    WrongDigits,
}

/// Six decimal digits that both sides compute and a person compares.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits(u32);

impl Digits {
    pub fn text(self) -> String {
        format!("{:06}", self.0)
    }

    /// What a person typed; spaces are theirs to set.
    pub fn matches(self, typed: &str) -> bool {
        let typed: String = typed
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        typed == self.text()
    }
}

impl DeviceReveal {
    pub fn commitment(&self) -> [u8; 32] {
        let hash = Sha256::new().chain_update(b"homeline pairing device v1");
        hash.chain_update(self.encode()).finalize().into()
    }

    /// The fields as bytes, in the order in which they are committed to.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new()
            .raw(&self.device_key.0)
            .raw(&self.nonce)
            .u8(self.kind.byte())
            .string(&self.label)
            .finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let reveal = Self {
            device_key: PublicKey(reader.array()?),
            nonce: reader.array()?,
            kind: device_kind(reader.u8()?)?,
            label: reader.string()?,
        };
        reader.finish()?;
        Ok(reveal)
    }
}

/// What pairs becomes a device of the household: nobody's guest does.
fn device_kind(byte: u8) -> Result<Kind, DecodeError> {
    let kind = Kind::from_byte(byte)?;
    match kind.is_device() {
        true => Ok(kind),
        false => Err(DecodeError::Value {
            field: "kind",
            value: byte.into(),
        }),
    }
}

impl AppReveal {
    pub fn commitment(&self) -> [u8; 32] {
        let hash = Sha256::new().chain_update(b"homeline pairing app v1");
        hash.chain_update(self.genesis.0)
            .chain_update(self.app_key.0)
            .chain_update(self.nonce)
            .finalize()
            .into()
    }
}

pub(super) fn digits(
    commit_d: &[u8; 32],
    commit_a: &[u8; 32],
    device: &DeviceReveal,
    app: &AppReveal,
) -> Digits {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(b"homeline pairing digits v1")
        .chain_update(commit_d)
        .chain_update(commit_a)
        .chain_update(device.device_key.0)
        .chain_update(device.nonce)
        .chain_update(app.genesis.0)
        .chain_update(app.app_key.0)
        .chain_update(app.nonce)
        .finalize()
        .into();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    let below_a_million = u64::from_be_bytes(first) % 1_000_000;
    Digits(u32::try_from(below_a_million).expect("a number below a million"))
}
