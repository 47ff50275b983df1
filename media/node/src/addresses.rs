//! The addresses that clients are told: those configured, or those of this machine's interfaces.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Most addresses in an answer; a machine with more has mostly container bridges.
const CANDIDATES_MAX: usize = 16;

/// Most of them for connections.
const TCP_CANDIDATES_MAX: usize = 6;

/// The candidates for sockets bound as `bound` says, most preferred first.
pub(crate) fn candidates(
    advertised: &[IpAddr],
    bound: &[SocketAddr],
) -> io::Result<Vec<SocketAddr>> {
    let addresses = if advertised.is_empty() {
        of_this_machine()?
    } else {
        advertised.to_vec()
    };
    let mut candidates: Vec<SocketAddr> = addresses
        .into_iter()
        .filter_map(|address| {
            // An advertised address may be the router's and bound by nobody here: its family decides.
            let of_family = |socket: &&SocketAddr| socket.is_ipv4() == address.is_ipv4();
            let serves = |socket: &&SocketAddr| {
                socket.ip().is_unspecified() || socket.ip() == address || !advertised.is_empty()
            };
            let socket = bound.iter().filter(of_family).find(serves)?;
            Some(SocketAddr::new(address, socket.port()))
        })
        .collect();
    if advertised.is_empty() {
        candidates = leading_out(candidates);
    }
    candidates.truncate(CANDIDATES_MAX);
    Ok(candidates)
}

/// The candidates for connections. Fewer: a browser opens one from each of its interfaces to each of them.
pub(crate) fn tcp(advertised: &[IpAddr], listening: &[SocketAddr]) -> io::Result<Vec<SocketAddr>> {
    if listening.is_empty() {
        return Ok(Vec::new());
    }
    let mut candidates = candidates(advertised, listening)?;
    candidates.truncate(TCP_CANDIDATES_MAX);
    Ok(candidates)
}

/// Every usable address of every interface, IPv4 and IPv6 by turns: those of an IPv6 home network among them.
fn of_this_machine() -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for interface in if_addrs::get_if_addrs()? {
        let address = interface.ip();
        let usable = match address {
            IpAddr::V4(v4) => !v4.is_link_local(),
            // A link-local address means nothing without its interface, which a candidate cannot name.
            IpAddr::V6(v6) => !is_link_local(&v6),
        };
        if usable && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(interleaved(&addresses))
}

/// Families by turns, IPv4 first (RFC 8421 section 4): a machine with many addresses of one must not crowd the
/// other out, whose clients would find no candidate at all.
fn interleaved(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut mixed = Vec::with_capacity(addresses.len());
    let mut v4 = addresses.iter().filter(|address| address.is_ipv4());
    let mut v6 = addresses.iter().filter(|address| address.is_ipv6());
    loop {
        let pair = [v4.next(), v6.next()];
        if pair == [None, None] {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

/// Without loopback, unless there is nothing else: it leads nobody else here, and a browser tries one address
/// after the other.
fn leading_out(mut candidates: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let leads_out = |candidate: &SocketAddr| !candidate.ip().is_loopback();
    if candidates.iter().any(leads_out) {
        candidates.retain(leads_out);
    }
    candidates
}

const fn is_link_local(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets() -> [SocketAddr; 2] {
        [
            "0.0.0.0:7000".parse().unwrap(),
            "[::]:7000".parse().unwrap(),
        ]
    }

    #[test]
    fn loopback_is_advertised_only_where_there_is_nothing_else() {
        let both = ["127.0.0.1:7000", "10.0.0.1:7000"].map(|one| one.parse().unwrap());
        assert_eq!(leading_out(both.to_vec()), both[1..]);
        assert_eq!(leading_out(both[..1].to_vec()), both[..1]);
        let alone = candidates(&[], &["127.0.0.1:7000".parse().unwrap()]).unwrap();
        assert_eq!(alone, ["127.0.0.1:7000".parse().unwrap()]);
    }

    #[test]
    fn no_family_crowds_the_other_out() {
        let of = |list: [&str; 4]| list.map(|address| address.parse::<IpAddr>().unwrap());
        let found = of(["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1"]);
        let expected = of(["10.0.0.1", "fd00::1", "10.0.0.2", "10.0.0.3"]);
        assert_eq!(interleaved(&found), expected);
    }

    #[test]
    fn connections_have_candidates_only_where_they_are_listened_for() {
        let advertised = [[203, 0, 113, 9].into(), "2001:db8::9".parse().unwrap()];
        assert_eq!(tcp(&advertised, &[]).unwrap(), []);
        let v4 = ["0.0.0.0:7001".parse().unwrap()];
        let expected: SocketAddr = "203.0.113.9:7001".parse().unwrap();
        assert_eq!(tcp(&advertised, &v4).unwrap(), [expected]);
    }

    #[test]
    fn advertised_addresses_replace_the_found_ones_and_keep_their_order() {
        let advertised: [IpAddr; 2] = [
            "2001:db8::9".parse().unwrap(),
            "203.0.113.9".parse().unwrap(),
        ];
        let expected: [SocketAddr; 2] = [
            "[2001:db8::9]:7000".parse().unwrap(),
            "203.0.113.9:7000".parse().unwrap(),
        ];
        assert_eq!(candidates(&advertised, &sockets()).unwrap(), expected);
        assert_eq!(
            candidates(&advertised, &sockets()[..1]).unwrap(),
            expected[1..]
        );
    }

    #[test]
    fn a_socket_on_one_address_advertises_only_that() {
        let bound = ["127.0.0.1:7000".parse().unwrap()];
        assert_eq!(candidates(&[], &bound).unwrap(), bound);
    }
}
