//! Orders a group's commits and switches its members from one key to the next in two phases.
//!
//! Opens nothing: commits, Welcomes and messages are opaque, and the members prove to each other
//! who made them. What the server adds is one order (the first commit of an epoch wins) and the
//! moment at which all switch (all are ready, or two seconds are over). docs/call-keys.md.

use std::collections::BTreeSet;

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{Event, WelcomeFor};

/// Members of one group, the same bound as for a call's participants.
pub(super) const MEMBERS_MAX: usize = 32;

/// The longest message between members. The largest kind, the authenticator exchange, takes some
/// hundred bytes; commits and Welcomes have the bound of every blob.
pub(super) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// A group's members, its epoch, and the switch in progress.
#[derive(Debug)]
pub struct Group {
    call: CallId,
    members: BTreeSet<DeviceId>,
    epoch: u64,
    phase: Phase,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// All send under the group's epoch.
    Settled,
    /// Members take in the commit that leads to the group's epoch; these have not said that they
    /// hold its keys.
    Preparing { waiting_for: BTreeSet<DeviceId> },
}

/// A commit as it was offered.
#[derive(Debug, Clone)]
pub struct SentCommit {
    /// The epoch that it ends.
    pub epoch: u64,
    /// The commit.
    pub commit: Blob,
    /// A Welcome, if it adds someone.
    pub welcome: Option<WelcomeFor>,
    /// Whom it removes.
    pub removed: Vec<DeviceId>,
}

/// What the call must do.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyEffect {
    /// Send an event to a device.
    Tell(DeviceId, Event),
    /// Send the Welcome to the device that it is for, with the participants by then.
    Welcome(WelcomeFor),
    /// A device is no longer a member: its media stops at once.
    Removed(DeviceId),
    /// Wait this long at most for the others, then say `switch_time_over`.
    AwaitReady,
    /// All switch now: video must begin with key frames under the new key.
    Switched,
}

/// Why a commit or message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The device is not in the group.
    #[error("not a member of this call's group")]
    NotAMember,
    /// Another commit won this epoch.
    #[error("another commit won this epoch")]
    EpochTaken,
    /// The epoch lies ahead of the group's.
    #[error("the group has not come to this epoch")]
    EpochAhead,
    /// The members would be too many.
    #[error("the group is full")]
    Full,
    /// The message is too long.
    #[error("the message is too long")]
    TooLong,
}

impl Group {
    /// A group as the caller's device makes it: alone, at epoch 0.
    #[must_use]
    pub fn new(call: CallId, creator: DeviceId) -> Self {
        Self {
            call,
            members: BTreeSet::from([creator]),
            epoch: 0,
            phase: Phase::Settled,
        }
    }

    /// Whether a device is in the group.
    #[must_use]
    pub fn has(&self, device: DeviceId) -> bool {
        self.members.contains(&device)
    }

    /// The members.
    pub fn members(&self) -> impl Iterator<Item = DeviceId> {
        self.members.iter().copied()
    }

    /// Takes a commit, if it is the first for its epoch.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing has changed.
    pub fn commit(
        &mut self,
        author: DeviceId,
        sent: SentCommit,
    ) -> Result<Vec<KeyEffect>, CommitError> {
        let joiner = sent.welcome.as_ref().map(|welcome| welcome.device);
        self.check(author, &sent, joiner)?;
        // A switch still in progress is done now: those who are slow to say so take in commits in
        // the same order anyway.
        let mut effects = self.switch();
        let lone = self.members.len() == 1;
        let before = self.members.clone();
        self.members.retain(|member| !sent.removed.contains(member));
        self.members.extend(joiner);
        self.epoch += 1;
        if let Some(welcome) = sent.welcome {
            effects.push(KeyEffect::Welcome(welcome));
        }
        // Those removed get it too: it is how they know. A joiner who was a member under an older
        // leaf holds no state that could take it in.
        for member in before.iter().filter(|member| Some(**member) != joiner) {
            effects.push(self.tell(*member, |call| Event::GroupCommit {
                call,
                epoch: sent.epoch,
                author,
                commit: sent.commit.clone(),
            }));
        }
        let gone = before
            .iter()
            .filter(|member| !self.members.contains(member));
        effects.extend(gone.map(|member| KeyEffect::Removed(*member)));
        if lone {
            effects.push(KeyEffect::Switched);
        } else {
            let waiting_for = self
                .members
                .iter()
                .copied()
                .filter(|one| Some(*one) != joiner)
                .collect();
            self.phase = Phase::Preparing { waiting_for };
            effects.push(KeyEffect::AwaitReady);
        }
        Ok(effects)
    }

    /// A member holds the new keys.
    ///
    /// # Errors
    /// When it is not a member, or the epoch lies ahead. An epoch gone by is no error: it took long.
    pub fn ready(&mut self, device: DeviceId, epoch: u64) -> Result<Vec<KeyEffect>, CommitError> {
        if !self.has(device) {
            return Err(CommitError::NotAMember);
        }
        if epoch > self.epoch {
            return Err(CommitError::EpochAhead);
        }
        let Phase::Preparing { waiting_for } = &mut self.phase else {
            return Ok(Vec::new());
        };
        if epoch == self.epoch {
            waiting_for.remove(&device);
        }
        Ok(if waiting_for.is_empty() {
            self.switch()
        } else {
            Vec::new()
        })
    }

    /// The longest time for a switch is over: those who are ready go on.
    pub fn switch_time_over(&mut self) -> Vec<KeyEffect> {
        self.switch()
    }

    /// A message to the other members.
    ///
    /// # Errors
    /// When the author is not a member or the message is too long.
    pub fn message(&self, author: DeviceId, message: &Blob) -> Result<Vec<KeyEffect>, CommitError> {
        if !self.has(author) {
            return Err(CommitError::NotAMember);
        }
        if message.0.len() > MESSAGE_BYTES_MAX {
            return Err(CommitError::TooLong);
        }
        let others = self.members.iter().filter(|member| **member != author);
        Ok(others
            .map(|member| {
                self.tell(*member, |call| Event::GroupMessage {
                    call,
                    author,
                    message: message.clone(),
                })
            })
            .collect())
    }

    fn check(
        &self,
        author: DeviceId,
        sent: &SentCommit,
        joiner: Option<DeviceId>,
    ) -> Result<(), CommitError> {
        if !self.has(author) {
            return Err(CommitError::NotAMember);
        }
        if sent.epoch < self.epoch {
            return Err(CommitError::EpochTaken);
        }
        if sent.epoch > self.epoch {
            return Err(CommitError::EpochAhead);
        }
        let stay = |member: &&DeviceId| !sent.removed.contains(member);
        if joiner.is_some() && self.members.iter().filter(stay).count() >= MEMBERS_MAX {
            return Err(CommitError::Full);
        }
        Ok(())
    }

    fn switch(&mut self) -> Vec<KeyEffect> {
        if self.phase == Phase::Settled {
            return Vec::new();
        }
        self.phase = Phase::Settled;
        let epoch = self.epoch;
        let execute =
            |member: &DeviceId| self.tell(*member, |call| Event::EpochExecute { call, epoch });
        let mut effects: Vec<_> = self.members.iter().map(execute).collect();
        effects.push(KeyEffect::Switched);
        effects
    }

    fn tell(&self, member: DeviceId, event: impl FnOnce(CallId) -> Event) -> KeyEffect {
        KeyEffect::Tell(member, event(self.call))
    }
}
