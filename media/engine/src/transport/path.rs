//! The two addresses between which datagrams travel, and over what.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

/// What carries the packets between two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Each packet is a datagram.
    Udp,
    /// The packets are framed (RFC 4571) in a connection that the client opened (RFC 6544).
    Tcp,
}

/// A local and a remote address. UDP has no other name for a connection, and with TCP they name the one
/// connection that there is between them: whoever runs it says when it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) protocol: Protocol,
}

impl Path {
    /// Between two addresses by UDP.
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        Self::over(Protocol::Udp, local, remote)
    }

    /// IPv4 addresses that a dual-stack socket wrote as IPv6 are the same path in their own form.
    pub(crate) fn over(protocol: Protocol, local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            local: canonical(local),
            remote: canonical(remote),
            protocol,
        }
    }
}

/// The addresses alone: one client rarely has both protocols between the same ports, and every packet's path
/// is hashed.
impl Hash for Path {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.local.hash(state);
        self.remote.hash(state);
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
