//! Rooms: who is in them, what they publish, and what of it goes to whom.
//!
//! A [`Room`] owns its peers and tracks and is driven by the engine. A packet's way: `receive` opens it and
//! finds its track, `ring` stores it once, `outflow` writes it receiver by receiver, `subscription` decides
//! for each of them and numbers it anew.
//! A source has one stream or several encodings (`encoding`) with layers (`layers`); `selection` chooses what each
//! receiver gets of them, and `demand` tells the sender what nobody takes. `statistics` tells what passed and how well.
//! `voice` leaves sound out that nobody needs, before it is stored; `replay` begins a late receiver's picture.
//! `span` joins the parts of a room whose peers are spread over several engines.
//! `control` reads RTCP, `timers` writes it; `negotiate` turns offers into tracks and subscriptions.

mod arrivals;
mod commands;
mod control;
mod demand;
mod encoding;
mod gaps;
mod key_frames;
mod layers;
mod loudness;
mod negotiate;
mod outflow;
mod path;
mod peer;
mod picture;
mod rebinding;
mod receive;
mod reception;
mod replay;
mod resent;
mod ring;
mod seam;
mod selection;
mod silence;
mod slots;
mod span;
mod speakers;
mod statistics;
mod subscription;
mod timers;
mod track;
mod voice;

pub(crate) use commands::{Context, Room, RouteChanges};
pub(crate) use negotiate::Proposal;
pub(crate) use slots::PeerSlot;
