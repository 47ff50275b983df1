//! What goes into the machine of a member, and what comes out.

use homeline_protocol::id::DeviceId;

use crate::group::{Expect, GroupError, Member, MemberError, RefusedMember};
use crate::key::PublicKey;
use crate::sframe::{FrameCounts, LateFrame};

pub enum Input {
    /// Found the call's group, alone in it.
    Create,
    /// A Welcome for this device.
    Welcome { welcome: Vec<u8> },
    /// Add the device that answered, or one that comes back; checks the ringing statement.
    Add {
        key_package: Vec<u8>,
        statement: Vec<u8>,
    },
    /// Add the device that asked to drop in, whose asking was checked.
    AddAsked {
        key_package: Vec<u8>,
        device: PublicKey,
    },
    /// Add a device in the place of another of its household, in one commit.
    Replace {
        device: DeviceId,
        key_package: Vec<u8>,
        statement: Vec<u8>,
    },
    /// The server does not take this device: it is no longer to be added.
    Forget { device: DeviceId },
    /// Remove a device that left, was lost, or must not stay.
    Remove { device: DeviceId },
    /// New keys for everybody (post-compromise security).
    Update,
    /// The commit that won `epoch`, which it ends; one's own included.
    Commit { epoch: u64, commit: Vec<u8> },
    /// `send_commit` failed: another commit won the epoch, and comes.
    EpochTaken { epoch: u64 },
    /// `send_commit` failed for another reason: it is made again.
    CommitFailed { epoch: u64 },
    /// All members hold the epoch's key, or were waited for long enough.
    Execute { epoch: u64 },
    /// An MLS application message.
    Message { message: Vec<u8> },
    /// Silence of a member without a connection is no alarm.
    Connection { device: DeviceId, connected: bool },
    /// The expectations changed. Members that are no longer allowed are removed.
    Expect(Box<Expect>),
    /// Hang up: forget everything.
    Leave,
    /// Time passed.
    Tick,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Goes to the server, which lets the first commit of an epoch win.
    SendCommit {
        /// The epoch that the commit ends.
        epoch: u64,
        commit: Vec<u8>,
        welcome: Option<(DeviceId, Vec<u8>)>,
        removed: Vec<DeviceId>,
    },
    /// The receive key of the new epoch is installed.
    SendReady {
        epoch: u64,
    },
    /// An MLS application message to the other members.
    SendMessage {
        message: Vec<u8>,
    },
    /// The code to show, six groups of five digits.
    CallCode {
        epoch: u64,
        code: String,
    },
    MemberJoined(Member),
    MemberLeft(Member),
    /// A device that nobody invited, or a forgery, was refused: tell the person.
    Refused(Refusal),
    Warn(Warning),
    /// Frames may flow (again), under this epoch's key.
    Sending {
        epoch: u64,
    },
    /// `encrypt_frame` refuses until `Sending` comes: tell the person.
    StopSending(StopReason),
    /// A frame whose key came after it.
    LateFrame(LateFrame),
    /// Frames did not decrypt; all counts since the start, at most once a second.
    FramesLost(FrameCounts),
    /// The group is over for this member.
    Left(LeftReason),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Genuine, but of a household that is not expected, or no longer in the own roster.
    NotInvited(RefusedMember),
    /// Its chain or key proves nothing.
    NotGenuine(MemberError),
    /// Its key package is unusable, or was used before, or does not belong to its statement.
    BadKeyPackage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// Epoch authenticators differ, or a connected member has been silent: somebody may be in
    /// another group.
    Fork,
    /// A removal was not echoed in time.
    RemoveWithheld,
    /// The commit that the server chose is not valid: the group must be made anew.
    InvalidCommit,
    /// A Welcome did not lead into a group.
    InvalidWelcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    RemoveWithheld,
    InvalidCommit,
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftReason {
    /// Another member removed this one.
    Removed,
    /// The last other member is gone.
    Alone,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// In no group.
    Idle,
    /// Alone in the group: the first commit executes at once.
    Lone,
    /// Sends and receives under `epoch`.
    Active { epoch: u64 },
    /// Receives under `next` already, sends under `epoch` still.
    Preparing { epoch: u64, next: u64 },
}

impl From<GroupError> for Refusal {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Member(MemberError::Refused(who)) => Self::NotInvited(who),
            GroupError::Member(other) => Self::NotGenuine(other),
            _ => Self::BadKeyPackage,
        }
    }
}
