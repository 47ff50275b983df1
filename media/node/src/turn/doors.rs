//! Our own media sockets, and the names under which clients know them. Nobody else is a peer here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::addresses;

/// The only peers there are.
pub(super) struct Doors {
    /// Addresses that the configuration names, instead of the machine's own.
    advertised: Vec<IpAddr>,
    /// The media sockets as they are bound.
    bound: Vec<SocketAddr>,
    /// What clients are told now.
    addresses: Vec<IpAddr>,
}

impl Doors {
    pub(super) fn new(advertised: &[IpAddr], bound: &[SocketAddr]) -> io::Result<Self> {
        let mut doors = Self {
            advertised: advertised.to_vec(),
            bound: bound.to_vec(),
            addresses: Vec::new(),
        };
        doors.renew()?;
        Ok(doors)
    }

    /// Reads the machine's addresses again.
    pub(super) fn renew(&mut self) -> io::Result<()> {
        let candidates = addresses::candidates(&self.advertised, &self.bound)?;
        self.addresses = candidates.iter().map(SocketAddr::ip).collect();
        Ok(())
    }

    /// Whether it is an address at which clients are told to find our media.
    pub(super) fn are_at(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }

    /// The media socket that a client means by `peer`: where it is on this machine.
    pub(super) fn behind(&self, peer: SocketAddr) -> Option<SocketAddr> {
        if !self.are_at(peer.ip()) {
            return None;
        }
        let serves = |socket: &&SocketAddr| {
            socket.port() == peer.port() && socket.is_ipv4() == peer.is_ipv4()
        };
        let exact = self
            .bound
            .iter()
            .find(|socket| serves(socket) && socket.ip() == peer.ip());
        let socket = exact.or_else(|| self.bound.iter().find(serves))?;
        let ip = match socket.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Some(SocketAddr::new(ip, socket.port()))
    }

    /// The address that a relayed connection of this family goes by.
    pub(super) fn relayed(&self, ipv4: bool) -> Option<IpAddr> {
        let of_family = |address: &&IpAddr| address.is_ipv4() == ipv4;
        self.addresses.iter().find(of_family).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_sockets_are_found_by_the_names_that_clients_are_told() {
        let advertised: [IpAddr; 2] =
            ["192.0.2.5".parse().unwrap(), "203.0.113.9".parse().unwrap()];
        let bound: [SocketAddr; 2] = [
            "0.0.0.0:8444".parse().unwrap(),
            "[::]:8444".parse().unwrap(),
        ];
        let doors = Doors::new(&advertised, &bound).unwrap();
        for peer in ["192.0.2.5:8444", "203.0.113.9:8444"] {
            let found = doors.behind(peer.parse().unwrap());
            assert_eq!(found, Some("127.0.0.1:8444".parse().unwrap()));
        }
        for peer in [
            "192.0.2.5:22",
            "127.0.0.1:8444",
            "198.51.100.7:8444",
            "[::1]:8444",
        ] {
            assert_eq!(doors.behind(peer.parse().unwrap()), None, "{peer}");
        }
        assert_eq!(doors.relayed(true), Some(advertised[0]));
        assert_eq!(doors.relayed(false), None);
    }

    #[test]
    fn a_socket_on_one_address_is_found_there() {
        let bound: [SocketAddr; 2] = [
            "127.0.0.1:7000".parse().unwrap(),
            "127.0.0.1:7001".parse().unwrap(),
        ];
        let doors = Doors::new(&[], &bound).unwrap();
        assert_eq!(doors.behind(bound[1]), Some(bound[1]));
    }
}
