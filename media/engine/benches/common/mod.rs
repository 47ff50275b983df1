//! What the benches of the engine share: sealed packets of simulated clients, and batches that cost no
//! allocation.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "shared by benches, each of which uses a part"
)]

#[path = "../../tests/support/mod.rs"]
pub mod support;

use std::hint::black_box;
use std::net::SocketAddr;

use homeline_media_engine::{Engine, Output};
use support::world::{SERVER, World};

/// A sealed datagram and where it comes from.
pub type Arrival = (SocketAddr, Vec<u8>);

/// Whether a datagram is RTP, as the first two bytes tell (RFC 7983, RFC 5761).
pub fn is_rtp(bytes: &[u8]) -> bool {
    matches!(bytes[..2], [128..=191, 0..=191 | 224..=255])
}

/// Whether it is RTCP.
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes[..2], [128..=191, 192..=223])
}

/// Hands datagrams to the engine and takes all that it wants done.
pub fn batch(world: &mut World, arrivals: &mut [Arrival]) {
    let server = SERVER.parse().expect("an address");
    let (engine, now) = (&mut world.engine, world.now);
    for (from, bytes) in arrivals {
        engine.handle_datagram(now, server, *from, bytes);
    }
    drain(engine, |_, _| {});
}

/// Takes all that the engine wants done.
pub fn drain(engine: &mut Engine, mut deliver: impl FnMut(SocketAddr, &[u8])) {
    loop {
        match engine.poll_output() {
            Output::Transmit(transmit) => {
                for datagram in black_box(&transmit).datagrams() {
                    deliver(transmit.remote, datagram);
                }
            }
            Output::Event(_) | Output::News(..) | Output::Message(..) => {}
            Output::Timeout(_) => return,
        }
    }
}

/// Fails when a batch costs an allocation.
pub fn assert_no_allocation(what: &str, step: impl FnOnce()) {
    let allocations = allocation_counter::measure(step);
    assert_eq!(allocations.count_total, 0, "{what} costs no allocation");
}
