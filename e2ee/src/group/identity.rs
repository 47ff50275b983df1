//! What MLS asks about a member: is this credential genuine, is it welcome, who is it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mls_rs::error::{AnyError, IntoAnyError};
use mls_rs::identity::{Credential, CredentialType, SigningIdentity};
use mls_rs::time::MlsTime;
use mls_rs::{ExtensionList, IdentityProvider};
use mls_rs_core::identity::MemberValidationContext;

use crate::chain::{self, Identity, verify_chain_bytes};
use crate::group::expect::{Expect, MemberError};
use crate::time::UnixMs;

/// Verifies chains against the time and the expectations that the group's owner sets before each
/// step. Clones share both, as MLS clones its provider.
#[derive(Clone)]
pub(super) struct ChainIdentityProvider {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    now: UnixMs,
    expect: Expect,
}

impl ChainIdentityProvider {
    pub(super) fn new(expect: Expect, now: UnixMs) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared { now, expect })),
        }
    }

    pub(super) fn set_now(&self, now: UnixMs) {
        self.lock().now = now;
    }

    pub(super) fn set_expect(&self, expect: Expect) {
        self.lock().expect = expect;
    }

    /// The identity behind a leaf, genuine and welcome, or why not.
    pub(super) fn check(&self, signing: &SigningIdentity) -> Result<Identity, MemberError> {
        let chain = chain_of(signing)?;
        let shared = self.lock();
        let identity = verify_chain_bytes(chain, shared.now)?;
        if signing.signature_key.as_ref() != identity.device_key.0 {
            return Err(MemberError::OtherKey);
        }
        shared.expect.allows(&identity)?;
        Ok(identity)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing inside can be left half-changed, so a panic elsewhere does not spoil it.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn chain_of(signing: &SigningIdentity) -> Result<&[u8], MemberError> {
    match &signing.credential {
        Credential::Basic(basic) => Ok(basic.identifier()),
        _ => Err(MemberError::NotAChain),
    }
}

impl IntoAnyError for MemberError {
    fn into_dyn_error(self) -> Result<Box<dyn std::error::Error + Send + Sync>, Self> {
        Ok(self.into())
    }
}

/// What was behind an error that MLS wrapped.
pub(super) fn member_error(error: &AnyError) -> Option<MemberError> {
    error
        .inner_dyn_error()
        .downcast_ref::<MemberError>()
        .cloned()
}

impl IdentityProvider for ChainIdentityProvider {
    type Error = MemberError;

    fn validate_member(
        &self,
        signing_identity: &SigningIdentity,
        _timestamp: Option<MlsTime>,
        _context: MemberValidationContext<'_>,
    ) -> Result<(), MemberError> {
        self.check(signing_identity).map(|_| ())
    }

    /// External senders do not exist here.
    fn validate_external_sender(
        &self,
        _signing_identity: &SigningIdentity,
        _timestamp: Option<MlsTime>,
        _extensions: Option<&ExtensionList>,
    ) -> Result<(), MemberError> {
        Err(MemberError::NotAChain)
    }

    /// Household and device: one leaf for each device in a group.
    fn identity(
        &self,
        signing_identity: &SigningIdentity,
        _extensions: &ExtensionList,
    ) -> Result<Vec<u8>, MemberError> {
        let (household, device) = chain::leaf_ids(chain_of(signing_identity)?)?;
        Ok([household.0, device.0].concat())
    }

    /// A leaf renewed by its member stays the same device; its chain may be a newer one.
    fn valid_successor(
        &self,
        predecessor: &SigningIdentity,
        successor: &SigningIdentity,
        _extensions: &ExtensionList,
    ) -> Result<bool, MemberError> {
        let before = chain::leaf_ids(chain_of(predecessor)?)?;
        Ok(chain::leaf_ids(chain_of(successor)?)? == before)
    }

    fn supported_types(&self) -> Vec<CredentialType> {
        vec![CredentialType::BASIC]
    }
}
