//! Calls between people: from the invitation to the named end.
//!
//! `machine` decides (pure, table-tested), `task` carries out what it decides for one call,
//! `service` finds the call that a request is about.

mod begin;
mod change;
mod company;
mod config;
mod entry;
mod figures;
mod follow;
mod grades;
mod hearing;
mod index;
mod input;
mod live;
mod machine;
mod opened;
mod service;
mod task;
#[cfg(test)]
mod tests;

pub use begin::{NewCall, StartError};
pub use change::{AddError, MoveError};
pub use config::CallsConfig;
pub use figures::{CallFigures, OpenedFigures};
pub use input::{Act, ActReply, CallError, Offer};
pub use live::{BeginLiveError, BegunLive, NewLive};
pub use opened::{DropInSide, NewDropIn, OpenError};
pub use service::{Calls, CallsParts, SessionChange};
