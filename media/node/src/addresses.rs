//! The addresses that clients are told: those configured, or those of this machine's interfaces.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Most addresses in an answer; a machine with more has mostly container bridges.
const CANDIDATES_MAX: usize = 16;

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
    candidates.truncate(CANDIDATES_MAX);
    Ok(candidates)
}

/// Every usable address of every interface: routable ones first, IPv4 before IPv6 among equals, loopback
/// last, for clients on this very machine.
fn of_this_machine() -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .iter()
        .map(if_addrs::Interface::ip)
        .filter(|address| match address {
            IpAddr::V4(v4) => !v4.is_link_local(),
            // A link-local address means nothing without its interface, which a candidate cannot name.
            IpAddr::V6(v6) => !is_link_local(v6),
        })
        .collect();
    addresses.sort_by_key(|address| (address.is_loopback(), address.is_ipv6()));
    addresses.dedup();
    Ok(addresses)
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
    fn a_machine_without_configuration_advertises_its_loopback_too_and_last() {
        let candidates = candidates(&[], &sockets()).unwrap();
        assert!(candidates.contains(&"127.0.0.1:7000".parse().unwrap()));
        assert!(candidates.last().unwrap().ip().is_loopback());
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
