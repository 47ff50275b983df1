//! The two addresses between which datagrams travel.

use std::net::{IpAddr, SocketAddr};

/// A local and a remote address. UDP has no other name for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Path {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

impl Path {
    /// IPv4 addresses that a dual-stack socket wrote as IPv6 are the same path in their own form.
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            local: canonical(local),
            remote: canonical(remote),
        }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(_) => address,
        // Scope and flow of a V6 address stay: link-local paths need the scope.
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), address.port()),
            None => address,
        },
    }
}
