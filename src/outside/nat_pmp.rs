//! NAT-PMP (RFC 6886): a router's address outside. Nothing is changed in it.

use std::net::{Ipv4Addr, SocketAddr};

use super::udp;

/// The port at which routers listen, for PCP too.
pub(super) const PORT: u16 = 5351;

/// Version 0, operation 0: the external address.
const QUESTION: [u8; 2] = [0, 0];

/// What a router answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Its address; unspecified when it has none at the moment.
    At(Ipv4Addr),
    /// It speaks only a newer version: PCP.
    Newer,
}

pub(super) async fn ask(router: SocketAddr) -> Option<Answer> {
    udp::ask(router, &QUESTION, read).await
}

pub(super) fn read(answer: &[u8]) -> Option<Answer> {
    match *answer {
        // A PCP server tells who speaks an older version so (RFC 6887 appendix A).
        [2, ..] | [_, 128, 0, 1, ..] => Some(Answer::Newer),
        [0, 128, 0, 0, _, _, _, _, a, b, c, d] => Some(Answer::At(Ipv4Addr::new(a, b, c, d))),
        // Refused, or no network: it has no address that it could say.
        [0, 128, ..] => Some(Answer::At(Ipv4Addr::UNSPECIFIED)),
        _ => None,
    }
}
