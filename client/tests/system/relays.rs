//! A call whose media can only come through the relay: the addresses that clients are told lead to nobody,
//! as those of a home whose router forwards no UDP to the media port, and the relay knows whom they mean.

use std::net::{IpAddr, Ipv4Addr};

use homeline_media_node::turn::{SharedSecret, Turn, TurnConfig};
use homeline_media_node::{Node, NodeConfig};
use homeline_protocol::session::{RelayServer, RelayTransport};
use homeline_signaling::model::Masked;
use homeline_signaling::{MediaLink, SignalingConfig};

use crate::calls::{Talk, hears, talk};
use crate::server::{TestServer, link_of};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Media listens on one address of this machine, and clients are told another.
fn unreachable_media() -> (Node, MediaLink) {
    let config = NodeConfig {
        bind: vec![LOOPBACK],
        advertised_addresses: vec![IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))],
        udp_port: 0,
        ..NodeConfig::default()
    };
    link_of(Node::start(config).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_hear_each_other_through_the_relay_alone() {
    let (node, link) = unreachable_media();
    let turn = TurnConfig {
        bind: vec![LOOPBACK],
        udp_port: Some(0),
        tcp_port: Some(0),
        secret: Some(SharedSecret::new("north")),
        ..TurnConfig::default()
    };
    let turn = Turn::start(&turn, &node, None).unwrap();
    let mut config = SignalingConfig::default();
    config.relays.secret = Some(Masked::new("north"));
    config.relays.own = vec![RelayServer {
        host: None,
        port: turn.ports().udp.unwrap(),
        transport: RelayTransport::Udp,
    }];
    let server = TestServer::start_on(config, (node, link)).await;
    let mut talk: Talk = talk(&server).await;
    hears(&mut talk.at_anna, 1_500.0).await;
    hears(&mut talk.at_ben, 1_000.0).await;
    let figures = turn.figures();
    assert!(
        figures.allocations >= 2 && figures.bytes_to_clients > 0,
        "{figures:?}"
    );
}
