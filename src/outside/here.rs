//! What the machine itself knows: its networks, and the router before it.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use homeline_signaling::domain::outside::Network;
use if_addrs::IfAddr;

/// Networks that are looked at; a machine with more has mostly container bridges.
const NETWORKS_MAX: usize = 64;

/// The networks in which this machine stands, without loopback and link-local ones.
pub(super) fn networks() -> io::Result<Vec<Network>> {
    let interfaces = if_addrs::get_if_addrs()?;
    let networks = interfaces.iter().map(|interface| match &interface.addr {
        IfAddr::V4(v4) => Network {
            address: v4.ip.into(),
            prefix: v4.prefixlen,
        },
        IfAddr::V6(v6) => Network {
            address: v6.ip.into(),
            prefix: v6.prefixlen,
        },
    });
    let leads_out = |network: &Network| match network.address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    };
    Ok(networks.filter(leads_out).take(NETWORKS_MAX).collect())
}

/// The router through which IPv4 packets leave; nothing where the system does not say it as Linux does.
pub(super) fn gateway() -> Option<Ipv4Addr> {
    gateway_in(&std::fs::read_to_string("/proc/net/route").ok()?)
}

/// Of the default routes the one with the lowest metric (proc(5)).
pub(super) fn gateway_in(table: &str) -> Option<Ipv4Addr> {
    let routes = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (destination, gateway) = (*fields.get(1)?, *fields.get(2)?);
        let (metric, mask) = (fields.get(6)?.parse::<u32>().ok()?, *fields.get(7)?);
        if (destination, mask) != ("00000000", "00000000") {
            return None;
        }
        // As the machine keeps a number, of bytes in the order of the network.
        let address = u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes();
        Some((metric, Ipv4Addr::from(address)))
    });
    let with_router = routes.filter(|(_, gateway)| !gateway.is_unspecified());
    with_router
        .min_by_key(|(metric, _)| *metric)
        .map(|(_, gateway)| gateway)
}
