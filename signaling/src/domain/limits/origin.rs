//! Where a request comes from, as far as limits care.

use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the /64 network of an IPv6 address: one subscriber's whole line.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(IpAddr);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Addresses lead to people and stay out of logs.
impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Origin")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_line_is_one_origin() {
        assert!(origin("2001:db8:1:2:aaaa::1") == origin("2001:db8:1:2:bbbb::2"));
        assert!(origin("2001:db8:1:2::1") != origin("2001:db8:1:3::1"));
        assert!(origin("192.0.2.1") == origin("::ffff:192.0.2.1"));
        assert!(origin("192.0.2.1") != origin("192.0.2.2"));
    }
}
