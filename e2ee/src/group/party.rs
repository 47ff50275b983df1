//! A device on its way into one call: it makes key packages, founds the group, or joins by Welcome.

use homeline_protocol::id::{CallId, DeviceId};
use mls_rs::client_builder::{
    BaseConfig, PaddingMode, WithCryptoProvider, WithIdentityProvider, WithMlsRules,
};
use mls_rs::identity::SigningIdentity;
use mls_rs::identity::basic::BasicCredential;
use mls_rs::mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions};
use mls_rs::time::MlsTime;
use mls_rs::{CipherSuite, Client, ExtensionList, MlsMessage, WireFormat};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use crate::chain::{Chain, ChainError, Identity, verify_chain};
use crate::group::call_group::{CallGroup, GroupError};
use crate::group::expect::{Expect, MemberError};
use crate::group::identity::ChainIdentityProvider;
use crate::introduction::Ringing;
use crate::key::{PrivateKey, PublicKey};
use crate::quiet::quiet_debug;
use crate::signed::Signed;
use crate::time::{DAY_MS, UnixMs};

quiet_debug!(KeyPackageOffer);

pub(super) const SUITE: CipherSuite = CipherSuite::CURVE25519_AES128;

/// How long a key package may be used, in MLS's eyes. What really bounds it is the ringing
/// statement and that it is used once; this only has to outlast a call, since later joiners may
/// look at it again.
const KEY_PACKAGE_LIFETIME_MS: u64 = 7 * DAY_MS;

pub(super) type Config = WithMlsRules<
    DefaultMlsRules,
    WithIdentityProvider<ChainIdentityProvider, WithCryptoProvider<RustCryptoProvider, BaseConfig>>,
>;

/// A device's key and the chain that speaks for it.
#[derive(Clone)]
pub struct Credential {
    key: PrivateKey,
    chain: Chain,
    identity: Identity,
}

/// Why key and chain do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the chain is for another key")]
    OtherKey,
}

impl Credential {
    pub fn new(key: PrivateKey, chain: Chain, now: UnixMs) -> Result<Self, CredentialError> {
        let identity = verify_chain(&chain, now)?;
        match identity.device_key == key.public() {
            true => Ok(Self {
                key,
                chain,
                identity,
            }),
            false => Err(CredentialError::OtherKey),
        }
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    pub fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// A fresh key package and the statement that binds it to the call: what goes with `ringing`.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPackageOffer {
    pub key_package: Vec<u8>,
    pub statement: Vec<u8>,
}

/// A key package that was checked: genuine, for this call, of a household that is expected.
#[derive(Clone)]
pub struct AcceptedKeyPackage {
    pub(super) message: MlsMessage,
    pub identity: Identity,
}

/// Holds the private halves of its key packages; dropping it when ringing ends drops them.
pub struct CallParty {
    credential: Credential,
    call: CallId,
    provider: ChainIdentityProvider,
    client: Client<Config>,
}

impl CallParty {
    pub fn new(credential: Credential, call: CallId, expect: Expect, now: UnixMs) -> Self {
        let provider = ChainIdentityProvider::new(expect, now);
        let identity = BasicCredential::new(credential.chain.encode()).into_credential();
        let identity = SigningIdentity::new(identity, credential.key.public().0.to_vec().into());
        let signer = credential.key.keypair_bytes().to_vec().into();
        let lifetime = std::time::Duration::from_millis(KEY_PACKAGE_LIFETIME_MS);
        let client = Client::builder()
            .crypto_provider(RustCryptoProvider::with_enabled_cipher_suites(vec![SUITE]))
            .identity_provider(provider.clone())
            .mls_rules(rules())
            .key_package_lifetime(lifetime)
            .signing_identity(identity, signer, SUITE)
            .build();
        Self {
            credential,
            call,
            provider,
            client,
        }
    }

    pub fn call(&self) -> CallId {
        self.call
    }

    pub fn device(&self) -> DeviceId {
        self.credential.identity.device
    }

    /// The expectations change: an invitation was accepted, the roster grew.
    pub fn expect(&self, expect: Expect) {
        self.provider.set_expect(expect);
    }

    /// A key package to be used once. It starts an hour in the past, for clocks that run behind.
    pub fn key_package(&self, now: UnixMs) -> Result<KeyPackageOffer, GroupError> {
        self.provider.set_now(now);
        let start = mls_time(now.minus(60 * 60 * 1000));
        let none = ExtensionList::new();
        let message = self
            .client
            .generate_key_package_message(none.clone(), none, Some(start))?;
        let key_package = message.to_bytes()?;
        let ringing = Ringing::new(self.call, &key_package, &self.credential.chain);
        let statement = ringing.sign(&self.credential.key).encode();
        Ok(KeyPackageOffer {
            key_package,
            statement,
        })
    }

    /// Founds the call's group, alone.
    pub fn create(&self, now: UnixMs) -> Result<CallGroup, GroupError> {
        self.provider.set_now(now);
        let id = self.call.0.to_vec();
        let none = ExtensionList::new();
        let group =
            self.client
                .create_group_with_id(id, none.clone(), none, Some(mls_time(now)))?;
        CallGroup::new(group, self.provider.clone())
    }

    /// Joins by a Welcome. Every member of the group must be genuine and expected.
    pub fn join(&self, now: UnixMs, welcome: &[u8]) -> Result<CallGroup, GroupError> {
        self.provider.set_now(now);
        let welcome = MlsMessage::from_bytes(welcome)?;
        if welcome.wire_format() != WireFormat::Welcome {
            return Err(GroupError::UnexpectedMessage);
        }
        // No time: the lifetimes of key packages long used do not matter; chains are checked
        // against the provider's time.
        let (group, _) = self.client.join_group(None, &welcome, None)?;
        if group.group_id() != self.call.0 {
            return Err(GroupError::OtherCall);
        }
        self.forget_key_packages();
        CallGroup::new(group, self.provider.clone())
    }

    /// The private halves of all key packages go: each is used once, and one is enough.
    fn forget_key_packages(&self) {
        let store = self.client.key_package_store();
        store
            .key_packages()
            .iter()
            .for_each(|(id, _)| store.delete(id));
    }

    /// Checks a key package that came with a ringing statement.
    pub fn accept_key_package(
        &self,
        now: UnixMs,
        key_package: &[u8],
        statement: &[u8],
    ) -> Result<AcceptedKeyPackage, GroupError> {
        self.provider.set_now(now);
        let statement = Signed::decode(statement).map_err(ChainError::from)?;
        let ringing = Ringing::open(&statement, self.call, key_package, now)?;
        self.accept(key_package, ringing.device_key)
    }

    /// Checks a key package that another statement of this device has bound to the call already: an asking
    /// to drop in.
    pub fn accept_asked(
        &self,
        now: UnixMs,
        key_package: &[u8],
        device: PublicKey,
    ) -> Result<AcceptedKeyPackage, GroupError> {
        self.provider.set_now(now);
        self.accept(key_package, device)
    }

    fn accept(
        &self,
        key_package: &[u8],
        device: PublicKey,
    ) -> Result<AcceptedKeyPackage, GroupError> {
        let message = MlsMessage::from_bytes(key_package)?;
        let package = message
            .as_key_package()
            .ok_or(GroupError::UnexpectedMessage)?;
        let identity = self.provider.check(package.signing_identity())?;
        match identity.device_key == device {
            true => Ok(AcceptedKeyPackage { message, identity }),
            false => Err(MemberError::OtherKey.into()),
        }
    }
}

/// Handshake messages encrypted, the tree inside the Welcome, no way in from outside.
fn rules() -> DefaultMlsRules {
    let commit = CommitOptions::new()
        .with_ratchet_tree_extension(true)
        .with_single_welcome_message(true)
        .with_allow_external_commit(false);
    DefaultMlsRules::new()
        .with_commit_options(commit)
        .with_encryption_options(EncryptionOptions::new(true, PaddingMode::None))
}

pub(super) fn mls_time(now: UnixMs) -> MlsTime {
    MlsTime::from(now.0 / 1000)
}
