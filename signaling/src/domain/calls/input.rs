//! What goes into a call and what comes out of it.

use std::collections::BTreeSet;
use std::time::Instant;

use homeline_protocol::Blob;
use homeline_protocol::id::{AccountId, CallId, DeviceId, TrackId};
use homeline_protocol::media_control::{MediaCommand, PeerStatistics};
use homeline_protocol::session::{
    Account, Callee, EndReason, Event, MediaState, Party, PublishSection, SubscribeSection,
    Switches, TrackView,
};

use crate::domain::keys::{CommitError, SentCommit};
use crate::model::UnixMillis;

/// Now, on the clock that timers use and on the one that people read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// For timers.
    pub at: Instant,
    /// For people.
    pub unix: UnixMillis,
}

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody calls somebody.
    Call,
    /// Two devices and nobody else: it is nobody's to join, to take over or to answer.
    DropIn,
    /// One speaks, and the others hear it: a live announcement.
    Live,
}

/// What a call is made from.
#[derive(Debug, Clone)]
pub(super) struct Invite {
    /// The call.
    pub call: CallId,
    /// Who calls.
    pub caller: Account,
    /// With which device. It makes the key group.
    pub caller_device: DeviceId,
    /// Whom, as the caller typed it, with the name that they call themselves if somebody has it.
    pub callee: Party,
    /// Whose devices may answer.
    pub people: Vec<AccountId>,
    /// For whom it rings, if for anybody: the callee, or the caller for the whole household.
    pub to: Option<Account>,
    /// Which devices ring.
    pub ring: Vec<Rings>,
    /// Those among them that are in another call: there it waits.
    pub engaged: BTreeSet<DeviceId>,
    /// Where the switches of the caller's device stand.
    pub caller_switches: Switches,
    /// Whether both are of one household: only then is the caller told that nobody was reached.
    pub family: bool,
    /// With picture.
    pub video: bool,
    /// The caller's signed invitation, passed through.
    pub invitation: Blob,
}

impl Invite {
    /// The same to the caller, but nothing rings, now or later: somebody outside the household does
    /// not learn that the callee has as many calls as they may.
    pub(super) fn silenced(self) -> Self {
        Self {
            people: Vec::new(),
            to: None,
            ring: Vec::new(),
            engaged: BTreeSet::new(),
            ..self
        }
    }

    /// The devices that ring.
    pub(super) fn devices(&self) -> Vec<DeviceId> {
        self.ring.iter().map(|one| one.device).collect()
    }
}

/// A device that rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rings {
    /// The device.
    pub device: DeviceId,
    /// Where its switches stand.
    pub switches: Switches,
}

/// Somebody to add to a running call.
#[derive(Debug, Clone)]
pub struct Adding {
    /// Who adds them.
    pub from: Account,
    /// Whom, with the name that they call themselves if somebody has the handle.
    pub callee: Party,
    /// Who that is, if anybody.
    pub account: Option<AccountId>,
    /// Which devices ring.
    pub ring: Vec<Rings>,
    /// Those among them that are in another call.
    pub engaged: BTreeSet<DeviceId>,
    /// Whether they have as many calls as they may: then nothing rings, nor counts as a call of theirs.
    pub full: bool,
    /// Whether they are of the household of the one who adds them: only then is it told that they
    /// were not reached.
    pub family: bool,
    /// As it was asked for.
    pub to: Callee,
    /// Who took part when it was decided that they may be added.
    pub there: Vec<AccountId>,
    /// The signed invitation, passed through.
    pub invitation: Blob,
}

/// Where a call is to go on.
#[derive(Debug, Clone)]
pub struct Moving {
    /// The device that is to take it.
    pub to: DeviceId,
    /// Where its switches stand.
    pub switches: Switches,
    /// The person whose call it is.
    pub person: Account,
    /// The signed invitation of the device where it runs, passed through.
    pub invitation: Blob,
}

/// Something that happens to a call.
#[derive(Debug)]
pub(super) enum Input {
    /// Somebody does something.
    Act(DeviceId, AccountId, Act),
    /// A device of the callee came online, and may ring (`reach` was asked).
    Reachable(Rings),
    /// A device told where its switches stand.
    Switched(DeviceId, Switches),
    /// A device of the callee is being woken by a push, and needs time for it.
    Pushed,
    /// A device's session was lost (it may resume) or ended.
    SessionLost(DeviceId),
    /// A device has a session again.
    SessionBack(DeviceId),
    /// A device began a new session: of a drop-in, whose keys are in the memory of both, it knows nothing.
    SessionNew(DeviceId),
    /// A drop-in ends, whatever its two devices say.
    DropInOver(EndReason),
    /// A device was removed from its household.
    Revoked(DeviceId),
    /// The media node has answered an offer, or has refused it.
    Negotiated(DeviceId, bool),
    /// A device's transport changed.
    Peer(DeviceId, PeerChange),
    /// Which encodings of a device's track somebody takes.
    LayersWanted(DeviceId, TrackId, Vec<u8>),
    /// Who speaks, loudest first.
    Speakers(Vec<DeviceId>),
    /// The node's figures of the room.
    Measured(Vec<PeerStatistics>),
    /// The room failed in the node and is gone.
    RoomFailed,
    /// The media node is gone, or can't make the room.
    MediaGone,
    /// The person on the other side was reached in another call.
    Superseded,
    /// A participant's device has answered another call, and leaves this one.
    LeftFor(DeviceId),
    /// A person may be in it no longer: who, and all their devices.
    Excluded(AccountId, Vec<DeviceId>),
    /// Look at the timers.
    Tick,
}

/// What people and their devices can do to a call.
#[derive(Debug, Clone)]
pub enum Act {
    /// A device rings; or a participant whose page was reloaded asks to be let in anew.
    Ringing { key_package: Blob, statement: Blob },
    /// A device will not ring: the invitation did not check out.
    RefuseInvitation,
    /// A device answers.
    Answer { media: MediaState },
    /// The callee declines.
    Decline,
    /// The caller gives up.
    Cancel,
    /// A participant ends it.
    HangUp { reason: EndReason },
    /// A participant's switches.
    SetMedia { media: MediaState },
    /// A device offers media.
    Offer(Offer),
    /// A device asks for the figures of its transport.
    Quality,
    /// A device says how large it shows pictures.
    SetViews(Vec<TrackView>),
    /// A member's commit.
    Commit(SentCommit),
    /// A member holds an epoch's keys.
    EpochReady { epoch: u64 },
    /// A member's message to the others.
    GroupMessage { message: Blob },
    /// A participant adds somebody.
    Add(Box<Adding>),
    /// The one who adds gives up.
    CancelAdding,
    /// A participant moves the call to another device.
    Move(Box<Moving>),
    /// A device of a participant wants the call.
    WantHere,
    /// Whoever began the call ends it for everyone.
    EndForEveryone,
    /// A device hears a live announcement.
    Hear { key_package: Blob, statement: Blob },
}

/// A device's offer.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The SDP.
    pub sdp: String,
    /// Its sending sections.
    pub publish: Vec<PublishSection>,
    /// Its receiving sections.
    pub subscribe: Vec<SubscribeSection>,
}

/// What became of a device's transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerChange {
    /// It is up.
    Connected,
    /// Nothing was heard from it for some seconds.
    Silent,
    /// It closed.
    Closed,
}

/// Something that a call wants done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Send an event to a device.
    Tell(DeviceId, Event),
    /// Command the media node; nobody waits for the reply.
    Media(MediaCommand),
    /// Command the media node; the device that acted waits for the reply.
    Ask(DeviceId, MediaCommand),
    /// Command the media node; the figures that it answers with are an input.
    Measure(MediaCommand),
    /// Keep on record.
    Record(Record),
}

/// What is kept of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// It was answered.
    Answered { at: UnixMillis, device: DeviceId },
    /// Somebody is being added.
    Adding {
        at: UnixMillis,
        account: AccountId,
        from: Party,
    },
    /// Somebody who was added has answered.
    Joined { at: UnixMillis, account: AccountId },
    /// Somebody's part is over, and the call goes on.
    Left {
        at: UnixMillis,
        account: AccountId,
        reason: EndReason,
    },
    /// It is over.
    Ended {
        at: UnixMillis,
        reason: EndReason,
        callee_named: bool,
        /// Whether the callee missed it: they talk with the caller in another call if not.
        missed: bool,
    },
}

/// What an act that succeeded is answered with.
#[derive(Debug, Clone, PartialEq)]
pub enum ActReply {
    /// Done.
    Done,
    /// The media node's SDP answer, and the tracks there are.
    Media {
        sdp: String,
        tracks: Vec<homeline_protocol::session::Track>,
    },
    /// The figures of the device's transport.
    Quality(homeline_protocol::session::Quality),
}

/// Why an act had no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No such call, or not one that this device has a part in.
    #[error("there is no such call")]
    NotFound,
    /// Another device answered first.
    #[error("another device answered first")]
    AnsweredElsewhere,
    /// The call is over.
    #[error("the call is over")]
    Ended,
    /// This device takes part in another call.
    #[error("this device is in another call")]
    AlreadyInCall,
    /// As many take part as may.
    #[error("the call is full")]
    Full,
    /// Somebody else's right.
    #[error("{0}")]
    NotYours(&'static str),
    /// Not at this point of the call.
    #[error("{0}")]
    NotNow(&'static str),
    /// A field is out of its bounds.
    #[error("{0}")]
    Invalid(&'static str),
    /// The keys' relay refused.
    #[error(transparent)]
    Keys(#[from] CommitError),
    /// The media node refused the offer.
    #[error("the offer can't be used: {0}")]
    BadOffer(String),
    /// The media node has no room for more.
    #[error("the media server is full: {0}")]
    MediaLimit(&'static str),
    /// Something failed that is not the asker's fault.
    #[error("the call failed inside the server")]
    Internal,
}
