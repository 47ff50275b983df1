//! Certificates and their chains: which device a key is, whose, with what rights, until when.

use std::time::Duration;

use super::encoding::{Malformed, Reader};
use super::keys::PublicKey;
use super::signed::{Context, Signed, StatementError};
use crate::model::UnixMillis;

/// The longest chain that is looked at.
const CHAIN_LENGTH_MAX: u16 = 6;
/// Certificate and binding.
const RECOVERY_STATEMENTS: u16 = 2;
/// How far a client's clock may be off.
pub(super) const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// What a certified key is. A guest is none of them (`guest`); processors and bridges come later. Both
/// are refused here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person's app.
    App,
    /// A home device.
    HomeDevice,
    /// A household's recovery key.
    RecoveryKey,
}

impl Kind {
    pub(super) fn parse(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::App),
            2 => Ok(Self::HomeDevice),
            3 => Ok(Self::RecoveryKey),
            _ => Err(Malformed),
        }
    }
}

/// Why a chain is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A certificate does not parse or its signature is wrong.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The certificates do not lead from the device to the genesis key.
    #[error("the chain does not lead to the household's genesis key")]
    Broken,
    /// A certificate is outdated, or not valid yet.
    #[error("a certificate of the chain is not valid at this time")]
    Expired,
}

impl From<Malformed> for ChainError {
    fn from(error: Malformed) -> Self {
        Self::Statement(error.into())
    }
}

/// Who a verified chain speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The genesis key of the household; whether it is the right one is the caller's question.
    pub genesis: PublicKey,
    /// The device's key.
    pub key: PublicKey,
    /// App or home device.
    pub kind: Kind,
    /// Whether it may certify and sign.
    pub adult: bool,
    /// The account id in words.
    pub person: String,
    /// Its label.
    pub label: String,
    /// All who certified it but the genesis key: the roster must know each of them.
    pub issuers: Vec<PublicKey>,
}

/// Parses and verifies chains.
#[derive(Debug, Clone, Copy)]
pub struct Chain;

impl Chain {
    /// Verifies a chain as it is now.
    ///
    /// # Errors
    /// When anything about it is wrong.
    pub fn verify(bytes: &[u8], now: UnixMillis) -> Result<Identity, ChainError> {
        let mut reader = Reader::new(bytes);
        let length = reader.u16()?;
        if length == 0 || length > CHAIN_LENGTH_MAX {
            return Err(ChainError::Broken);
        }
        let mut links = Vec::new();
        for _ in 0..length {
            let link = Signed::read(&mut reader)?;
            links.push((Certificate::open(&link)?, link.signer));
        }
        reader.finish()?;
        identity(&links, now)
    }

    /// Verifies what is kept of a recovery key, and returns the key: the certificate that the
    /// genesis key signed, and the binding by which the recovery key names the genesis key.
    ///
    /// # Errors
    /// When anything about it is wrong.
    pub fn verify_recovery(bytes: &[u8], genesis: PublicKey) -> Result<PublicKey, ChainError> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != RECOVERY_STATEMENTS {
            return Err(ChainError::Broken);
        }
        let (signed, binding) = (Signed::read(&mut reader)?, Signed::read(&mut reader)?);
        reader.finish()?;
        let certificate = Certificate::open(&signed)?;
        binding.verify(Context::RecoveryBinding)?;
        let recovery = certificate.subject;
        let right = certificate.genesis == genesis
            && signed.signer == genesis
            && certificate.kind == Kind::RecoveryKey
            && binding.signer == recovery
            && binding.body == [&[1][..], &genesis.0, &recovery.0].concat();
        if right {
            Ok(recovery)
        } else {
            Err(ChainError::Broken)
        }
    }
}

fn identity(links: &[(Certificate, PublicKey)], now: UnixMillis) -> Result<Identity, ChainError> {
    let (leaf, _) = links.first().ok_or(ChainError::Broken)?;
    for (number, (certificate, signer)) in links.iter().enumerate() {
        let issuer = links.get(number + 1).map(|(issuer, _)| issuer);
        let signed_well = match issuer {
            None => *signer == leaf.genesis,
            Some(issuer) => *signer == issuer.subject && issuer.may_certify(),
        };
        if certificate.genesis != leaf.genesis || !signed_well {
            return Err(ChainError::Broken);
        }
        if !certificate.is_valid_at(now) {
            return Err(ChainError::Expired);
        }
    }
    if leaf.kind == Kind::RecoveryKey {
        return Err(ChainError::Broken);
    }
    Ok(Identity {
        genesis: leaf.genesis,
        key: leaf.subject,
        kind: leaf.kind,
        adult: leaf.adult,
        person: leaf.person.clone(),
        label: leaf.label.clone(),
        issuers: links[1..]
            .iter()
            .map(|(issuer, _)| issuer.subject)
            .collect(),
    })
}

struct Certificate {
    genesis: PublicKey,
    subject: PublicKey,
    kind: Kind,
    adult: bool,
    person: String,
    label: String,
    not_before: UnixMillis,
    not_after: UnixMillis,
}

impl Certificate {
    fn open(signed: &Signed<'_>) -> Result<Self, StatementError> {
        signed.verify(Context::Certificate)?;
        let certificate = Self::read(signed.body)?;
        if certificate.kind == Kind::HomeDevice && certificate.adult {
            return Err(Malformed.into());
        }
        Ok(certificate)
    }

    fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let certificate = Self {
            genesis: PublicKey(reader.array()?),
            subject: PublicKey(reader.array()?),
            kind: Kind::parse(reader.u8()?)?,
            adult: read_rights(&mut reader)?,
            person: reader.string()?.to_owned(),
            label: reader.string()?.to_owned(),
            not_before: UnixMillis(reader.u64()?),
            not_after: UnixMillis(reader.u64()?),
        };
        let _roster_seq = reader.u64()?;
        reader.finish()?;
        Ok(certificate)
    }

    fn may_certify(&self) -> bool {
        match self.kind {
            Kind::App => self.adult,
            Kind::RecoveryKey => true,
            Kind::HomeDevice => false,
        }
    }

    fn is_valid_at(&self, now: UnixMillis) -> bool {
        self.not_before <= now.plus(CLOCK_SKEW) && now <= self.not_after.plus(CLOCK_SKEW)
    }
}

pub(super) fn read_rights(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed),
    }
}
