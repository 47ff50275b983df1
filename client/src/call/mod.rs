//! A call from ringing to its end: the protocol, the keys and the media of it, driven by one task.

mod drop_in;
mod event;
mod group;
mod handle;
mod incoming;
mod keys;
mod live;
mod media;
mod outgoing;
mod owner;
mod relays;
mod run;
mod seat;
mod side;
mod transport;

pub use drop_in::DropInError;
pub(crate) use drop_in::{TargetCall, TargetPlan, drop_in, is_heard, open_target};
pub use event::{CallEvent, CallWarning, RefusedBecause};
pub use handle::{Call, IncomingCall, Outgoing};
pub use incoming::InvitationRefused;
pub(crate) use incoming::{Asked, Invited, VisitedBy, answer, receive, visit};
pub use live::LiveCallError;
pub(crate) use live::{announce_live, hear_live};
pub use outgoing::CallError;
pub(crate) use outgoing::{Callable, start};
pub(crate) use owner::Visit;
pub(crate) use run::{INPUTS_MAX, Input};
