//! PCP (RFC 6887): a router's address outside, which it says only with a mapping. So one is asked for, of the discard
//! port, on which nothing listens, and given back at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::udp;

/// Bytes of a MAP question and its answer.
const MAP_LEN: usize = 60;

/// How long the mapping would last if it could not be given back, in seconds.
const LASTS_SECS: u32 = 2;

const VERSION: u8 = 2;
const MAP: u8 = 1;
const ANSWER: u8 = 0x80;
const UDP: u8 = 17;
const DISCARD: u16 = 9;

pub(super) type Nonce = [u8; 12];

pub(super) async fn ask(router: SocketAddr, own: Ipv4Addr, nonce: Nonce) -> Option<IpAddr> {
    let read = |answer: &[u8]| read(answer, nonce);
    let found = udp::ask(router, &question(own, nonce, LASTS_SECS), read).await?;
    // Whether it takes it back or lets it end by itself comes to the same.
    udp::ask(router, &question(own, nonce, 0), read).await;
    found
}

pub(super) fn question(own: Ipv4Addr, nonce: Nonce, lasts_secs: u32) -> [u8; MAP_LEN] {
    let mut out = [0; MAP_LEN];
    out[..2].copy_from_slice(&[VERSION, MAP]);
    out[4..8].copy_from_slice(&lasts_secs.to_be_bytes());
    out[8..24].copy_from_slice(&own.to_ipv6_mapped().octets());
    out[24..36].copy_from_slice(&nonce);
    out[36] = UDP;
    out[40..42].copy_from_slice(&DISCARD.to_be_bytes());
    let any = Ipv4Addr::UNSPECIFIED.to_ipv6_mapped();
    out[44..60].copy_from_slice(&any.octets());
    out
}

/// The router's address, or none if it refuses; nothing at all when this is no answer to our question.
pub(super) fn read(answer: &[u8], nonce: Nonce) -> Option<Option<IpAddr>> {
    if answer.first_chunk() != Some(&[VERSION, ANSWER | MAP]) {
        return None;
    }
    if *answer.get(3)? != 0 {
        return Some(None);
    }
    if *answer.get(24..36)? != nonce {
        return None;
    }
    let octets: &[u8; 16] = answer.get(44..60)?.first_chunk()?;
    Some(Some(IpAddr::V6(Ipv6Addr::from(*octets)).to_canonical()))
}
