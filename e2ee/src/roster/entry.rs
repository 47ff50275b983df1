//! One signed entry of a household's roster: its bytes.

use crate::certificate::{Kind, Rights};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::{Context, Signed};
use crate::time::UnixMs;

quiet_debug!(Change);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub genesis: PublicKey,
    pub seq: u64,
    /// SHA-256 of the whole signed entry before this one; zeros in the first.
    pub prev: [u8; 32],
    pub at: UnixMs,
    pub change: Change,
}

/// What an entry does to the household.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    Genesis {
        household_name: String,
        recovery: PublicKey,
    },
    AddDevice {
        device: PublicKey,
        kind: Kind,
        rights: Rights,
        person: String,
        label: String,
    },
    RemoveDevice {
        device: PublicKey,
    },
    SetRights {
        device: PublicKey,
        rights: Rights,
    },
    /// Replaces the recovery key before.
    RecoveryKey {
        recovery: PublicKey,
    },
}

impl Entry {
    pub fn sign(&self, key: &PrivateKey) -> Signed {
        Signed::sign(Context::Roster, self.body(), key)
    }

    fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(1)
            .raw(&self.genesis.0)
            .u64(self.seq)
            .raw(&self.prev)
            .u64(self.at.0);
        match &self.change {
            Change::Genesis {
                household_name,
                recovery,
            } => writer.u8(0).string(household_name).raw(&recovery.0),
            Change::AddDevice {
                device,
                kind,
                rights,
                person,
                label,
            } => writer
                .u8(1)
                .raw(&device.0)
                .u8(kind.byte())
                .u8(rights.byte())
                .string(person)
                .string(label),
            Change::RemoveDevice { device } => writer.u8(2).raw(&device.0),
            Change::SetRights { device, rights } => writer.u8(3).raw(&device.0).u8(rights.byte()),
            Change::RecoveryKey { recovery } => writer.u8(4).raw(&recovery.0),
        };
        writer.finish()
    }

    /// Decodes a body. Says nothing about its signature: `Roster::append` does.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let genesis = PublicKey(reader.array()?);
        let seq = reader.u64()?;
        let prev = reader.array()?;
        let at = UnixMs(reader.u64()?);
        let change = Change::read(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            genesis,
            seq,
            prev,
            at,
            change,
        })
    }
}

impl Change {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            0 => Self::Genesis {
                household_name: reader.string()?,
                recovery: PublicKey(reader.array()?),
            },
            1 => Self::AddDevice {
                device: PublicKey(reader.array()?),
                kind: Kind::from_byte(reader.u8()?)?,
                rights: Rights::from_byte(reader.u8()?)?,
                person: reader.string()?,
                label: reader.string()?,
            },
            2 => Self::RemoveDevice {
                device: PublicKey(reader.array()?),
            },
            3 => Self::SetRights {
                device: PublicKey(reader.array()?),
                rights: Rights::from_byte(reader.u8()?)?,
            },
            4 => Self::RecoveryKey {
                recovery: PublicKey(reader.array()?),
            },
            other => {
                return Err(DecodeError::Value {
                    field: "roster entry",
                    value: other.into(),
                });
            }
        })
    }
}
