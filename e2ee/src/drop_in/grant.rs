//! One grant: an adult's signed word on who may drop in, where, when and how.
//!
//! It names its household, so that it counts in no other, and ends after thirty days at the latest, so
//! that a revocation which a server holds back can matter no longer. Each change, renewal and revocation
//! is a new revision of the same grant. Every meaning has one encoding.

use homeline_protocol::id::{ContactId, GrantId};

use super::hours::Hours;
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::roster::Roster;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::{DAY_MS, UnixMs};

quiet_debug!(Grant, Grantee);

/// More devices than anyone names in one grant; a longer list is refused.
pub const DEVICES_MAX: usize = 64;
/// The account id in words; longer ones are refused.
pub const PERSON_BYTES_MAX: usize = 64;
/// More people than a household has; a longer list is refused.
pub const PEOPLE_MAX: usize = 32;
/// How long a grant lasts at most: this bounds what a withheld revocation can do.
pub const LIFETIME_MS_MAX: u64 = 30 * DAY_MS;
/// An adult's app that is open renews what lasts less long than this, so that a week's pause between
/// two looks at the app is enough time for nobody to notice.
pub const RENEW_BELOW_MS: u64 = 23 * DAY_MS;

#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The household that may be dropped in on.
    pub genesis: PublicKey,
    pub id: GrantId,
    /// Grows with each change; never goes back. At most 2^53 - 1, so that a JavaScript number holds it.
    pub revision: u64,
    pub to: Grantee,
    /// The home devices that it is about, in ascending order, none twice; empty: all of the household.
    pub devices: Vec<PublicKey>,
    /// When it counts; `None`: always.
    pub hours: Option<Hours>,
    /// Whether with picture, or sound only.
    pub picture: bool,
    pub opening: Opening,
    pub signed_at: UnixMs,
    pub expires_at: UnixMs,
    pub revoked: bool,
}

/// Who may drop in. It is no mutual thing.
#[derive(Clone, PartialEq, Eq)]
pub enum Grantee {
    /// Everybody and everything of the own household.
    OwnHousehold,
    /// One person of a contact's household: the contact.
    Person {
        contact: ContactId,
        their_genesis: PublicKey,
        /// The account id in words, as their certificates say it.
        person: String,
    },
    /// The contact's whole household, as it was when an adult looked: whoever is new there needs an adult's
    /// word first.
    Household {
        contact: ContactId,
        their_genesis: PublicKey,
        /// Their account ids in words, in ascending order, none twice; at least one.
        people: Vec<String>,
    },
}

/// How a drop-in begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It connects by itself.
    AtOnce,
    /// It knocks, and opens only if somebody says yes.
    KnockUntilYes,
    /// It knocks, and opens unless somebody says no.
    KnockUnlessNo,
}

/// Why a signed blob is no grant to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error("the grant is of another household")]
    OtherHousehold,
    #[error("the signer is no adult of the household")]
    SignerMayNot,
}

impl Grantee {
    /// The contact's household; `None`: the own one.
    pub fn their_genesis(&self) -> Option<PublicKey> {
        match self {
            Self::OwnHousehold => None,
            Self::Person { their_genesis, .. } | Self::Household { their_genesis, .. } => {
                Some(*their_genesis)
            }
        }
    }

    /// Whether it names this person of whom it is to. The own household needs no names.
    pub fn names(&self, who: &str) -> bool {
        match self {
            Self::OwnHousehold => true,
            Self::Person { person, .. } => person == who,
            Self::Household { people, .. } => people.iter().any(|person| person == who),
        }
    }

    pub fn contact(&self) -> Option<ContactId> {
        match self {
            Self::OwnHousehold => None,
            Self::Person { contact, .. } | Self::Household { contact, .. } => Some(*contact),
        }
    }
}

impl Grant {
    pub fn sign(&self, key: &PrivateKey) -> Signed {
        Signed::sign(Context::DropInGrant, self.body(), key)
    }

    /// Opens a grant that an adult of this household signed, whatever it says and whenever.
    ///
    /// # Errors
    /// When it can't be read, is of another household, or its signer is no adult there now.
    pub fn open(signed: &Signed, roster: &Roster) -> Result<Self, GrantError> {
        signed.verify(Context::DropInGrant)?;
        let grant = Self::read(&signed.body)?;
        if grant.genesis != roster.genesis_key() {
            return Err(GrantError::OtherHousehold);
        }
        match roster.is_adult(signed.signer) {
            true => Ok(grant),
            false => Err(GrantError::SignerMayNot),
        }
    }

    /// The next revision, for thirty days from now on or until its end. Its number is the time, which
    /// grows whichever adult's app signs.
    #[must_use]
    pub fn renewed(&self, now: UnixMs) -> Self {
        let expires_at = self.ends_at().unwrap_or(now.plus(LIFETIME_MS_MAX));
        self.next(now, expires_at)
    }

    /// The next revision, which ends it. It lasts as long as any revision before it could, so that it
    /// outlives them all.
    #[must_use]
    pub fn ended(&self, now: UnixMs) -> Self {
        Self {
            revoked: true,
            ..self.next(now, now.plus(LIFETIME_MS_MAX))
        }
    }

    /// When it ends for good: it was signed for less than the thirty days of one that is renewed.
    pub fn ends_at(&self) -> Option<UnixMs> {
        let lasts = self.expires_at.since(self.signed_at);
        (lasts < LIFETIME_MS_MAX).then_some(self.expires_at)
    }

    /// Whether an adult's app that is open should renew it.
    pub fn should_renew(&self, now: UnixMs) -> bool {
        let counts = !self.revoked && now < self.expires_at;
        counts && self.ends_at().is_none() && self.expires_at.since(now) < RENEW_BELOW_MS
    }

    fn next(&self, now: UnixMs, expires_at: UnixMs) -> Self {
        Self {
            revision: now.0.max(self.revision.saturating_add(1)),
            signed_at: now,
            expires_at,
            ..self.clone()
        }
    }

    /// Whether it is about this device.
    pub fn covers(&self, device: PublicKey) -> bool {
        self.devices.is_empty() || self.devices.contains(&device)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(1)
            .raw(&self.genesis.0)
            .raw(&self.id.0)
            .u64(self.revision);
        self.write_grantee(&mut writer);
        let mut devices = self.devices.clone();
        devices.sort();
        devices.dedup();
        devices.truncate(DEVICES_MAX);
        writer.u16(u16::try_from(devices.len()).expect("at most DEVICES_MAX"));
        devices.iter().for_each(|device| {
            writer.raw(&device.0);
        });
        Hours::write(self.hours.as_ref(), &mut writer);
        writer
            .u8(self.picture.into())
            .u8(self.opening.byte())
            .u64(self.signed_at.0)
            .u64(self.expires_at.0)
            .u8(self.revoked.into())
            .finish()
    }

    fn write_grantee(&self, writer: &mut Writer) {
        let (kind, contact, person) = match &self.to {
            Grantee::OwnHousehold => (1, ContactId([0; 16]), ""),
            Grantee::Person {
                contact, person, ..
            } => (2, *contact, person.as_str()),
            Grantee::Household { contact, .. } => (3, *contact, ""),
        };
        let genesis = self.to.their_genesis().unwrap_or(self.genesis);
        writer
            .u8(kind)
            .raw(&contact.0)
            .raw(&genesis.0)
            .string(person);
        let mut people = match &self.to {
            Grantee::Household { people, .. } => people.clone(),
            _ => vec![],
        };
        people.sort();
        people.dedup();
        people.truncate(PEOPLE_MAX);
        writer.u16(u16::try_from(people.len()).expect("at most PEOPLE_MAX"));
        people.iter().for_each(|person| {
            writer.string(person);
        });
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    ///
    /// # Errors
    /// When it is not in the one form that a grant has.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let genesis = PublicKey(reader.array()?);
        let id = GrantId(reader.array()?);
        let revision = reader.u64()?;
        if revision > UnixMs::NEVER.0 {
            return Err(refused("revision", revision));
        }
        let to = read_grantee(&mut reader, genesis)?;
        let devices = read_devices(&mut reader)?;
        let hours = Hours::read(&mut reader)?;
        let picture = read_flag(&mut reader, "picture")?;
        let opening = Opening::read(&mut reader)?;
        let signed_at = UnixMs(reader.u64()?);
        let expires_at = UnixMs(reader.u64()?);
        let revoked = read_flag(&mut reader, "revoked")?;
        reader.finish()?;
        let lasts = expires_at.since(signed_at);
        if lasts == 0 || lasts > LIFETIME_MS_MAX || expires_at > UnixMs::NEVER {
            return Err(refused("expires_at_ms", expires_at.0));
        }
        Ok(Self {
            genesis,
            id,
            revision,
            to,
            devices,
            hours,
            picture,
            opening,
            signed_at,
            expires_at,
            revoked,
        })
    }
}

impl Opening {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::AtOnce => 0,
            Self::KnockUntilYes => 1,
            Self::KnockUnlessNo => 2,
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(Self::AtOnce),
            1 => Ok(Self::KnockUntilYes),
            2 => Ok(Self::KnockUnlessNo),
            other => Err(refused("opening", other.into())),
        }
    }
}

fn read_grantee(reader: &mut Reader<'_>, own: PublicKey) -> Result<Grantee, DecodeError> {
    let kind = reader.u8()?;
    let contact = ContactId(reader.array()?);
    let their_genesis = PublicKey(reader.array()?);
    let person = reader.string()?;
    let people = read_people(reader)?;
    let named = is_person(&person) && people.is_empty();
    let nobody = contact.0 == [0; 16] && person.is_empty() && people.is_empty();
    let several = person.is_empty() && !people.is_empty();
    let theirs = their_genesis != own && !their_genesis.is_zero() && contact.0 != [0; 16];
    match kind {
        1 if nobody && their_genesis == own => Ok(Grantee::OwnHousehold),
        2 if named && theirs => Ok(Grantee::Person {
            contact,
            their_genesis,
            person,
        }),
        3 if several && theirs => Ok(Grantee::Household {
            contact,
            their_genesis,
            people,
        }),
        other => Err(refused("to", other.into())),
    }
}

fn read_people(reader: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    let count = usize::from(reader.u16()?);
    if count > PEOPLE_MAX {
        return Err(DecodeError::TooMany {
            field: "people",
            max: PEOPLE_MAX,
        });
    }
    let people = (0..count)
        .map(|_| reader.string())
        .collect::<Result<Vec<_>, _>>()?;
    let fits = people.iter().all(|person| is_person(person));
    match fits && people.is_sorted_by(|one, next| one < next) {
        true => Ok(people),
        false => Err(refused("people", count as u64)),
    }
}

fn is_person(text: &str) -> bool {
    !text.is_empty() && text.len() <= PERSON_BYTES_MAX
}

fn read_devices(reader: &mut Reader<'_>) -> Result<Vec<PublicKey>, DecodeError> {
    let count = usize::from(reader.u16()?);
    if count > DEVICES_MAX {
        return Err(DecodeError::TooMany {
            field: "devices",
            max: DEVICES_MAX,
        });
    }
    let devices = (0..count)
        .map(|_| reader.array().map(PublicKey))
        .collect::<Result<Vec<_>, _>>()?;
    match devices.is_sorted_by(|one, next| one < next) {
        true => Ok(devices),
        false => Err(refused("devices", count as u64)),
    }
}

pub(super) fn read_flag(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, DecodeError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(refused(field, other.into())),
    }
}

pub(super) fn refused(field: &'static str, value: u64) -> DecodeError {
    DecodeError::Value { field, value }
}
