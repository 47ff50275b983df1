//! One entry of a target's ledger. Every meaning has one encoding.

use homeline_protocol::id::{CallId, GrantId};
use homeline_protocol::session::DropInRefusal;

use super::super::grant::{Opening, PERSON_BYTES_MAX, read_flag, refused};
use crate::chain::Identity;
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::{Context, Signed};
use crate::time::UnixMs;

quiet_debug!(Entry, What, Who);

/// What an initiator's device is called; a longer label is cut when it is written, and refused when read.
pub const LABEL_BYTES_MAX: usize = 160;

/// The refusals in the order of their numbers, from 1.
const REFUSALS: [DropInRefusal; 22] = [
    DropInRefusal::Off,
    DropInRefusal::Initiator,
    DropInRefusal::NotInHousehold,
    DropInRefusal::NoGrant,
    DropInRefusal::Forged,
    DropInRefusal::OtherHousehold,
    DropInRefusal::SignerMayNot,
    DropInRefusal::Replayed,
    DropInRefusal::Revoked,
    DropInRefusal::EndedHere,
    DropInRefusal::NotYet,
    DropInRefusal::Expired,
    DropInRefusal::NotAContact,
    DropInRefusal::OtherDevice,
    DropInRefusal::OutsideHours,
    DropInRefusal::SoundOnly,
    DropInRefusal::Busy,
    DropInRefusal::Quiet,
    DropInRefusal::TurnedAway,
    DropInRefusal::NoSignal,
    DropInRefusal::Unavailable,
    DropInRefusal::NewMember,
];

#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The household of the target.
    pub genesis: PublicKey,
    /// Its place, from 0. At most 2^53 - 1, as every number here, so that a JavaScript number holds it.
    pub index: u64,
    /// SHA-256 of the whole entry before; zeros for the first.
    pub prev: [u8; 32],
    /// By the device's clock.
    pub at: UnixMs,
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Eq)]
pub enum What {
    /// A drop-in began: tone and light were given.
    Opened {
        call: CallId,
        who: Who,
        grant: GrantId,
        revision: u64,
        picture: bool,
        opening: Opening,
    },
    /// It ended.
    Ended {
        call: CallId,
        lasted_ms: u64,
        by: EndedBy,
    },
    /// Nothing was heard or seen.
    Refused {
        call: CallId,
        who: Who,
        refusal: DropInRefusal,
    },
    /// An adult's word arrived.
    GrantTaken {
        grant: GrantId,
        revision: u64,
        /// SHA-256 of the whole envelope.
        statement: [u8; 32],
        change: Change,
    },
    /// Somebody at the device put everyone out.
    PutOut,
    /// Drop-in was switched on or off at it.
    Switched { on: bool },
    /// The server handed over what is no grant to go by.
    GrantRefused {
        statement: [u8; 32],
        refusal: DropInRefusal,
    },
    /// The server has another end of this ledger than the device remembered, and the device went on from
    /// it. What it remembered stands here for good.
    Resumed { length: u64, hash: [u8; 32] },
}

/// Who dropped in, or wanted to. Zeros and empty words where that could not be verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Who {
    pub genesis: PublicKey,
    pub device: PublicKey,
    /// The account id in words, as their certificates say it.
    pub person: String,
    pub label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    Target,
    Initiator,
    /// A grant that was revoked, expired, or whose hours ended; or drop-in was switched off.
    Grant,
    EveryonePutOut,
    Connection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Given,
    /// Or renewed.
    Changed,
    Revoked,
}

impl Who {
    pub fn unverified() -> Self {
        Self {
            genesis: PublicKey::ZERO,
            device: PublicKey::ZERO,
            person: String::new(),
            label: String::new(),
        }
    }

    pub fn of(identity: &Identity) -> Self {
        Self {
            genesis: identity.genesis,
            device: identity.device_key,
            person: identity.person.clone(),
            label: identity.label.clone(),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .raw(&self.genesis.0)
            .raw(&self.device.0)
            .string(cut(&self.person, PERSON_BYTES_MAX))
            .string(cut(&self.label, LABEL_BYTES_MAX));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let who = Self {
            genesis: PublicKey(reader.array()?),
            device: PublicKey(reader.array()?),
            person: reader.string()?,
            label: reader.string()?,
        };
        for (field, text, max) in [
            ("person", &who.person, PERSON_BYTES_MAX),
            ("label", &who.label, LABEL_BYTES_MAX),
        ] {
            if text.len() > max {
                return Err(DecodeError::TooMany { field, max });
            }
        }
        Ok(who)
    }
}

impl Entry {
    pub fn sign(&self, key: &PrivateKey) -> Signed {
        Signed::sign(Context::DropInLedger, self.body(), key)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(1)
            .raw(&self.genesis.0)
            .u64(self.index)
            .raw(&self.prev)
            .u64(self.at.min(UnixMs::NEVER).0)
            .u8(self.what.kind());
        self.what.write(&mut writer);
        writer.finish()
    }

    /// Decodes a body. Says nothing about its signature or place: `LedgerReader` does.
    ///
    /// # Errors
    /// When it is not in the one form that an entry has.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let entry = Self {
            genesis: PublicKey(reader.array()?),
            index: number(&mut reader, "index")?,
            prev: reader.array()?,
            at: UnixMs(number(&mut reader, "at_ms")?),
            what: What::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(entry)
    }
}

impl What {
    fn kind(&self) -> u8 {
        match self {
            Self::Opened { .. } => 1,
            Self::Ended { .. } => 2,
            Self::Refused { .. } => 3,
            Self::GrantTaken { .. } => 4,
            Self::PutOut => 5,
            Self::Switched { .. } => 6,
            Self::GrantRefused { .. } => 7,
            Self::Resumed { .. } => 8,
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Opened {
                call,
                who,
                grant,
                revision,
                picture,
                opening,
            } => {
                writer.raw(&call.0);
                who.write(writer);
                writer.raw(&grant.0).u64(*revision);
                writer.u8((*picture).into()).u8(opening.byte());
            }
            Self::Ended {
                call,
                lasted_ms,
                by,
            } => {
                let lasted_ms = (*lasted_ms).min(UnixMs::NEVER.0);
                writer.raw(&call.0).u64(lasted_ms).u8(by.byte());
            }
            Self::Refused { call, who, refusal } => {
                writer.raw(&call.0);
                who.write(writer);
                writer.u8(refusal_number(*refusal));
            }
            Self::GrantTaken {
                grant,
                revision,
                statement,
                change,
            } => {
                writer.raw(&grant.0).u64(*revision);
                writer.raw(statement).u8(change.byte());
            }
            Self::PutOut => {}
            Self::Switched { on } => {
                writer.u8((*on).into());
            }
            Self::GrantRefused { statement, refusal } => {
                writer.raw(statement).u8(refusal_number(*refusal));
            }
            Self::Resumed { length, hash } => {
                writer.u64(*length).raw(hash);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            1 => Self::Opened {
                call: CallId(reader.array()?),
                who: Who::read(reader)?,
                grant: GrantId(reader.array()?),
                revision: number(reader, "grant_revision")?,
                picture: read_flag(reader, "picture")?,
                opening: Opening::read(reader)?,
            },
            2 => Self::Ended {
                call: CallId(reader.array()?),
                lasted_ms: number(reader, "lasted_ms")?,
                by: EndedBy::read(reader)?,
            },
            3 => Self::Refused {
                call: CallId(reader.array()?),
                who: Who::read(reader)?,
                refusal: read_refusal(reader)?,
            },
            4 => Self::GrantTaken {
                grant: GrantId(reader.array()?),
                revision: number(reader, "grant_revision")?,
                statement: reader.array()?,
                change: Change::read(reader)?,
            },
            5 => Self::PutOut,
            6 => Self::Switched {
                on: read_flag(reader, "on")?,
            },
            7 => Self::GrantRefused {
                statement: reader.array()?,
                refusal: read_refusal(reader)?,
            },
            8 => Self::Resumed {
                length: number(reader, "length")?,
                hash: reader.array()?,
            },
            other => return Err(refused("kind", other.into())),
        })
    }
}

impl EndedBy {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Target => 1,
            Self::Initiator => 2,
            Self::Grant => 3,
            Self::EveryonePutOut => 4,
            Self::Connection => 5,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Self::Target),
            2 => Ok(Self::Initiator),
            3 => Ok(Self::Grant),
            4 => Ok(Self::EveryonePutOut),
            5 => Ok(Self::Connection),
            other => Err(refused("by", other.into())),
        }
    }
}

impl Change {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Given => 1,
            Self::Changed => 2,
            Self::Revoked => 3,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Self::Given),
            2 => Ok(Self::Changed),
            3 => Ok(Self::Revoked),
            other => Err(refused("change", other.into())),
        }
    }
}

pub(super) fn refusal_number(refusal: DropInRefusal) -> u8 {
    let place = REFUSALS.iter().position(|one| *one == refusal);
    let place = place.expect("a test holds the list against the words");
    u8::try_from(place + 1).expect("there are few refusals")
}

fn read_refusal(reader: &mut Reader<'_>) -> Result<DropInRefusal, DecodeError> {
    let number = reader.u8()?;
    let place = usize::from(number).checked_sub(1);
    let refusal = place.and_then(|place| REFUSALS.get(place));
    refusal
        .copied()
        .ok_or_else(|| refused("refusal", number.into()))
}

fn number(reader: &mut Reader<'_>, field: &'static str) -> Result<u64, DecodeError> {
    match reader.u64()? {
        number if number <= UnixMs::NEVER.0 => Ok(number),
        number => Err(refused(field, number)),
    }
}

/// At most so many bytes of a text, whole characters.
fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
