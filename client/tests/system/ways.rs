//! Calls on networks that block UDP: over TCP, and through the relay over UDP, TCP and TLS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use homeline_client::CallEvent;
use homeline_client::MediaWays;
use homeline_media_node::turn::{SharedSecret, Turn, TurnConfig};
use homeline_media_node::{Node, NodeConfig};
use homeline_protocol::session::{EndReason, RelayServer, RelayTransport};
use homeline_signaling::model::Masked;
use homeline_signaling::{MediaLink, SignalingConfig};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::calls::{Talk, hears, talk};
use crate::house::{Person, code, ended, sound, until};
use crate::server::{TestServer, link_of};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Where clients are told that media is, when nobody is there, or only what the test puts there.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn ways(words: &str) -> MediaWays {
    words.parse().unwrap()
}

fn media(advertised: IpAddr) -> (Node, MediaLink) {
    let config = NodeConfig {
        bind: vec![LOOPBACK],
        advertised_addresses: vec![advertised],
        udp_port: 0,
        ..NodeConfig::default()
    };
    link_of(Node::start(config).unwrap())
}

/// Both sides hear each other, whatever carries it.
async fn talks(server: &TestServer) -> Talk {
    let mut talk = talk(server).await;
    hears(&mut talk.at_anna, 1_500.0).await;
    hears(&mut talk.at_ben, 1_000.0).await;
    talk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_udp_nothing_else_is_begun() {
    let server = TestServer::start().await;
    // On a machine that stands still for a second, UDP is too late once; not again and again.
    for attempt in 0.. {
        let before = server.node.metrics().tcp;
        let mut talk = talks(&server).await;
        let tcp = server.node.metrics().tcp;
        if tcp.connections + tcp.ended == before.connections + before.ended {
            return;
        }
        assert!(attempt < 5, "TCP was begun beside UDP each time");
        talk.call.hang_up().await;
        ended(&mut talk.call).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_hear_each_other_over_tcp_alone() {
    let mut server = TestServer::start().await;
    server.ways = ways("tcp");
    let mut talk = talks(&server).await;
    assert_eq!(server.node.metrics().tcp.connections, 2);
    talk.call.hang_up().await;
    assert_eq!(ended(&mut talk.call).await, EndReason::HungUp);
}

/// A network that lets TCP through to the media node, and no UDP.
struct TcpOnly {
    server: TestServer,
    up: watch::Sender<u32>,
}

impl TcpOnly {
    async fn start(config: SignalingConfig) -> Self {
        let (node, link) = media(ELSEWHERE);
        let (_, ports) = node.ports();
        let listener = TcpListener::bind((ELSEWHERE, ports[0])).await.unwrap();
        let to = SocketAddr::new(LOOPBACK, ports[0]);
        let (up, generation) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut generation = generation.clone();
                generation.mark_unchanged();
                tokio::spawn(async move {
                    let mut media = TcpStream::connect(to).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut media) => {}
                        _ = generation.changed() => {}
                    }
                });
            }
        });
        let server = TestServer::start_on(config, (node, link)).await;
        Self { server, up }
    }

    /// All connections there are break.
    fn cut(&self) {
        self.up.send_modify(|generation| *generation += 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_udp_leads_nowhere_media_goes_over_tcp_by_itself_and_comes_back_when_that_breaks() {
    let network = TcpOnly::start(SignalingConfig::default()).await;
    let mut talk = talks(&network.server).await;
    network.cut();
    for call in [&mut talk.call, &mut talk.answered] {
        until(call, "the new connection", |event| {
            (*event == CallEvent::Media { connected: true }).then_some(())
        })
        .await;
    }
    hears(&mut talk.at_anna, 1_500.0).await;
    hears(&mut talk.at_ben, 1_000.0).await;
}

/// Nobody speaks while it rings, so that after ICE began anew media does not say which way it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_way_stays_open_though_nobody_speaks() {
    let mut config = SignalingConfig::default();
    config.calls.ring_timeout_secs = 16;
    let network = TcpOnly::start(config).await;
    let anna = Person::found(&network.server.server(), "anna").await;
    let mut ben = Person::found(&network.server.server(), "ben").await;
    let (with, _at_anna) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let _rings = ben.incoming().await;
    let up = |event: &CallEvent| (*event == CallEvent::Media { connected: true }).then_some(());
    until(&mut call, "media", up).await;
    network.cut();
    until(&mut call, "the new connection", up).await;
    // It rings for longer than a way in reserve is kept and ICE takes to notice that it is gone.
    let ended = until(&mut call, "the end of the ringing", |event| match event {
        CallEvent::Media { connected } => Some(Err(*connected)),
        CallEvent::Ended(reason) => Some(Ok(*reason)),
        _ => None,
    });
    assert_eq!(ended.await, Ok(EndReason::NoAnswer));
}

/// A relay before media that is reached by nothing else, and a server that names the relay.
struct Relayed {
    server: TestServer,
    turn: Turn,
}

impl Relayed {
    async fn start(transport: RelayTransport, secret: &str) -> Self {
        let (node, link) = media(ELSEWHERE);
        let config = TurnConfig {
            bind: vec![LOOPBACK],
            udp_port: Some(0),
            tcp_port: Some(0),
            secret: Some(SharedSecret::new("north")),
            ..TurnConfig::default()
        };
        let (tls, authority) = certificate();
        let turn = Turn::start(&config, &node, Some(tls)).unwrap();
        let ports = turn.ports();
        let port = match transport {
            RelayTransport::Udp => ports.udp,
            RelayTransport::Tcp => ports.tcp,
            RelayTransport::Tls => ports.tls,
        };
        let mut config = SignalingConfig::default();
        config.relays.secret = Some(Masked::new(secret));
        config.relays.own = vec![RelayServer {
            host: None,
            port: port.unwrap(),
            transport,
        }];
        let mut server = TestServer::start_on(config, (node, link)).await;
        server.authority = Some(authority);
        server.ways = ways("relay");
        Self { server, turn }
    }
}

/// What the relay shows, and what clients have to trust for it.
fn certificate() -> (watch::Receiver<Arc<rustls::ServerConfig>>, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    // The sender may go: the last certificate stays.
    let (_, tls) = watch::channel(Arc::new(config));
    (tls, certificate.pem())
}

async fn through_the_relay(transport: RelayTransport, ways: MediaWays) {
    let mut relayed = Relayed::start(transport, "north").await;
    relayed.server.ways = ways;
    let mut talk = talks(&relayed.server).await;
    let figures = relayed.turn.figures();
    assert!(figures.allocations >= 2, "{figures:?}");
    assert!(figures.bytes_to_clients > 0, "{figures:?}");
    talk.call.hang_up().await;
    assert_eq!(ended(&mut talk.call).await, EndReason::HungUp);
    assert_eq!(ended(&mut talk.answered).await, EndReason::HungUp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_hear_each_other_through_the_relay_over_udp() {
    through_the_relay(RelayTransport::Udp, ways("relay")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_hear_each_other_through_the_relay_over_tcp() {
    through_the_relay(RelayTransport::Tcp, ways("relay")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_hear_each_other_through_the_relay_over_tls() {
    through_the_relay(RelayTransport::Tls, ways("relay")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_else_leads_nowhere_media_goes_through_the_relay_by_itself() {
    through_the_relay(RelayTransport::Udp, MediaWays::default()).await;
}

/// What a call says that can't reach media, and that it is made and ends all the same.
async fn finds_no_way(server: &TestServer) -> String {
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let (with, _at_anna) = sound(1_000.0);
    let mut call = anna.client.call("ben", with).await.unwrap();
    let incoming = ben.incoming().await;
    let troubles = until(&mut call, "that there is no way", |event| match event {
        CallEvent::NoWay { troubles } => Some(troubles.join("\n")),
        _ => None,
    })
    .await;
    let (with, _at_ben) = sound(1_500.0);
    let mut answered = incoming.answer(with).await;
    assert_eq!(code(&mut answered).await, code(&mut call).await);
    call.hang_up().await;
    assert_eq!(ended(&mut call).await, EndReason::HungUp);
    assert_eq!(ended(&mut answered).await, EndReason::HungUp);
    troubles
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_refuses_the_credentials_is_named_and_nothing_hangs() {
    for transport in [
        RelayTransport::Udp,
        RelayTransport::Tcp,
        RelayTransport::Tls,
    ] {
        let relayed = Relayed::start(transport, "south").await;
        let troubles = finds_no_way(&relayed.server).await;
        let told = troubles.contains("the relay refuses") && troubles.contains("401");
        assert!(told, "{transport:?}: {troubles}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_whose_certificate_is_of_another_authority_is_not_spoken_to() {
    let mut relayed = Relayed::start(RelayTransport::Tls, "north").await;
    relayed.server.authority = Some(certificate().1);
    let troubles = finds_no_way(&relayed.server).await;
    assert!(troubles.contains("certificate"), "{troubles}");
    assert_eq!(relayed.turn.figures().allocations, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ways_that_lead_nowhere_are_told() {
    let mut server = TestServer::start_on(SignalingConfig::default(), media(ELSEWHERE)).await;
    server.ways = ways("tcp,relay");
    let troubles = finds_no_way(&server).await;
    assert!(
        troubles.contains("media over TCP at 127.0.0.2"),
        "{troubles}"
    );
}
