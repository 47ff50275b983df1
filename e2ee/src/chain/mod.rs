//! A chain of certificates from a device up to its household's genesis key, and its verification.

use homeline_protocol::id::{DeviceId, HouseholdId};

use crate::certificate::{Certificate, CertificateError, Kind, Rights};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::ids;
use crate::key::PublicKey;
use crate::quiet::quiet_debug;
use crate::signed::Signed;
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(Identity);

/// The longest chain: an adult certified by an adult, a few times over. Longer ones are refused
/// before any signature is checked.
pub const CHAIN_LENGTH_MAX: usize = 6;

/// Signed certificates, leaf first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain(pub Vec<Signed>);

/// Who a verified chain speaks for. Whether `genesis` is the one expected is the caller's question,
/// always asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub genesis: PublicKey,
    pub household: HouseholdId,
    pub device: DeviceId,
    pub device_key: PublicKey,
    pub kind: Kind,
    pub rights: Rights,
    pub person: String,
    pub label: String,
    /// When the first of the chain's certificates ends.
    pub not_after: UnixMs,
    /// Every subject of the chain, leaf first: a roster may have removed one of them.
    pub subjects: Vec<PublicKey>,
}

/// Why a chain proves nothing. `link` counts from the leaf, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("a chain has 1 to {CHAIN_LENGTH_MAX} certificates")]
    Length,
    #[error("certificate {link}: {error}")]
    Certificate {
        link: usize,
        error: CertificateError,
    },
    #[error("certificate {link} belongs to another household")]
    OtherHousehold { link: usize },
    #[error("certificate {link} is not signed by the next one's subject")]
    WrongSigner { link: usize },
    #[error("the signer of certificate {link} may not certify")]
    SignerMayNot { link: usize },
    #[error("certificate {link} is not valid yet")]
    NotYet { link: usize },
    #[error("certificate {link} has expired")]
    Expired { link: usize },
    #[error("a recovery key is no device")]
    NotADevice,
    #[error("a guest's chain is its own certificate alone")]
    GuestChain,
}

impl Identity {
    /// Whether it is a guest: never of a household, never a contact, and shown as a guest.
    pub fn is_guest(&self) -> bool {
        self.kind == Kind::Guest
    }
}

impl Chain {
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let count = u16::try_from(self.0.len()).expect("a chain is short");
        writer.u16(count);
        self.0.iter().for_each(|signed| signed.write(&mut writer));
        writer.finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let count = usize::from(reader.u16()?);
        if count > CHAIN_LENGTH_MAX {
            let max = CHAIN_LENGTH_MAX;
            return Err(DecodeError::TooMany {
                field: "certificates",
                max,
            });
        }
        let chain = (0..count)
            .map(|_| Signed::read(&mut reader))
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self(chain))
    }

    /// This chain with a further leaf, signed by what was the leaf.
    #[must_use]
    pub fn extended(&self, leaf: Signed) -> Self {
        let mut chain = vec![leaf];
        chain.extend(self.0.iter().cloned());
        Self(chain)
    }
}

/// Decodes a chain and verifies it.
pub fn verify_chain_bytes(bytes: &[u8], now: UnixMs) -> Result<Identity, ChainError> {
    verify_chain(&Chain::decode(bytes)?, now)
}

pub fn verify_chain(chain: &Chain, now: UnixMs) -> Result<Identity, ChainError> {
    if chain.0.is_empty() || chain.0.len() > CHAIN_LENGTH_MAX {
        return Err(ChainError::Length);
    }
    let certificates = open_all(chain)?;
    let leaf = &certificates[0];
    if leaf.kind == Kind::RecoveryKey {
        return Err(ChainError::NotADevice);
    }
    let guests = certificates.iter().any(|one| one.kind == Kind::Guest);
    if guests && certificates.len() > 1 {
        return Err(ChainError::GuestChain);
    }
    for (link, (signed, certificate)) in chain.0.iter().zip(&certificates).enumerate() {
        if certificate.genesis != leaf.genesis {
            return Err(ChainError::OtherHousehold { link });
        }
        check_signer(
            link,
            signed.signer,
            leaf.genesis,
            certificates.get(link + 1),
        )?;
        check_validity(link, certificate, now)?;
    }
    Ok(Identity {
        genesis: leaf.genesis,
        household: ids::household_id(leaf.genesis),
        device: ids::device_id(leaf.subject),
        device_key: leaf.subject,
        kind: leaf.kind,
        rights: leaf.rights,
        person: leaf.person.clone(),
        label: leaf.label.clone(),
        not_after: certificates
            .iter()
            .map(|one| one.not_after)
            .min()
            .unwrap_or_default(),
        subjects: certificates.iter().map(|one| one.subject).collect(),
    })
}

/// Household and device of a chain's leaf, whatever the time: the leaf's own signature is checked,
/// the rest of the chain is not. Tells members of a group apart that were verified on entering it.
pub(crate) fn leaf_ids(bytes: &[u8]) -> Result<(HouseholdId, DeviceId), ChainError> {
    let chain = Chain::decode(bytes)?;
    let leaf = chain.0.first().ok_or(ChainError::Length)?;
    let leaf =
        Certificate::open(leaf).map_err(|error| ChainError::Certificate { link: 0, error })?;
    Ok((
        ids::household_id(leaf.genesis),
        ids::device_id(leaf.subject),
    ))
}

fn open_all(chain: &Chain) -> Result<Vec<Certificate>, ChainError> {
    let open = |(link, signed)| {
        Certificate::open(signed).map_err(|error| ChainError::Certificate { link, error })
    };
    chain.0.iter().enumerate().map(open).collect()
}

fn check_signer(
    link: usize,
    signer: PublicKey,
    genesis: PublicKey,
    next: Option<&Certificate>,
) -> Result<(), ChainError> {
    let Some(next) = next else {
        return match signer == genesis {
            true => Ok(()),
            false => Err(ChainError::WrongSigner { link }),
        };
    };
    if signer != next.subject {
        return Err(ChainError::WrongSigner { link });
    }
    let may = match next.kind {
        Kind::RecoveryKey => true,
        Kind::App => next.rights.adult,
        Kind::HomeDevice | Kind::Guest => false,
    };
    match may {
        true => Ok(()),
        false => Err(ChainError::SignerMayNot { link }),
    }
}

fn check_validity(link: usize, certificate: &Certificate, now: UnixMs) -> Result<(), ChainError> {
    if now.plus(CLOCK_SKEW_MS) < certificate.not_before {
        return Err(ChainError::NotYet { link });
    }
    if now > certificate.not_after.plus(CLOCK_SKEW_MS) {
        return Err(ChainError::Expired { link });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
