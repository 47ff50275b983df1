//! The caller's signed invitation: a ringing device learns from it who calls, not from the server.

use homeline_protocol::id::CallId;

use crate::chain::{Chain, ChainError, Identity, verify_chain_bytes};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(CallInvitation);

/// How old an invitation may be, beyond the clocks' skew. A phone rings for less.
pub const INVITATION_AGE_MS_MAX: u64 = 60 * 1000;

/// Households that an invitation names; a call has no more participants.
const HOUSEHOLDS_MAX: usize = 32;

#[derive(Clone, PartialEq, Eq)]
pub struct CallInvitation {
    pub call: CallId,
    pub at: UnixMs,
    pub to_handle: String,
    pub display_name: String,
    pub video: bool,
    /// The caller's chain, encoded.
    pub chain: Vec<u8>,
    /// Households that are in the call already, by genesis key: for somebody who is added to it,
    /// and for a device that takes it over.
    pub households: Vec<PublicKey>,
}

/// Why an invitation does not ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the invitation is signed by another key than its chain's")]
    WrongSigner,
    #[error("the invitation is for another call")]
    OtherCall,
    #[error("the invitation is for somebody else")]
    OtherHandle,
    #[error("the invitation is too old, or from the future")]
    Stale,
    #[error("a guest can call nobody")]
    Guest,
}

impl CallInvitation {
    pub fn new(
        call: CallId,
        at: UnixMs,
        to_handle: &str,
        display_name: &str,
        video: bool,
        chain: &Chain,
    ) -> Self {
        let (to_handle, display_name) = (to_handle.to_owned(), display_name.to_owned());
        Self {
            call,
            at,
            to_handle,
            display_name,
            video,
            chain: chain.encode(),
            households: Vec::new(),
        }
    }

    /// Into a call that runs, with these households in it.
    #[must_use]
    pub fn with_households(mut self, households: Vec<PublicKey>) -> Self {
        self.households = households;
        self
    }

    pub fn sign(&self, device: &PrivateKey) -> Signed {
        Signed::sign(Context::CallInvitation, self.body(), device)
    }

    /// Opens an invitation to `call` that rings at `now` for one of `own_handles`.
    pub fn open(
        signed: &Signed,
        call: CallId,
        own_handles: &[&str],
        now: UnixMs,
    ) -> Result<(Self, Identity), InvitationError> {
        signed.verify(Context::CallInvitation)?;
        let invitation = Self::read(&signed.body)?;
        if invitation.call != call {
            return Err(InvitationError::OtherCall);
        }
        if !own_handles.contains(&invitation.to_handle.as_str()) {
            return Err(InvitationError::OtherHandle);
        }
        let too_old = now.since(invitation.at) > INVITATION_AGE_MS_MAX + CLOCK_SKEW_MS;
        if too_old || invitation.at.since(now) > CLOCK_SKEW_MS {
            return Err(InvitationError::Stale);
        }
        let caller = verify_chain_bytes(&invitation.chain, now)?;
        if caller.is_guest() {
            return Err(InvitationError::Guest);
        }
        match caller.device_key == signed.signer {
            true => Ok((invitation, caller)),
            false => Err(InvitationError::WrongSigner),
        }
    }

    /// Version 2 is version 1 with the households behind it.
    fn body(&self) -> Vec<u8> {
        let first = self.households.is_empty();
        let mut writer = Writer::new();
        writer
            .u8(if first { 1 } else { 2 })
            .raw(&self.call.0)
            .u64(self.at.0)
            .string(&self.to_handle)
            .string(&self.display_name)
            .u8(u8::from(self.video))
            .vec16(&self.chain);
        if first {
            return writer.finish();
        }
        let keys: Vec<u8> = self.households.iter().flat_map(|key| key.0).collect();
        writer.vec16(&keys).finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let version = match reader.u8()? {
            version @ (1 | 2) => version,
            other => return Err(DecodeError::Version(other)),
        };
        let mut invitation = Self {
            call: CallId(reader.array()?),
            at: UnixMs(reader.u64()?),
            to_handle: reader.string()?,
            display_name: reader.string()?,
            video: match reader.u8()? {
                0 => false,
                1 => true,
                other => {
                    return Err(DecodeError::Value {
                        field: "video",
                        value: other.into(),
                    });
                }
            },
            chain: reader.vec16()?.to_vec(),
            households: Vec::new(),
        };
        if version == 2 {
            invitation.households = read_households(reader.vec16()?)?;
        }
        reader.finish()?;
        Ok(invitation)
    }
}

fn read_households(bytes: &[u8]) -> Result<Vec<PublicKey>, DecodeError> {
    let keys = bytes.chunks_exact(32);
    let count = bytes.len() / 32;
    if !keys.remainder().is_empty() || count == 0 || count > HOUSEHOLDS_MAX {
        return Err(DecodeError::Value {
            field: "households",
            value: bytes.len() as u64,
        });
    }
    let mut reader = Reader::new(bytes);
    (0..count).map(|_| Ok(PublicKey(reader.array()?))).collect()
}
