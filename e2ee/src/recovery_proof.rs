//! Which household a recovery code belongs to, shown to who restores and believed by nobody's word.
//!
//! Who restores has only the code and learns the genesis key from the server. The genesis key vouches
//! for the recovery key in a certificate, but a server can make a genesis key of its own and have it
//! vouch for the recovery key, which is public. So the recovery key, which the server never has, names
//! the genesis key in turn: the binding.

use crate::certificate::{Certificate, CertificateError, Kind};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::signed::{Context, Signed};

/// Certificate and binding.
const STATEMENTS: u16 = 2;

/// The two statements that a server keeps of a recovery key: protocol, `recovery_certificate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryProof {
    certificate: Signed,
    binding: Signed,
}

/// Why what the server shows does not restore a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryProofError {
    #[error("the recovery certificate does not hold: {0}")]
    Decode(#[from] DecodeError),
    #[error("the recovery certificate does not hold: {0}")]
    Certificate(#[from] CertificateError),
    #[error("the server shows another household than the one this recovery code belongs to")]
    OtherHousehold,
}

impl RecoveryProof {
    /// From the certificate that the genesis key signed for this recovery key.
    pub fn new(certificate: Signed, genesis: PublicKey, recovery: &PrivateKey) -> Self {
        let body = binding(genesis, recovery.public());
        Self {
            certificate,
            binding: Signed::sign(Context::RecoveryBinding, body, recovery),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u16(STATEMENTS);
        self.certificate.write(&mut writer);
        self.binding.write(&mut writer);
        writer.finish()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let count = reader.u16()?;
        if count != STATEMENTS {
            return Err(DecodeError::Value {
                field: "recovery statements",
                value: count.into(),
            });
        }
        let proof = Self {
            certificate: Signed::read(&mut reader)?,
            binding: Signed::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(proof)
    }

    /// The recovery key's certificate, if that key itself says that it belongs to this genesis key.
    ///
    /// `genesis` is the one of the roster that was shown, `recovery` the key derived from the code.
    pub fn open(
        self,
        genesis: PublicKey,
        recovery: PublicKey,
    ) -> Result<Signed, RecoveryProofError> {
        let bound = self.binding.signer == recovery
            && self.binding.verify(Context::RecoveryBinding).is_ok()
            && self.binding.body == binding(genesis, recovery);
        if !bound {
            return Err(RecoveryProofError::OtherHousehold);
        }
        let certificate = Certificate::open(&self.certificate)?;
        let same = self.certificate.signer == genesis
            && certificate.genesis == genesis
            && certificate.subject == recovery
            && certificate.kind == Kind::RecoveryKey;
        match same {
            true => Ok(self.certificate),
            false => Err(RecoveryProofError::OtherHousehold),
        }
    }
}

/// One encoding for one statement: the body is compared as a whole and never parsed.
fn binding(genesis: PublicKey, recovery: PublicKey) -> Vec<u8> {
    Writer::new()
        .u8(1)
        .raw(&genesis.0)
        .raw(&recovery.0)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Rights;
    use crate::testkit::{House, key};

    fn certificate(house: &House, kind: Kind, recovery: &PrivateKey) -> Signed {
        let certificate = house.certificate(recovery.public(), kind, Rights::ADULT);
        certificate.sign(&house.genesis)
    }

    fn proof(house: &House, recovery: &PrivateKey) -> RecoveryProof {
        let signed = certificate(house, Kind::RecoveryKey, recovery);
        RecoveryProof::new(signed, house.genesis.public(), recovery)
    }

    #[test]
    fn a_genuine_proof_gives_the_certificate() {
        let (house, recovery) = (House::new(10), key(30));
        let proof = proof(&house, &recovery);
        let shown = RecoveryProof::decode(&proof.encode()).unwrap();
        let opened = shown.open(house.genesis.public(), recovery.public());
        assert_eq!(opened, Ok(proof.certificate));
    }

    #[test]
    fn a_household_of_the_servers_own_making_is_refused() {
        let (house, evil, recovery) = (House::new(10), House::new(40), key(30));
        let genuine = proof(&house, &recovery);
        let certificate = certificate(&evil, Kind::RecoveryKey, &recovery);
        let evil_genesis = evil.genesis.public();
        let by_itself = RecoveryProof::new(certificate.clone(), evil_genesis, &evil.genesis);
        let mut relabelled = by_itself.binding.clone();
        relabelled.signer = recovery.public();
        relabelled.body = binding(evil_genesis, recovery.public());
        let other_purpose = Signed::sign(Context::Roster, relabelled.body.clone(), &recovery);
        for binding in [
            genuine.binding,
            by_itself.binding,
            relabelled,
            other_purpose,
        ] {
            let shown = RecoveryProof {
                certificate: certificate.clone(),
                binding,
            };
            let opened = shown.open(evil_genesis, recovery.public());
            assert_eq!(opened, Err(RecoveryProofError::OtherHousehold));
        }
    }

    #[test]
    fn a_certificate_of_another_genesis_key_or_kind_is_refused() {
        let (house, evil, recovery) = (House::new(10), House::new(40), key(30));
        let binding = proof(&house, &recovery).binding;
        for certificate in [
            certificate(&evil, Kind::RecoveryKey, &recovery),
            certificate(&house, Kind::App, &recovery),
            certificate(&house, Kind::RecoveryKey, &key(31)),
        ] {
            let shown = RecoveryProof {
                certificate,
                binding: binding.clone(),
            };
            let opened = shown.open(house.genesis.public(), recovery.public());
            assert_eq!(opened, Err(RecoveryProofError::OtherHousehold));
        }
    }

    #[test]
    fn a_certificate_without_its_binding_does_not_decode() {
        let (house, recovery) = (House::new(10), key(30));
        let proof = proof(&house, &recovery);
        let mut alone = Writer::new();
        alone.u16(1);
        proof.certificate.write(&mut alone);
        assert!(RecoveryProof::decode(&alone.finish()).is_err());
        assert!(RecoveryProof::decode(&proof.certificate.encode()).is_err());
        let mut longer = proof.encode();
        longer.push(0);
        assert_eq!(
            RecoveryProof::decode(&longer),
            Err(DecodeError::Trailing(1))
        );
    }
}
