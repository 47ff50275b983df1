//! The caller's signed invitation: a ringing device learns from it who calls, not from the server.

use homeline_protocol::id::CallId;

use crate::chain::{Chain, ChainError, Identity, verify_chain_bytes};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::key::PrivateKey;
use crate::quiet::quiet_debug;
use crate::signed::{BadSignature, Context, Signed};
use crate::time::{CLOCK_SKEW_MS, UnixMs};

quiet_debug!(CallInvitation);

/// How old an invitation may be, beyond the clocks' skew. A phone rings for less.
pub const INVITATION_AGE_MS_MAX: u64 = 60 * 1000;

#[derive(Clone, PartialEq, Eq)]
pub struct CallInvitation {
    pub call: CallId,
    pub at: UnixMs,
    pub to_handle: String,
    pub display_name: String,
    pub video: bool,
    /// The caller's chain, encoded.
    pub chain: Vec<u8>,
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
        }
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
        match caller.device_key == signed.signer {
            true => Ok((invitation, caller)),
            false => Err(InvitationError::WrongSigner),
        }
    }

    fn body(&self) -> Vec<u8> {
        Writer::new()
            .u8(1)
            .raw(&self.call.0)
            .u64(self.at.0)
            .string(&self.to_handle)
            .string(&self.display_name)
            .u8(u8::from(self.video))
            .vec16(&self.chain)
            .finish()
    }

    /// Decodes a body. Says nothing about its signature: `open` does.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version()?;
        let invitation = Self {
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
        };
        reader.finish()?;
        Ok(invitation)
    }
}
