//! Entries of a target device's ledger: what the server needs of them (docs/drop-in.md). Adults' apps check
//! all of it again.

use homeline_protocol::id::{DeviceId, HouseholdId};

use super::encoding::{Malformed, Reader};
use super::keys::{PublicKey, device_id, household_id};
use super::signed::{Context, Signed, StatementError, envelope_hash};

/// The largest number that a JavaScript client holds exactly.
const NUMBER_MAX: u64 = (1 << 53) - 1;
/// The account id in words.
const PERSON_BYTES_MAX: usize = 64;
/// What an initiator's device is called.
const LABEL_BYTES_MAX: usize = 160;
/// How many refusals have a number.
const REFUSALS: u8 = 22;

/// A signed entry of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerStatement {
    /// The household of the device.
    pub household: HouseholdId,
    /// Who signed it.
    pub signer: DeviceId,
    /// Its place, from 0.
    pub index: u64,
    /// The hash of the entry before; zeros for the first.
    pub prev: [u8; 32],
    /// Its own hash.
    pub hash: [u8; 32],
}

impl LedgerStatement {
    /// Opens an entry, whoever signed it.
    ///
    /// # Errors
    /// When it is not in the one form that an entry has, or its signature is wrong.
    pub fn open(bytes: &[u8]) -> Result<Self, StatementError> {
        let signed = Signed::parse(bytes)?;
        signed.verify(Context::DropInLedger)?;
        let mut reader = Reader::new(signed.body);
        reader.version()?;
        let statement = Self {
            household: household_id(PublicKey(reader.array()?)),
            signer: device_id(signed.signer),
            index: number(&mut reader)?,
            prev: reader.array()?,
            hash: envelope_hash(bytes),
        };
        let _at_ms = number(&mut reader)?;
        pass_kind(&mut reader)?;
        reader.finish()?;
        Ok(statement)
    }
}

/// What happened is for adults to read; here it only has to be readable.
fn pass_kind(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    match reader.u8()? {
        1 => {
            let _call: [u8; 16] = reader.array()?;
            pass_who(reader)?;
            let _grant: [u8; 16] = reader.array()?;
            number(reader)?;
            one_of(reader, 0..=1)?;
            one_of(reader, 0..=2)
        }
        2 => {
            let _call: [u8; 16] = reader.array()?;
            number(reader)?;
            one_of(reader, 1..=5)
        }
        3 => {
            let _call: [u8; 16] = reader.array()?;
            pass_who(reader)?;
            one_of(reader, 1..=REFUSALS)
        }
        4 => {
            let _grant: [u8; 16] = reader.array()?;
            number(reader)?;
            let _statement: [u8; 32] = reader.array()?;
            one_of(reader, 1..=3)
        }
        5 => Ok(()),
        6 => one_of(reader, 0..=1),
        7 => {
            let _statement: [u8; 32] = reader.array()?;
            one_of(reader, 1..=REFUSALS)
        }
        8 => {
            number(reader)?;
            let _hash: [u8; 32] = reader.array()?;
            Ok(())
        }
        _ => Err(Malformed),
    }
}

fn pass_who(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    let _genesis: [u8; 32] = reader.array()?;
    let _device: [u8; 32] = reader.array()?;
    let (person, label) = (reader.string()?, reader.string()?);
    match person.len() <= PERSON_BYTES_MAX && label.len() <= LABEL_BYTES_MAX {
        true => Ok(()),
        false => Err(Malformed),
    }
}

fn number(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    match reader.u64()? {
        number if number <= NUMBER_MAX => Ok(number),
        _ => Err(Malformed),
    }
}

fn one_of(reader: &mut Reader<'_>, known: std::ops::RangeInclusive<u8>) -> Result<(), Malformed> {
    match known.contains(&reader.u8()?) {
        true => Ok(()),
        false => Err(Malformed),
    }
}
