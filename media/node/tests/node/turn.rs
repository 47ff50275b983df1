//! The relay over real sockets, spoken to by a TURN client that is not ours (`rtc-turn`).

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use hmac::{Hmac, Mac as _};
use homeline_media_engine::wire::stun::{
    BINDING, Class, IntegrityKey, StunMessage, StunWriter, TransactionId,
};
use homeline_media_node::turn::{SharedSecret, Turn, TurnConfig, TurnError};
use homeline_media_node::{Link, Node, NodeConfig};
use homeline_protocol::id::{PeerId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaReply};
use rtc_shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc_turn::client::{Client, ClientConfig, Event};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use sansio::Protocol as _;
use sha1::Sha1;
use str0m::media::{Direction, MediaKind};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECRET: &str = "north";
const PATIENCE: Duration = Duration::from_secs(10);

struct Scene {
    node: Node,
    link: Link,
    turn: Turn,
    trust: Arc<rustls::ClientConfig>,
}

fn turn_config() -> TurnConfig {
    TurnConfig {
        bind: vec![LOOPBACK],
        udp_port: Some(0),
        tcp_port: Some(0),
        secret: Some(SharedSecret::new(SECRET)),
        ..TurnConfig::default()
    }
}

fn node() -> (Node, Link) {
    let config = NodeConfig {
        bind: vec![LOOPBACK],
        advertised_addresses: vec![LOOPBACK],
        udp_port: 0,
        ..NodeConfig::default()
    };
    Node::start(config).unwrap()
}

fn scene(config: &TurnConfig) -> Scene {
    let (node, link) = node();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let trust = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // The sender may go: the last certificate stays.
    let (_, tls) = watch::channel(Arc::new(server));
    let turn = Turn::start(config, &node, Some(tls)).unwrap();
    Scene {
        node,
        link,
        turn,
        trust: Arc::new(trust),
    }
}

fn unix_secs() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs()
}

fn password(username: &str) -> String {
    let mut mac = <Hmac<Sha1> as hmac::Mac>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

enum Wire {
    Datagrams(UdpSocket),
    Stream(Box<dyn Stream>, Vec<u8>),
}

#[derive(Clone, Copy, Debug)]
enum By {
    Udp,
    Tcp,
    Tls,
}

impl Wire {
    async fn send(&mut self, bytes: &[u8]) {
        match self {
            Self::Datagrams(socket) => drop(socket.send(bytes).await.unwrap()),
            Self::Stream(stream, _) => {
                let mut padded = bytes.to_vec();
                padded.resize(bytes.len().next_multiple_of(4), 0);
                stream.write_all(&padded).await.unwrap();
            }
        }
    }

    /// The next message; none when the stream has ended.
    async fn receive(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Datagrams(socket) => {
                let mut buffer = vec![0; 2_000];
                let len = socket.recv(&mut buffer).await.unwrap();
                buffer.truncate(len);
                Some(buffer)
            }
            Self::Stream(stream, read) => loop {
                if let Some(&[first, _, high, low]) = read.first_chunk::<4>() {
                    let len = usize::from(u16::from_be_bytes([high, low]));
                    let len = len + if first < 4 { 20 } else { 4 };
                    if read.len() >= len.next_multiple_of(4) {
                        let message: Vec<u8> = read.drain(..len.next_multiple_of(4)).collect();
                        return Some(message[..len].to_vec());
                    }
                }
                if stream.read_buf(read).await.ok()? == 0 {
                    return None;
                }
            },
        }
    }
}

/// The other implementation, and its way to the relay.
struct Guest {
    client: Client,
    wire: Wire,
    local: SocketAddr,
    server: SocketAddr,
}

impl Scene {
    fn port(&self, by: By) -> u16 {
        let ports = self.turn.ports();
        match by {
            By::Udp => ports.udp.unwrap(),
            By::Tcp => ports.tcp.unwrap(),
            By::Tls => ports.tls.unwrap(),
        }
    }

    async fn wire(&self, by: By) -> (Wire, SocketAddr) {
        let server = SocketAddr::new(LOOPBACK, self.port(by));
        match by {
            By::Udp => {
                let socket = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
                socket.connect(server).await.unwrap();
                let local = socket.local_addr().unwrap();
                (Wire::Datagrams(socket), local)
            }
            By::Tcp | By::Tls => {
                let stream = TcpStream::connect(server).await.unwrap();
                let local = stream.local_addr().unwrap();
                let stream: Box<dyn Stream> = if matches!(by, By::Tls) {
                    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.trust));
                    let name = ServerName::try_from("localhost").unwrap();
                    Box::new(connector.connect(name, stream).await.unwrap())
                } else {
                    Box::new(stream)
                };
                (Wire::Stream(stream, Vec::new()), local)
            }
        }
    }

    async fn guest(&self, by: By, username: &str, password: &str) -> Guest {
        let (wire, local) = self.wire(by).await;
        let server = SocketAddr::new(LOOPBACK, self.port(by));
        let config = ClientConfig {
            turn_serv_addr: server.to_string(),
            local_addr: local,
            username: username.to_owned(),
            password: password.to_owned(),
            ..ClientConfig::default()
        };
        let client = Client::new(config, rtc_crypto::default_provider().unwrap()).unwrap();
        Guest {
            client,
            wire,
            local,
            server,
        }
    }

    async fn welcome(&self, by: By) -> Guest {
        let username = format!("{}:x", unix_secs() + 3_600);
        self.guest(by, &username, &password(&username)).await
    }
}

impl Guest {
    /// What the client says next; `None` when the relay has hung up.
    async fn event(&mut self) -> Option<Event> {
        let next = async {
            loop {
                while let Some(out) = self.client.poll_write() {
                    self.wire.send(&out.message).await;
                }
                if let Some(event) = self.client.poll_event() {
                    return Some(event);
                }
                let bytes = self.wire.receive().await?;
                let message = TransportMessage {
                    now: Instant::now(),
                    transport: TransportContext {
                        local_addr: self.local,
                        peer_addr: self.server,
                        transport_protocol: TransportProtocol::UDP,
                        ecn: None,
                    },
                    message: BytesMut::from(&bytes[..]),
                };
                self.client.handle_read(message).unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, next).await.unwrap()
    }

    async fn allocate(&mut self) -> Result<SocketAddr, String> {
        self.client.allocate(Instant::now()).unwrap();
        match self.event().await {
            Some(Event::AllocateResponse(_, relayed)) => Ok(relayed),
            Some(Event::AllocateError(_, error)) => Err(error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    async fn permit(&mut self, relayed: SocketAddr, peer: SocketAddr) -> Result<(), String> {
        let mut relay = self.client.relay(relayed).unwrap();
        relay.create_permission(Instant::now(), peer).unwrap();
        match self.event().await {
            Some(Event::CreatePermissionResponse(..)) => Ok(()),
            Some(Event::CreatePermissionError(_, error)) => Err(error.to_string()),
            other => panic!("{other:?}"),
        }
    }
}

/// The value of a line in the answer that a peer of a room gets.
async fn answer(link: &Link) -> String {
    let room = RoomId([9; 16]);
    let created = link.send(MediaCommand::CreateRoom { room }).await;
    assert_eq!(created, Ok(MediaReply::Done));
    let mut peer = crate::client::Client::new(Instant::now(), SocketAddr::new(LOOPBACK, 9));
    let (offer, _) = peer.offer(&[(MediaKind::Audio, Direction::RecvOnly)]);
    let negotiate = MediaCommand::Negotiate {
        room,
        peer: PeerId([1; 16]),
        offer,
        publish: vec![],
        subscribe: vec![],
    };
    match link.send(negotiate).await {
        Ok(MediaReply::Answer { sdp }) => sdp,
        other => panic!("{other:?}"),
    }
}

fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap()
}

/// An ICE check, as a browser sends it through its relay.
fn check(sdp: &str, transaction: u8) -> Vec<u8> {
    let mut bytes = vec![0; 300];
    let transaction = TransactionId([transaction; 12]);
    let mut writer = StunWriter::new(&mut bytes, Class::Request, BINDING, transaction).unwrap();
    let username = format!("{}:them", value(sdp, "a=ice-ufrag:"));
    writer.username(&username).unwrap();
    writer.priority(1).unwrap();
    writer.ice_controlling(1).unwrap();
    let key = IntegrityKey::new(value(sdp, "a=ice-pwd:").as_bytes());
    let len = writer.finish(Some(&key)).unwrap();
    bytes.truncate(len);
    bytes
}

#[tokio::test]
async fn media_answers_through_the_relay_over_udp_tcp_and_tls() {
    let scene = scene(&turn_config());
    let sdp = answer(&scene.link).await;
    let media = scene.node.addresses()[0];
    for by in [By::Udp, By::Tcp, By::Tls] {
        let mut guest = scene.welcome(by).await;
        let relayed = guest.allocate().await.unwrap();
        guest.permit(relayed, media).await.unwrap();
        // The first goes as an indication and binds a channel, by which later ones go.
        let mut channels = HashSet::new();
        for round in 0..20 {
            let mut relay = guest.client.relay(relayed).unwrap();
            relay
                .send_to(Instant::now(), &check(&sdp, round), media)
                .unwrap();
            match guest.event().await {
                Some(Event::DataIndicationOrChannelData(channel, peer, data)) => {
                    assert_eq!(peer, media);
                    let message = StunMessage::parse(&data).unwrap();
                    assert_eq!(message.class(), Class::Success);
                    // To media the relay is on this machine; to the guest it is what it allocated.
                    assert_eq!(message.xor_mapped_address().unwrap().ip(), LOOPBACK);
                    channels.insert(channel.is_some());
                }
                other => panic!("{by:?} {other:?}"),
            }
        }
        assert!(channels.contains(&true), "{by:?}: no channel was used");
    }
    let figures = scene.turn.figures();
    assert!(figures.bytes_to_media > 0 && figures.bytes_to_clients > 0);
}

#[tokio::test]
async fn nobody_else_can_be_reached() {
    let scene = scene(&turn_config());
    let mut guest = scene.welcome(By::Udp).await;
    let relayed = guest.allocate().await.unwrap();
    for peer in ["198.51.100.7:53", "10.0.0.1:80", "127.0.0.2:8444"] {
        let refused = guest.permit(relayed, peer.parse().unwrap()).await;
        assert!(refused.unwrap_err().contains("403"), "{peer}");
    }
    // A neighbour on this machine, at an address of ours: permitted by address, and still not reached.
    let neighbour = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
    let address = neighbour.local_addr().unwrap();
    guest.permit(relayed, address).await.unwrap();
    let media = scene.node.addresses()[0];
    let sdp = answer(&scene.link).await;
    for peer in [address, media] {
        let mut relay = guest.client.relay(relayed).unwrap();
        // For the library each address and port is a permission of its own.
        relay.create_permission(Instant::now(), peer).unwrap();
        if peer == media {
            guest.event().await.unwrap();
        }
        let mut relay = guest.client.relay(relayed).unwrap();
        relay
            .send_to(Instant::now(), &check(&sdp, 1), peer)
            .unwrap();
    }
    // Media's answer to the second shows that the first was dealt with.
    let data = guest.event().await;
    assert!(
        matches!(data, Some(Event::DataIndicationOrChannelData(_, peer, _)) if peer == media),
        "{data:?}"
    );
    assert!(neighbour.try_recv(&mut [0; 100]).is_err());
}

#[tokio::test]
async fn wrong_and_expired_credentials_are_refused() {
    let scene = scene(&turn_config());
    let (valid, expired) = (
        format!("{}:x", unix_secs() + 3_600),
        format!("{}:x", unix_secs() - 1),
    );
    let cases = [
        (valid.as_str(), "guess".to_owned()),
        (expired.as_str(), password(&expired)),
        ("anna", password("anna")),
    ];
    for by in [By::Udp, By::Tcp, By::Tls] {
        for (username, password) in &cases {
            let mut guest = scene.guest(by, username, password).await;
            let refused = guest.allocate().await.unwrap_err();
            assert!(refused.contains("401"), "{by:?} {refused}");
        }
    }
    assert_eq!(scene.turn.figures().allocations, 0);
    assert_eq!(scene.turn.figures().refused.total(), 9);
}

#[tokio::test]
async fn a_credential_has_a_quota_and_a_closed_connection_gives_its_place_back() {
    let scene = scene(&TurnConfig {
        allocations_per_credential_max: 2,
        ..turn_config()
    });
    let username = format!("{}:x", unix_secs() + 3_600);
    let password = password(&username);
    let mut first = scene.guest(By::Tcp, &username, &password).await;
    let mut second = scene.guest(By::Udp, &username, &password).await;
    let mut third = scene.guest(By::Tls, &username, &password).await;
    first.allocate().await.unwrap();
    second.allocate().await.unwrap();
    let refused = third.allocate().await.unwrap_err();
    assert!(refused.contains("486"), "{refused}");
    drop(first);
    let free = async {
        while scene.turn.figures().allocations > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, free).await.unwrap();
    third.allocate().await.unwrap();
}

#[tokio::test]
async fn noise_on_the_ports_harms_nobody() {
    let scene = scene(&turn_config());
    let (mut datagrams, _) = scene.wire(By::Udp).await;
    for noise in [
        &b""[..],
        b"\0",
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff; 1_400],
        &[0; 20],
    ] {
        datagrams.send(noise).await;
    }
    for noise in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 2_000],
        // Messages longer than any that is taken.
        &[0x40, 0, 0xff, 0xff],
        &[0, 1, 0xff, 0xfc],
        // The beginning of TLS, and then something else.
        &[22, 3, 1, 0, 5, 9, 9, 9, 9, 9],
    ] {
        let (mut stream, _) = scene.wire(By::Tcp).await;
        stream.send(noise).await;
        if let Wire::Stream(stream, _) = &mut stream {
            // What TLS says of it, if anything, and the end.
            let mut rest = Vec::new();
            let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
            ended.unwrap().ok();
        }
    }
    for by in [By::Udp, By::Tcp, By::Tls] {
        scene.welcome(by).await.allocate().await.unwrap();
    }
}

#[tokio::test]
async fn more_connections_than_there_may_be_are_closed() {
    let scene = scene(&TurnConfig {
        connections_max: 1,
        ..turn_config()
    });
    let mut first = scene.welcome(By::Tcp).await;
    first.allocate().await.unwrap();
    let (mut second, _) = scene.wire(By::Tcp).await;
    assert_eq!(second.receive().await, None);
}

#[tokio::test]
async fn one_network_does_not_take_all_places() {
    let scene = scene(&turn_config());
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(scene.welcome(By::Tcp).await);
    }
    let (mut beyond, _) = scene.wire(By::Tcp).await;
    assert_eq!(beyond.receive().await, None);
}

#[tokio::test]
async fn a_port_that_was_chosen_must_be_free_and_the_error_names_its_setting() {
    let (node, _link) = node();
    let taken = std::net::TcpListener::bind((LOOPBACK, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = TurnConfig {
        tcp_port: Some(port),
        ..turn_config()
    };
    let Err(error) = Turn::start(&config, &node, None) else {
        panic!("the port is in use");
    };
    assert!(matches!(
        error,
        TurnError::Bind {
            protocol: "TCP",
            ..
        }
    ));
    let words = error.to_string();
    assert!(
        words.contains(&port.to_string()) && words.contains("tcp_port"),
        "{words}"
    );
}

#[tokio::test]
async fn without_a_certificate_there_is_no_tls_and_a_routers_port_is_told() {
    let (node, _link) = node();
    let config = TurnConfig {
        advertised_tcp_port: Some(443),
        ..turn_config()
    };
    let ports = Turn::start(&config, &node, None).unwrap().ports();
    assert_eq!((ports.tcp, ports.tls), (Some(443), None));
    assert_ne!(ports.udp, Some(0));
}
