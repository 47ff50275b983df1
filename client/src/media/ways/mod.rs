//! The ways that media may take to the server, for networks that do not let UDP through.
//!
//! The `webrtc` crate sends and receives UDP. Every other way is a connection of ours that carries its
//! datagrams: TCP to the media node (RFC 6544, RFC 4571), or a relay over UDP, TCP or TLS (RFC 8656). To ICE such
//! a connection is one more remote candidate of UDP, at a stand-in: an address of a range that no network has.
//! What ICE sends there, the [`socket`] hands to the [`carrier`], and that to the connection; what comes from the
//! connection seems to come from the stand-in. So there is one ICE agent, which checks, nominates, keeps alive and
//! restarts all ways alike, and no stand-in is ever seen on a network.
//!
//! [`approach`] says when which way is tried: direct UDP alone at first, then TCP, then the relays.

mod approach;
mod candidates;
mod carrier;
mod path;
mod relay;
mod socket;
mod wire;

pub(super) use approach::{Approach, Surroundings};
pub(super) use carrier::Carrier;
pub(super) use socket::Carrying;
