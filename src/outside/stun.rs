//! The one question that is asked of a STUN server (RFC 8489): where do you see me?

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::udp;

const BINDING_REQUEST: [u8; 2] = [0, 1];
const BINDING_SUCCESS: [u8; 2] = [1, 1];
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER_LEN: usize = 20;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const IPV4: u8 = 1;

pub(super) type Transaction = [u8; 12];

pub(super) async fn ask(server: SocketAddr, transaction: Transaction) -> Option<IpAddr> {
    let question = question(transaction);
    udp::ask(server, &question, |answer| read(answer, transaction)).await
}

pub(super) fn question(transaction: Transaction) -> [u8; HEADER_LEN] {
    let mut out = [0; HEADER_LEN];
    out[..2].copy_from_slice(&BINDING_REQUEST);
    out[4..8].copy_from_slice(&COOKIE);
    out[8..].copy_from_slice(&transaction);
    out
}

/// Only IPv4 is asked for: what is public of IPv6 the machine knows by itself.
pub(super) fn read(answer: &[u8], transaction: Transaction) -> Option<IpAddr> {
    let (header, mut rest) = answer.split_at_checked(HEADER_LEN)?;
    if header[..2] != BINDING_SUCCESS || header[4..8] != COOKIE || header[8..] != transaction {
        return None;
    }
    while let Some(([a, b, c, d], more)) = rest.split_first_chunk() {
        let (kind, len) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        let value = more.get(..len.into())?;
        if let (XOR_MAPPED_ADDRESS, [_, IPV4, _, _, octets @ ..]) = (kind, value) {
            let masked: &[u8; 4] = octets.first_chunk()?;
            let octets = std::array::from_fn::<u8, 4, _>(|at| masked[at] ^ COOKIE[at]);
            return Some(Ipv4Addr::from(octets).into());
        }
        // Attributes fill whole words.
        rest = more.get(usize::from(len).next_multiple_of(4)..)?;
    }
    None
}
