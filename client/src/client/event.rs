//! What a client tells by itself.

use homeline_protocol::id::{AnnouncementId, CallId, DeviceId};
use homeline_protocol::session::{AnnouncementHeard, ApiError, DropInRefusal, PastCall};

use crate::announcements::{IncomingAnnouncement, IncomingLive, LiveRefused, NotTaken};
use crate::call::{IncomingCall, InvitationRefused};
use crate::drop_in::Visit;
use crate::guest::Knock;
use crate::home::{HomeError, Person};

/// What a client tells by itself.
pub enum ClientEvent {
    /// A call rings here.
    Incoming(Box<IncomingCall>),
    /// Another call rings while this device is in one. Answering it ends the first here.
    Waiting(Box<IncomingCall>),
    /// A call of the household would go on here: answered, it does. `from` is the other end.
    Moving(Box<IncomingCall>),
    /// Somebody called and was not answered.
    Missed(Box<PastCall>),
    /// Missed calls were seen on some device of this person: those that began until then.
    MissedSeen { until_ms: u64 },
    /// A call was not let ring: its invitation was forged, old, or by the wrong household.
    CallRefused {
        call: CallId,
        because: InvitationRefused,
    },
    /// A guest knocks at a call link of this app's: chain and proof hold.
    Knock(Knock),
    /// They knock no more: let in, sent away, or gone.
    KnockGone(Knock),
    /// Something is announced at this device.
    Announcement(Box<IncomingAnnouncement>),
    /// An announcement was not taken: forged, old, or by somebody who is none of the household.
    AnnouncementRefused {
        id: AnnouncementId,
        because: NotTaken,
    },
    /// What another device made of an announcement of this one's.
    AnnouncementHeard {
        id: AnnouncementId,
        device: DeviceId,
        heard: AnnouncementHeard,
    },
    /// Something is announced at this device while it is spoken. It is for the program to give its sign, and to
    /// hear it or not.
    Live(Box<IncomingLive>),
    /// A live announcement was not taken: forged, old, repeated, not for this device, or by somebody who is
    /// none of the household.
    LiveRefused { call: CallId, because: LiveRefused },
    /// Somebody who may drops in on this home device. It is for the program to give tone and light now.
    DropIn(Box<Visit>),
    /// Somebody wanted to drop in on this home device, and may not: nothing was heard or seen. `from` is who
    /// it was, as far as that could be verified.
    DropInRefused {
        call: CallId,
        from: Option<Person>,
        because: DropInRefusal,
    },
    /// The server shows another record of drop-ins on this device than the device has written. It goes on
    /// from there, and says so in it: to be shown loudly.
    LedgerDiffers,
    /// Contacts, members, devices or settings changed.
    HomeChanged,
    /// The connection is lost (`false`) or back.
    Connection(bool),
    /// The server shows something that contradicts what was pinned. The client ends: to be shown loudly.
    Alarm(HomeError),
    /// The session is over for good.
    Ended(ApiError),
}
