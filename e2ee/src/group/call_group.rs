//! A call's group from within: commits made and applied, messages, and the secrets of the epoch.

use std::collections::BTreeMap;

use homeline_protocol::id::DeviceId;
use mls_rs::error::MlsError;
use mls_rs::group::{CommitEffect, ReceivedMessage};
use mls_rs::identity::SigningIdentity;
use mls_rs::{Group, MlsMessage, WireFormat};
use zeroize::Zeroizing;

use crate::chain::{ChainError, Identity};
use crate::group::code::call_code;
use crate::group::expect::{Expect, MemberError};
use crate::group::identity::{ChainIdentityProvider, member_error};
use crate::group::party::{AcceptedKeyPackage, Config, mls_time};
use crate::introduction::RingingError;
use crate::time::UnixMs;

/// The group after the last commit that was applied.
pub struct CallGroup {
    group: Group<Config>,
    provider: ChainIdentityProvider,
    members: BTreeMap<u32, (SigningIdentity, Member)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub leaf: u32,
    pub identity: Identity,
}

/// What one commit does. With nothing in it, it renews one's own keys.
#[derive(Default)]
pub struct CommitPlan {
    /// A device that is in the group already is removed by a commit before this one.
    pub add: Option<AcceptedKeyPackage>,
    /// Beside an addition: the device that the new one takes the place of.
    pub remove: Vec<DeviceId>,
}

/// A commit to offer to the server; nothing has changed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The epoch that the commit ends.
    pub epoch: u64,
    pub commit: Vec<u8>,
    /// The Welcome and whom it is for.
    pub welcome: Option<(DeviceId, Vec<u8>)>,
    pub removed: Vec<DeviceId>,
}

/// What an applied commit changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// This member made the commit.
    pub own: bool,
    pub joined: Vec<Member>,
    pub left: Vec<Member>,
    /// This device was removed: the group's state is that of before, and of no further use.
    pub removed_self: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    #[error(transparent)]
    Member(#[from] MemberError),
    #[error(transparent)]
    Ringing(#[from] RingingError),
    #[error("the group is that of another call")]
    OtherCall,
    #[error("this kind of message does not belong here")]
    UnexpectedMessage,
    #[error("the message is of epoch {found}, the group in epoch {current}")]
    OtherEpoch { current: u64, found: u64 },
    #[error("no such member")]
    NotAMember,
    #[error(transparent)]
    Mls(MlsError),
}

impl From<MlsError> for GroupError {
    fn from(error: MlsError) -> Self {
        let member = match &error {
            MlsError::IdentityProviderError(inner) => member_error(inner),
            _ => None,
        };
        member.map_or(Self::Mls(error), Self::Member)
    }
}

impl From<ChainError> for GroupError {
    fn from(error: ChainError) -> Self {
        Self::Member(error.into())
    }
}

impl CallGroup {
    pub(super) fn new(
        group: Group<Config>,
        provider: ChainIdentityProvider,
    ) -> Result<Self, GroupError> {
        let mut this = Self {
            group,
            provider,
            members: BTreeMap::new(),
        };
        this.refresh_members()?;
        Ok(this)
    }

    pub fn epoch(&self) -> u64 {
        self.group.current_epoch()
    }

    pub fn own_leaf(&self) -> u32 {
        self.group.current_member_index()
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().map(|(_, member)| member)
    }

    pub fn member(&self, leaf: u32) -> Option<&Member> {
        self.members.get(&leaf).map(|(_, member)| member)
    }

    pub fn member_of(&self, device: DeviceId) -> Option<&Member> {
        self.members()
            .find(|member| member.identity.device == device)
    }

    /// The expectations change: an invitation was accepted, the roster grew.
    pub fn expect(&self, expect: Expect) {
        self.provider.set_expect(expect);
    }

    /// Makes a commit. It waits until it is applied by its own echo, or until another wins.
    pub fn commit(&mut self, now: UnixMs, plan: &CommitPlan) -> Result<Committed, GroupError> {
        self.provider.set_now(now);
        self.group.clear_pending_commit();
        let own = self.own_leaf();
        let goes =
            |member: &&Member| member.leaf != own && plan.remove.contains(&member.identity.device);
        let gone: Vec<(u32, DeviceId)> = self
            .members()
            .filter(goes)
            .map(|member| (member.leaf, member.identity.device))
            .collect();
        let epoch = self.epoch();
        let mut builder = self.group.commit_builder().commit_time(mls_time(now));
        for (leaf, _) in &gone {
            builder = builder.remove_member(*leaf)?;
        }
        if let Some(add) = &plan.add {
            builder = builder.add_member(add.message.clone())?;
        }
        let output = builder.build()?;
        let welcome = match (&plan.add, output.welcome_messages.first()) {
            (Some(add), Some(welcome)) => Some((add.identity.device, welcome.to_bytes()?)),
            _ => None,
        };
        let commit = output.commit_message.to_bytes()?;
        let removed = gone.into_iter().map(|(_, device)| device).collect();
        Ok(Committed {
            epoch,
            commit,
            welcome,
            removed,
        })
    }

    pub fn clear_pending(&mut self) {
        self.group.clear_pending_commit();
    }

    /// Applies the commit that won the current epoch, one's own included.
    pub fn apply(&mut self, now: UnixMs, commit: &[u8]) -> Result<Applied, GroupError> {
        self.provider.set_now(now);
        let message = self.private_message(commit)?;
        let received = self
            .group
            .process_incoming_message_with_time(message, mls_time(now))?;
        let ReceivedMessage::Commit(commit) = received else {
            return Err(GroupError::UnexpectedMessage);
        };
        match commit.effect {
            CommitEffect::NewEpoch(_) => {
                let own = commit.committer == self.own_leaf();
                Ok(Applied {
                    own,
                    ..self.refresh_members()?
                })
            }
            CommitEffect::Removed { .. } => Ok(Applied {
                removed_self: true,
                ..Applied::default()
            }),
            CommitEffect::ReInit(_) => Err(GroupError::UnexpectedMessage),
        }
    }

    pub fn encrypt_message(&mut self, data: &[u8]) -> Result<Vec<u8>, GroupError> {
        Ok(self
            .group
            .encrypt_application_message(data, Vec::new())?
            .to_bytes()?)
    }

    /// Who sent it, and what.
    pub fn decrypt_message(
        &mut self,
        now: UnixMs,
        message: &[u8],
    ) -> Result<(Member, Vec<u8>), GroupError> {
        self.provider.set_now(now);
        let message = self.private_message(message)?;
        let received = self
            .group
            .process_incoming_message_with_time(message, mls_time(now))?;
        let ReceivedMessage::ApplicationMessage(message) = received else {
            return Err(GroupError::UnexpectedMessage);
        };
        let sender = self
            .member(message.sender_index)
            .ok_or(GroupError::NotAMember)?;
        Ok((sender.clone(), message.data().to_vec()))
    }

    /// RFC 9605, section 5.2.
    pub fn sframe_base_key(&self) -> Result<Zeroizing<[u8; 16]>, GroupError> {
        let secret = self.group.export_secret(b"SFrame 1.0 Base Key", b"", 16)?;
        let mut key = Zeroizing::new([0; 16]);
        key.copy_from_slice(secret.as_bytes());
        Ok(key)
    }

    pub fn epoch_authenticator(&self) -> Result<[u8; 32], GroupError> {
        let secret = self.group.epoch_authenticator()?;
        let mut authenticator = [0; 32];
        authenticator.copy_from_slice(secret.as_bytes());
        Ok(authenticator)
    }

    pub fn call_code(&self) -> Result<String, GroupError> {
        Ok(call_code(&self.epoch_authenticator()?))
    }

    /// A PrivateMessage of this group and epoch; anything else is refused unread, so that nobody
    /// enters by an external commit.
    fn private_message(&self, bytes: &[u8]) -> Result<MlsMessage, GroupError> {
        let message = MlsMessage::from_bytes(bytes)?;
        if message.wire_format() != WireFormat::PrivateMessage {
            return Err(GroupError::UnexpectedMessage);
        }
        let (current, found) = (self.epoch(), message.epoch().unwrap_or_default());
        match current == found {
            true => Ok(message),
            false => Err(GroupError::OtherEpoch { current, found }),
        }
    }

    /// Reads the members anew where their leaves changed: chains cost signatures.
    fn refresh_members(&mut self) -> Result<Applied, GroupError> {
        let mut before = std::mem::take(&mut self.members);
        let mut applied = Applied::default();
        for member in self.group.roster().members_iter() {
            let (leaf, signing) = (member.index, member.signing_identity);
            match before.remove(&leaf) {
                Some(known) if known.0 == signing => {
                    self.members.insert(leaf, known);
                    continue;
                }
                // A renewed chain, or another device in the place that became free.
                Some((_, known)) => applied.left.push(known),
                None => {}
            }
            let identity = self.provider.check(&signing)?;
            let member = Member { leaf, identity };
            let same = |left: &Member| left.identity.device == member.identity.device;
            applied.left.retain(|left| left.leaf != leaf || !same(left));
            applied.joined.push(member.clone());
            self.members.insert(leaf, (signing, member));
        }
        let gone = before.into_values().map(|(_, member)| member);
        applied.left.extend(gone);
        Ok(applied)
    }
}
