//! The one envelope of everything that is signed: body, signer, signature over context and both.

use sha2::{Digest, Sha256};

use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;

quiet_debug!(Signed);

/// What a signature is for. Each kind of statement has its own, so that no signature can serve
/// another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    Certificate,
    Roster,
    Contact,
    AnswerPolicy,
    CallInvitation,
    Ringing,
    RecoveryBinding,
    DropInGrant,
    DropInAsking,
    DropInLedger,
    SealingKey,
    Announcement,
    LiveAnnouncement,
}

impl Context {
    pub fn label(self) -> &'static str {
        match self {
            Self::Certificate => "homeline certificate v1",
            Self::Roster => "homeline roster v1",
            Self::Contact => "homeline contact v1",
            Self::AnswerPolicy => "homeline answer policy v1",
            Self::CallInvitation => "homeline call invitation v1",
            Self::Ringing => "homeline ringing v1",
            Self::RecoveryBinding => "homeline recovery binding v1",
            Self::DropInAsking => "homeline drop-in asking v1",
            Self::DropInGrant => "homeline drop-in grant v1",
            Self::DropInLedger => "homeline drop-in ledger v1",
            Self::SealingKey => "homeline sealing key v1",
            Self::Announcement => "homeline announcement v1",
            Self::LiveAnnouncement => "homeline live announcement v1",
        }
    }
}

/// A signature does not fit its body, signer and context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    pub body: Vec<u8>,
    pub signer: PublicKey,
    pub signature: [u8; 64],
}

impl Signed {
    pub fn sign(context: Context, body: Vec<u8>, key: &PrivateKey) -> Self {
        let signer = key.public();
        let signature = key.sign(&message(context, &body, signer));
        Self {
            body,
            signer,
            signature,
        }
    }

    pub fn verify(&self, context: Context) -> Result<(), BadSignature> {
        let message = message(context, &self.body, self.signer);
        match self.signer.verify(&message, &self.signature) {
            true => Ok(()),
            false => Err(BadSignature),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer
            .vec32(&self.body)
            .raw(&self.signer.0)
            .raw(&self.signature);
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let signed = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(signed)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let body = reader.vec32()?.to_vec();
        let signer = PublicKey(reader.array()?);
        let signature = reader.array()?;
        Ok(Self {
            body,
            signer,
            signature,
        })
    }

    /// SHA-256 of the whole encoded envelope: the link of the roster's chain.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}

fn message(context: Context, body: &[u8], signer: PublicKey) -> Vec<u8> {
    let label = context.label().as_bytes();
    [label, &[0], body, &signer.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Signed {
        let key = PrivateKey::from_seed(&[7; 32]);
        Signed::sign(Context::Roster, b"body".to_vec(), &key)
    }

    #[test]
    fn a_signature_verifies_for_its_own_context_only() {
        assert_eq!(signed().verify(Context::Roster), Ok(()));
        assert_eq!(signed().verify(Context::Certificate), Err(BadSignature));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes = signed().encode();
        for position in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[position] ^= 1;
            let accepted = Signed::decode(&tampered)
                .is_ok_and(|statement| statement.verify(Context::Roster).is_ok());
            assert!(!accepted, "byte {position}");
        }
    }

    #[test]
    fn a_small_order_key_signs_nothing() {
        // The identity point with a zero signature satisfies the lax equation for every message.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let forged = Signed {
            body: vec![],
            signer: PublicKey(identity),
            signature,
        };
        assert_eq!(forged.verify(Context::Roster), Err(BadSignature));
    }
}
