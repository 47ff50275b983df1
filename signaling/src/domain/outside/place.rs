//! Which addresses are public, and where somebody stands who comes from one. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use homeline_protocol::session::OutsideFrom;

use super::facts::Look;

/// Whether the internet knows the way to an address. Those for documentation count as others do: nobody has them.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
                || is_shared(v4))
        }
        IpAddr::V6(v6) => !is_home(v6) && v6.segments()[0] & 0xe000 == 0x2000,
    }
}

/// Whether it is of the space that providers keep for homes behind their own NAT (RFC 6598).
#[must_use]
pub fn is_carrier(address: IpAddr) -> bool {
    matches!(address.to_canonical(), IpAddr::V4(v4) if is_shared(v4))
}

const fn is_shared(v4: Ipv4Addr) -> bool {
    let octets = v4.octets();
    octets[0] == 100 && octets[1] & 0xc0 == 64
}

const fn is_home(v6: Ipv6Addr) -> bool {
    v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback()
}

/// Where a tester stands that comes from `source`, at a server that is known outside as `known` too.
pub(super) fn stands(look: &Look, known: Option<IpAddr>, source: IpAddr) -> OutsideFrom {
    let source = source.to_canonical();
    // A router that sends the home's packets back into it puts an address of its own on them.
    let looped =
        [look.external(), known].contains(&Some(source)) || look.advertised.contains(&source);
    let own = |address: IpAddr| look.networks.iter().any(|one| one.has(address));
    if source.is_loopback() || looped {
        return OutsideFrom::Inside;
    }
    if look.gateway.map(IpAddr::from) == Some(source) {
        // That, or it hides everybody who comes from outside.
        return OutsideFrom::Unclear;
    }
    // The machine's own network may be a public one, as an IPv6 network is.
    let neighbour = source.is_ipv6() && own(source) || own(source) && !is_public(source);
    let same = look.networks.iter().any(|one| one.address == source);
    if neighbour || same {
        OutsideFrom::Inside
    } else if is_public(source) {
        OutsideFrom::Outside
    } else {
        // Another network of the home, a tunnel into it, or the provider's own.
        OutsideFrom::Unclear
    }
}
