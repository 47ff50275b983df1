//! One look at the home's network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use homeline_media_node::turn::{TurnConfig, TurnPorts};
use homeline_signaling::domain::outside::{Look, Ports, Router};
use homeline_signaling::model::Clock;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::config::AsksConfig;
use super::{here, nat_pmp, pcp, stun, upnp};

/// How long a STUN server's name may take to become an address.
const NAME_TIMEOUT: Duration = Duration::from_secs(3);

/// Looks around: some seconds where nobody answers.
pub(super) async fn look(asks: &AsksConfig, ports: Ports, advertised: Vec<IpAddr>) -> Look {
    let networks = here::networks().unwrap_or_else(|error| {
        tracing::warn!(%error, "the networks of this machine can't be read");
        Vec::new()
    });
    let mut look = Look {
        ports,
        advertised,
        networks,
        gateway: here::gateway(),
        ..Look::default()
    };
    let (router, seen) = tokio::join!(router(asks, &look), seen_by_stun(asks));
    look.router = router;
    look.seen_by_stun = seen;
    look.at = Clock::System.now();
    look
}

async fn router(asks: &AsksConfig, look: &Look) -> Router {
    let Some(gateway) = look.gateway.filter(|_| asks.ask_router) else {
        return Router::NotAsked;
    };
    let own = match look.home_address() {
        Some(IpAddr::V4(own)) => own,
        _ => Ipv4Addr::UNSPECIFIED,
    };
    let searched_at = [(gateway, upnp::EVERYBODY.port()).into(), upnp::EVERYBODY];
    let at = SocketAddr::from((gateway, nat_pmp::PORT));
    ask_router(own, at, gateway, &searched_at).await
}

/// The quicker protocols first; UPnP takes seconds where nobody speaks it.
pub(super) async fn ask_router(
    own: Ipv4Addr,
    pcp_at: SocketAddr,
    gateway: Ipv4Addr,
    searched_at: &[SocketAddr],
) -> Router {
    match nat_pmp::ask(pcp_at).await {
        Some(nat_pmp::Answer::At(external)) => {
            let (external, by) = (external.into(), "NAT-PMP");
            return Router::At { external, by };
        }
        Some(nat_pmp::Answer::Newer) => {
            if let Some(external) = pcp::ask(pcp_at, own, random()).await {
                return Router::At {
                    external,
                    by: "PCP",
                };
            }
        }
        None => {}
    }
    match upnp::ask(gateway, searched_at).await {
        Some(external) => Router::At {
            external,
            by: "UPnP",
        },
        None => Router::Silent,
    }
}

async fn seen_by_stun(asks: &AsksConfig) -> Option<IpAddr> {
    let server = asks.stun_server.as_deref()?;
    let found = timeout(NAME_TIMEOUT, lookup_host(server)).await;
    let mut found = found.ok()?.ok()?.filter(SocketAddr::is_ipv4);
    stun::ask(found.next()?, random()).await
}

/// Guessing a number of an answer must not be easy for a stranger in the home.
fn random() -> [u8; 12] {
    let mut bytes = [0; 12];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        tracing::warn!("no randomness for a question to the router");
    }
    bytes
}

/// The ports that a router has to forward. A relay elsewhere is not this home's.
pub(crate) fn ports(
    https: Option<u16>,
    (media_udp, media_tcp): (Vec<u16>, Vec<u16>),
    (config, relay): (&TurnConfig, TurnPorts),
) -> Ports {
    let (udp, tcp) = config.listened();
    Ports {
        https,
        media_udp,
        media_tcp,
        relay_udp: relay.udp,
        relay_tcp: relay.tcp,
        relay_tls: relay.tls,
        relay_udp_inside: config.advertised_udp_port.map(|_| udp),
        relay_tcp_inside: config.advertised_tcp_port.map(|_| tcp),
    }
}
