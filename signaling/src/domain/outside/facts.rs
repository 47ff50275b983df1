//! What is known of the home's network: what the server sees by itself, and what testers saw.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use homeline_protocol::session::{OutsideLast, OutsideWay};

use super::place::is_public;
use crate::model::UnixMillis;

/// What the server sees by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// What is listened on.
    pub ports: Ports,
    /// The addresses that the configuration names for clients; empty where they are the machine's own.
    pub advertised: Vec<IpAddr>,
    /// The networks in which the machine stands, without loopback and link-local ones.
    pub networks: Vec<Network>,
    /// The router through which packets leave.
    pub gateway: Option<Ipv4Addr>,
    /// What that router says.
    pub router: Router,
    /// The machine's public address as a configured STUN server sees it.
    pub seen_by_stun: Option<IpAddr>,
    /// When this was so.
    pub at: UnixMillis,
}

/// The ports on which the server listens, none where it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports {
    /// HTTPS; none where there is no app.
    pub https: Option<u16>,
    /// Media over UDP, one for each worker.
    pub media_udp: Vec<u16>,
    /// Media over TCP, one for each worker.
    pub media_tcp: Vec<u16>,
    /// The relay over UDP.
    pub relay_udp: Option<u16>,
    /// The relay over TCP.
    pub relay_tcp: Option<u16>,
    /// The relay over TLS.
    pub relay_tls: Option<u16>,
    /// The machine's own port for the relay over UDP, where the router forwards another one to it.
    pub relay_udp_inside: Option<u16>,
    /// The same for TCP and TLS.
    pub relay_tcp_inside: Option<u16>,
}

/// One address of the machine, and the network around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The machine's address.
    pub address: IpAddr,
    /// Bits that all of the network have in common.
    pub prefix: u8,
}

/// What the home's router says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Router {
    /// Nobody has asked, as where the configuration forbids it.
    #[default]
    NotAsked,
    /// Nothing: it speaks neither PCP, NAT-PMP nor UPnP, or they are switched off.
    Silent,
    /// Its address outside.
    At {
        /// The address; unspecified when it has none.
        external: IpAddr,
        /// `PCP`, `NAT-PMP` or `UPnP`.
        by: &'static str,
    },
}

/// All that a diagnosis goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the server sees by itself.
    pub look: Look,
    /// What the last tests found.
    pub verdict: Verdict,
}

/// What the last tests found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// By way.
    pub last: BTreeMap<OutsideWay, OutsideLast>,
    /// The public address at which a tester outside reached the server, if it used one or a name of one.
    pub reached_at: Option<IpAddr>,
}

impl Facts {
    /// The home's public address where it was seen: the router's word is newer than what a tester used.
    pub(super) fn seen_at(&self) -> Option<IpAddr> {
        let mut seen = (self.look.external().into_iter()).chain(self.verdict.reached_at);
        seen.find(|address| is_public(*address))
    }

    /// The home's public address, as far as anybody knows: where it was seen, or what is configured.
    #[must_use]
    pub fn public_address(&self) -> Option<IpAddr> {
        let look = &self.look;
        let own = look.networks.iter().map(|one| one.address);
        let known = self.seen_at().into_iter();
        let mut known = known.chain(look.advertised.iter().copied()).chain(own);
        known.find(|address| address.is_ipv4() && is_public(*address))
    }
}

impl Network {
    /// Whether an address belongs to it.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32_u32.saturating_sub(self.prefix.into());
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128_u32.saturating_sub(self.prefix.into());
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl Look {
    /// The ways that there are, with the port of each, in the order in which to try them.
    #[must_use]
    pub fn ways(&self) -> Vec<(OutsideWay, u16)> {
        let ports = &self.ports;
        let first = |ports: &[u16]| ports.first().copied();
        [
            (OutsideWay::Web, ports.https),
            (OutsideWay::WebSocket, ports.https),
            (OutsideWay::MediaUdp, first(&ports.media_udp)),
            (OutsideWay::MediaTcp, first(&ports.media_tcp)),
            (OutsideWay::RelayUdp, ports.relay_udp),
            (OutsideWay::RelayTcp, ports.relay_tcp),
            (OutsideWay::RelayTls, ports.relay_tls),
        ]
        .into_iter()
        .filter_map(|(way, port)| Some((way, port?)))
        .collect()
    }

    /// The machine's address in the home, to which a router forwards: the one in the router's network, if that is
    /// known.
    #[must_use]
    pub fn home_address(&self) -> Option<IpAddr> {
        let v4 = || self.networks.iter().filter(|one| one.address.is_ipv4());
        let near_router =
            v4().find(|one| self.gateway.is_some_and(|router| one.has(router.into())));
        near_router.or_else(|| v4().next()).map(|one| one.address)
    }

    /// The home's public IPv4 address, as far as the server can know by itself.
    #[must_use]
    pub fn external(&self) -> Option<IpAddr> {
        match self.router {
            Router::At { external, .. } if !external.is_unspecified() => Some(external),
            _ => self.seen_by_stun.filter(IpAddr::is_ipv4),
        }
    }
}
