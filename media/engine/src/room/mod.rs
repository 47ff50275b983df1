//! Rooms: who is in them, what they publish, and what of it goes to whom.
//!
//! A [`Room`] owns its peers and tracks and is driven by the engine. A packet's way: `receive` opens it and
//! finds its track, `ring` stores it once, `outflow` writes it receiver by receiver, `subscription` decides
//! for each of them and numbers it anew.
//! `control` reads RTCP, `timers` writes it; `negotiate` turns offers into tracks and subscriptions.

mod arrivals;
mod commands;
mod control;
mod gaps;
mod key_frames;
mod negotiate;
mod outflow;
mod path;
mod peer;
mod receive;
mod reception;
mod ring;
mod slots;
mod subscription;
mod timers;
mod track;

pub(crate) use commands::{Context, Room, RouteChanges};
pub(crate) use negotiate::Proposal;
pub(crate) use slots::PeerSlot;
