//! The one envelope of everything that is signed: body, signer, signature.

use super::encoding::{Malformed, Reader};
use super::keys::{PublicKey, sha256};

/// What a signature is for; no signature serves another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// A certificate.
    Certificate,
    /// A roster entry.
    Roster,
    /// A contact card.
    Contact,
    /// An answer policy.
    AnswerPolicy,
    /// A recovery key's word on its household.
    RecoveryBinding,
    /// Who may drop in.
    DropInGrant,
    /// What happened at a home device.
    DropInLedger,
    /// What a device takes sealed things with.
    SealingKey,
    /// What is announced.
    Announcement,
    /// What is announced while it is spoken.
    LiveAnnouncement,
}

impl Context {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Certificate => b"homeline certificate v1",
            Self::Roster => b"homeline roster v1",
            Self::Contact => b"homeline contact v1",
            Self::AnswerPolicy => b"homeline answer policy v1",
            Self::RecoveryBinding => b"homeline recovery binding v1",
            Self::DropInGrant => b"homeline drop-in grant v1",
            Self::DropInLedger => b"homeline drop-in ledger v1",
            Self::SealingKey => b"homeline sealing key v1",
            Self::Announcement => b"homeline announcement v1",
            Self::LiveAnnouncement => b"homeline live announcement v1",
        }
    }
}

/// Why a statement is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It does not parse.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The signature is wrong.
    #[error("the signature does not verify")]
    Signature,
    /// It is signed by somebody who may not.
    #[error("the signer may not sign this")]
    SignerMayNot,
    /// It is about another household, device or contact, or says something else than the request.
    #[error("the signed statement does not say what the request says")]
    SaysOtherwise,
}

/// A signed statement, its signature not yet checked.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// What is said.
    pub body: &'a [u8],
    /// By whom.
    pub signer: PublicKey,
    signature: [u8; 64],
}

impl<'a> Signed<'a> {
    /// Parses an envelope.
    ///
    /// # Errors
    /// When it is short or long.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let signed = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(signed)
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let body = reader.vec32()?;
        let signer = PublicKey(reader.array()?);
        Ok(Self {
            body,
            signer,
            signature: reader.array()?,
        })
    }

    /// Checks the signature for a purpose.
    ///
    /// # Errors
    /// When it is not the signer's.
    pub fn verify(&self, context: Context) -> Result<(), StatementError> {
        let message = [context.label(), &[0], self.body, &self.signer.0].concat();
        if self.signer.verifies(&message, &self.signature) {
            Ok(())
        } else {
            Err(StatementError::Signature)
        }
    }
}

/// SHA-256 of a whole envelope: the link of a chain.
pub(super) fn envelope_hash(bytes: &[u8]) -> [u8; 32] {
    sha256(&[bytes])
}
