//! Rooms: who is in them, what they publish, and what of it goes to whom.
//!
//! A [`Room`] owns its peers and tracks and is driven by the engine. A packet's way: `receive` opens it and
//! finds its track, `ring` stores it once, `outflow` writes it receiver by receiver, `subscription` decides
//! for each of them and numbers it anew.
//! `statistics` tells what passed and how well.
//! `voice` leaves sound out that nobody needs, before it is stored; `replay` begins a late receiver's picture.
//! `control` reads RTCP, `timers` writes it; `negotiate` turns offers into tracks and subscriptions.

mod arrivals;
mod commands;
mod control;
mod gaps;
mod key_frames;
mod loudness;
mod negotiate;
mod outflow;
mod peer;
mod receive;
mod reception;
mod replay;
mod resent;
mod ring;
mod seam;
mod silence;
mod slots;
mod speakers;
mod statistics;
mod subscription;
mod timers;
mod track;
mod voice;

pub(crate) use commands::{Context, Room, RouteChanges};
pub(crate) use negotiate::Proposal;
pub(crate) use slots::PeerSlot;
