//! Drop-in grants: what the server needs of them (docs/drop-in.md). Devices check all of it again.

use homeline_protocol::id::{AccountId, ContactId, DeviceId, GrantId, HouseholdId};

use super::encoding::{Malformed, Reader};
use super::keys::{PublicKey, device_id, household_id};
use super::roster::Roster;
use super::signed::{Context, Signed, StatementError};
use super::statements::{by_an_adult, of_this_household};

/// More devices than anyone names in one grant.
const DEVICES_MAX: u16 = 64;
/// More people than a household has.
const PEOPLE_MAX: u16 = 32;
/// Windows of one grant.
const WINDOWS_MAX: u16 = 32;
/// How long a grant lasts at most.
const LIFETIME_MS_MAX: u64 = 30 * 24 * 60 * 60 * 1000;
/// The largest number that a JavaScript client holds exactly.
const REVISION_MAX: u64 = (1 << 53) - 1;

/// A signed drop-in grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantStatement {
    /// Which.
    pub id: GrantId,
    /// Grows with each change.
    pub revision: u64,
    /// Who signed it.
    pub signer: DeviceId,
    /// Who may drop in.
    pub to: GrantTo,
    /// The home devices that it is about; none: all of the household.
    pub devices: Vec<DeviceId>,
    /// When it counts; absent: always.
    pub hours: Option<GrantHours>,
    /// With picture, or sound only.
    pub picture: bool,
    /// When it was signed, Unix milliseconds.
    pub signed_at_ms: u64,
    /// When it ends, Unix milliseconds.
    pub expires_at_ms: u64,
    /// Whether it ends the grant.
    pub revoked: bool,
}

/// Who may drop in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantTo {
    /// The own household.
    OwnHousehold,
    /// One person of a contact's household.
    Person {
        /// The contact.
        contact: ContactId,
        /// Their household's key.
        their_genesis: PublicKey,
        /// Who; absent when it is no account's id.
        person: Option<AccountId>,
    },
    /// A contact's whole household. Whoever is new there is let to the device, which refuses them by name and
    /// writes them down, so that an adult hears of them.
    Household {
        /// The contact.
        contact: ContactId,
        /// Their household's key.
        their_genesis: PublicKey,
        /// Whom of it the grant names; absent when one is no account's id.
        people: Option<Vec<AccountId>>,
    },
}

/// Weekly times, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantHours {
    /// IANA name.
    pub time_zone: String,
    /// Days as bits, Monday 1 to Sunday 64; from and to in minutes of the day.
    pub windows: Vec<(u8, u16, u16)>,
}

impl GrantTo {
    /// The contact and the key it must have pinned; `None` for the own household.
    #[must_use]
    pub fn contact(&self) -> Option<(ContactId, PublicKey)> {
        match self {
            Self::OwnHousehold => None,
            Self::Person {
                contact,
                their_genesis,
                ..
            }
            | Self::Household {
                contact,
                their_genesis,
                ..
            } => Some((*contact, *their_genesis)),
        }
    }

    /// The household of whom it is to; `None`: the own one.
    #[must_use]
    pub fn household(&self) -> Option<HouseholdId> {
        self.contact().map(|(_, genesis)| household_id(genesis))
    }
}

impl GrantStatement {
    /// Opens a grant that an adult of this household signed.
    ///
    /// # Errors
    /// When it does not parse, or nobody who may has signed it.
    pub fn open(bytes: &[u8], roster: &Roster) -> Result<Self, StatementError> {
        let body = by_an_adult(bytes, Context::DropInGrant, roster)?;
        let mut reader = Reader::new(body);
        reader.version()?;
        of_this_household(&mut reader, roster)?;
        Ok(Self::stored(bytes)?)
    }

    /// What a stored one says, which was opened when it was stored.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn stored(bytes: &[u8]) -> Result<Self, Malformed> {
        let signed = Signed::parse(bytes)?;
        let mut reader = Reader::new(signed.body);
        reader.version()?;
        let own = PublicKey(reader.array()?);
        let id = GrantId(reader.array()?);
        let revision = reader.u64()?;
        let to = read_to(&mut reader, own)?;
        let devices = read_devices(&mut reader)?;
        let hours = read_hours(&mut reader)?;
        let (picture, opening) = (reader.u8()?, reader.u8()?);
        let (signed_at_ms, expires_at_ms) = (reader.u64()?, reader.u64()?);
        let revoked = reader.u8()?;
        reader.finish()?;
        let lasts = expires_at_ms.checked_sub(signed_at_ms).ok_or(Malformed)?;
        let bounded = (1..=LIFETIME_MS_MAX).contains(&lasts)
            && expires_at_ms <= REVISION_MAX
            && revision <= REVISION_MAX;
        if !bounded || picture > 1 || opening > 2 || revoked > 1 {
            return Err(Malformed);
        }
        Ok(Self {
            id,
            revision,
            signer: device_id(signed.signer),
            to,
            devices,
            hours,
            picture: picture == 1,
            signed_at_ms,
            expires_at_ms,
            revoked: revoked == 1,
        })
    }
}

fn read_to(reader: &mut Reader<'_>, own: PublicKey) -> Result<GrantTo, Malformed> {
    let kind = reader.u8()?;
    let contact = ContactId(reader.array()?);
    let their_genesis = PublicKey(reader.array()?);
    let person = reader.string()?;
    let people = read_people(reader)?;
    let theirs = contact.0 != [0; 16] && their_genesis.0 != [0; 32] && their_genesis != own;
    match kind {
        1 if contact.0 == [0; 16] && their_genesis == own && person.is_empty() => {
            match people.is_empty() {
                true => Ok(GrantTo::OwnHousehold),
                false => Err(Malformed),
            }
        }
        2 if theirs && !person.is_empty() && people.is_empty() => Ok(GrantTo::Person {
            contact,
            their_genesis,
            person: person.parse().ok(),
        }),
        3 if theirs && person.is_empty() && !people.is_empty() => Ok(GrantTo::Household {
            contact,
            their_genesis,
            people: people.into_iter().map(|one| one.parse().ok()).collect(),
        }),
        _ => Err(Malformed),
    }
}

fn read_people<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, Malformed> {
    let count = reader.u16()?;
    if count > PEOPLE_MAX {
        return Err(Malformed);
    }
    let people = (0..count)
        .map(|_| reader.string())
        .collect::<Result<Vec<_>, _>>()?;
    let fits = people.iter().all(|person| (1..=64).contains(&person.len()));
    match fits && people.is_sorted_by(|one, next| one < next) {
        true => Ok(people),
        false => Err(Malformed),
    }
}

fn read_devices(reader: &mut Reader<'_>) -> Result<Vec<DeviceId>, Malformed> {
    let count = reader.u16()?;
    if count > DEVICES_MAX {
        return Err(Malformed);
    }
    let keys = (0..count)
        .map(|_| reader.array().map(PublicKey))
        .collect::<Result<Vec<_>, _>>()?;
    if !keys.is_sorted_by(|one, next| one < next) {
        return Err(Malformed);
    }
    Ok(keys.into_iter().map(device_id).collect())
}

fn read_hours(reader: &mut Reader<'_>) -> Result<Option<GrantHours>, Malformed> {
    let time_zone = reader.string()?.to_owned();
    let count = reader.u16()?;
    if count > WINDOWS_MAX || time_zone.is_empty() != (count == 0) {
        return Err(Malformed);
    }
    let windows = (0..count)
        .map(|_| Ok((reader.u8()?, reader.u16()?, reader.u16()?)))
        .collect::<Result<Vec<_>, Malformed>>()?;
    Ok((count > 0).then_some(GrantHours { time_zone, windows }))
}
