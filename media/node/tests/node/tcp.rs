//! Media over TCP through a running node, over real sockets on the loopback: calls, slow receivers, lost
//! connections, and those who are no peers.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use homeline_media_node::{Link, Node, NodeConfig};
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, MediaReply, Publish, Subscribe};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::Protocol;

use crate::client::Client;

const ROOM: RoomId = RoomId([9; 16]);

/// Longer than any of these takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn config(address: &str) -> NodeConfig {
    let address: IpAddr = address.parse().unwrap();
    NodeConfig {
        bind: vec![address],
        advertised_addresses: vec![address],
        udp_port: 0,
        ..NodeConfig::default()
    }
}

async fn start(config: NodeConfig) -> (Node, Link) {
    let (node, link) = Node::start(config).unwrap();
    let create = MediaCommand::CreateRoom { room: ROOM };
    link.send(create).await.unwrap();
    (node, link)
}

#[tokio::test]
async fn without_tcp_nothing_listens_and_nothing_is_told() {
    let config = NodeConfig {
        tcp: false,
        ..config("127.0.0.1")
    };
    let (node, _link) = start(config).await;
    let (udp, tcp) = node.ports();
    assert_eq!((udp.len(), tcp.len()), (1, 0));
    // On the number of the UDP port, which a TCP listener would have.
    let refused = TcpStream::connect(("127.0.0.1", udp[0])).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    node.shutdown().await;
}

/// A client's connection, with the beginning of a packet that is not whole yet.
struct Framed {
    stream: TcpStream,
    held: Vec<u8>,
}

impl Framed {
    fn connect(server: SocketAddr) -> Self {
        let family = socket2::Domain::for_address(server);
        let socket = socket2::Socket::new(family, socket2::Type::STREAM, None).unwrap();
        // Small, so that a client that reads nothing is soon felt.
        socket.set_recv_buffer_size(16 * 1_024).unwrap();
        socket.connect(&server.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).unwrap();
        let a_moment = Duration::from_millis(2);
        stream.set_read_timeout(Some(a_moment)).unwrap();
        Self {
            stream,
            held: Vec::new(),
        }
    }

    fn send(&mut self, packet: &[u8]) {
        let mut framed = (packet.len() as u16).to_be_bytes().to_vec();
        framed.extend_from_slice(packet);
        self.stream.write_all(&framed).unwrap();
    }

    /// Waits for a moment; returns the whole packets that there are.
    fn receive(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; 16 * 1_024];
        match self.stream.read(&mut buffer) {
            Ok(count) => self.held.extend_from_slice(&buffer[..count]),
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{error}"
            ),
        }
        let mut packets = Vec::new();
        while let Some((head, rest)) = self.held.split_first_chunk() {
            let len = usize::from(u16::from_be_bytes(*head));
            let Some(packet) = rest.get(..len) else {
                break;
            };
            packets.push(packet.to_vec());
            self.held.drain(..2 + len);
        }
        packets
    }
}

/// What a test tells a running client.
#[derive(Default)]
struct Orders {
    stop: AtomicBool,
    /// Reads nothing while it is set.
    sleep: AtomicBool,
    /// Drops the connection and opens another.
    reconnect: AtomicBool,
}

struct Running {
    orders: Arc<Orders>,
    thread: JoinHandle<()>,
    /// Lengths of the frames that arrive whole.
    frames: Receiver<usize>,
}

impl Running {
    /// Waits for so many frames.
    fn gets(&self, count: usize) {
        for _ in 0..count {
            self.frames.recv_timeout(PATIENCE).unwrap();
        }
    }

    fn stop(self) {
        self.orders.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Where the answer says that connections are taken.
fn tcp_candidate(sdp: &str) -> Option<SocketAddr> {
    let lines = sdp.lines();
    let line = lines.filter(|line| line.starts_with("a=candidate:"));
    let words = line.map(|line| line.split(' ').collect::<Vec<_>>());
    let found = words.into_iter().find(|words| words[2] == "tcp");
    found.map(|words| SocketAddr::new(words[4].parse().unwrap(), words[5].parse().unwrap()))
}

/// A client that publishes its own number, if it has something to `send` (a length and a pause), and gets the
/// track of `other`.
async fn join(
    link: &Link,
    number: u8,
    other: u8,
    kind: MediaKind,
    send: Option<(usize, Duration)>,
) -> Running {
    // Its own address is known only once it is connected, and the answer says to what: so it is made up.
    let made_up = SocketAddr::from(([192, 0, 2, number], 9));
    let mut client = Client::over_tcp(Instant::now(), made_up);
    let wanted = [Direction::SendOnly, Direction::RecvOnly].map(|way| (kind, way));
    let (offer, mids) = client.offer(&wanted);
    let negotiate = MediaCommand::Negotiate {
        room: ROOM,
        peer: PeerId([number; 16]),
        offer,
        publish: vec![Publish {
            mid: mids[0].to_string(),
            track: TrackId([number; 16]),
        }],
        subscribe: vec![Subscribe {
            mid: mids[1].to_string(),
            track: TrackId([other; 16]),
        }],
    };
    let MediaReply::Answer { sdp } = link.send(negotiate).await.unwrap() else {
        panic!("an offer gets an answer");
    };
    let server = tcp_candidate(&sdp).unwrap();
    if server.is_ipv6() {
        client.address = SocketAddr::from(([0xfd00, 0, 0, 0, 0, 0, 0, number.into()], 9));
        client.add_tcp();
    }
    client.accept(&sdp);
    let forward = MediaCommand::SetForwarding {
        room: ROOM,
        peer: PeerId([number; 16]),
        on: true,
    };
    link.send(forward).await.unwrap();
    let orders = Arc::<Orders>::default();
    let (report, frames) = channel();
    let obeyed = Arc::clone(&orders);
    let sends = send.map(|(len, pause)| (mids[0], len, pause));
    let thread = std::thread::spawn(move || drive(client, server, sends, &obeyed, &report));
    Running {
        orders,
        thread,
        frames,
    }
}

fn drive(
    mut client: Client,
    server: SocketAddr,
    sends: Option<(Mid, usize, Duration)>,
    orders: &Orders,
    report: &Sender<usize>,
) {
    let mut framed = Framed::connect(server);
    let mut due = Instant::now();
    while !orders.stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        if orders.reconnect.swap(false, Ordering::Relaxed) {
            framed = Framed::connect(server);
        }
        for datagram in client.poll(now).0 {
            framed.send(&datagram.bytes);
        }
        for frame in client
            .frames
            .values_mut()
            .flat_map(|frames| frames.drain(..))
        {
            assert!(frame.data.iter().all(|byte| *byte == 7), "a broken frame");
            // The test may have seen enough and gone on.
            report.send(frame.data.len()).ok();
        }
        if orders.sleep.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
        } else {
            for packet in framed.receive() {
                let here = client.address;
                client.receive_over(Protocol::Tcp, Instant::now(), server, here, &packet);
            }
        }
        let now = Instant::now();
        if let Some((mid, len, pause)) = sends
            && due <= now
            && client.connected
        {
            due = now + pause;
            client.send(now, mid, &vec![7; len]);
        }
        client.timeout(now);
    }
}

/// Waits until the node closes a connection.
fn is_closed(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("{other:?}"),
    }
}

const SOUND: Option<(usize, Duration)> = Some((80, Duration::from_millis(20)));
const PICTURE: Option<(usize, Duration)> = Some((24_000, Duration::from_millis(33)));

#[tokio::test]
async fn two_clients_without_udp_hear_each_other_and_one_finds_its_way_back() {
    for address in ["127.0.0.1", "::1"] {
        let (node, link) = start(config(address)).await;
        let first = join(&link, 1, 2, MediaKind::Audio, SOUND).await;
        let second = join(&link, 2, 1, MediaKind::Audio, SOUND).await;
        for client in [&first, &second] {
            client.gets(100);
        }
        assert_eq!(node.metrics().tcp.connections, 2);
        first.orders.reconnect.store(true, Ordering::Relaxed);
        // More than what was on its way: both directions go on.
        for client in [&first, &second] {
            client.gets(100);
        }
        first.stop();
        second.stop();
        node.shutdown().await;
        let metrics = node.metrics();
        assert_eq!((metrics.rooms_failed, metrics.tcp.refused), (0, 0));
        assert!(metrics.tcp.ended >= 1);
    }
}

#[tokio::test]
async fn a_receiver_that_reads_nothing_costs_the_others_nothing_and_goes_on_when_it_wakes() {
    let (node, link) = start(config("127.0.0.1")).await;
    let publisher = join(&link, 1, 9, MediaKind::Video, PICTURE).await;
    let quick = join(&link, 2, 1, MediaKind::Video, None).await;
    let slow = join(&link, 3, 1, MediaKind::Video, None).await;
    for client in [&quick, &slow] {
        client.gets(20);
    }
    slow.orders.sleep.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let mut seen = 0;
    while node.metrics().tcp.dropped < 100 {
        assert!(began.elapsed() < PATIENCE, "nothing is dropped");
        quick.gets(1);
        seen += 1;
    }
    // At the publisher's pace, with much to spare for a busy machine.
    let pace = began.elapsed().as_millis() as usize / 33;
    assert!(seen * 2 > pace, "{seen} frames instead of {pace}");
    slow.orders.sleep.store(false, Ordering::Relaxed);
    // What it missed is lost to it, but not the stream: repair and a key frame bring it back.
    slow.gets(20);
    for client in [publisher, quick, slow] {
        client.stop();
    }
    node.shutdown().await;
    assert_eq!(node.metrics().rooms_failed, 0);
}

#[tokio::test]
async fn those_who_are_no_peers_are_closed_and_calls_go_on() {
    let (node, link) = start(config("127.0.0.1")).await;
    let first = join(&link, 1, 2, MediaKind::Audio, SOUND).await;
    let second = join(&link, 2, 1, MediaKind::Audio, SOUND).await;
    first.gets(20);
    let server = SocketAddr::new([127, 0, 0, 1].into(), tcp_port(&link).await);
    // HTTP, TLS, and what begins like a packet and goes on otherwise.
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[22, 3, 1, 0, 0],
        &[0, 2, 128, 0, 99, 99],
    ] {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.write_all(garbage).unwrap();
        is_closed(&mut stream);
    }
    // One says nothing at all, and one a little at a time, whose packet is never whole.
    let mut silent = TcpStream::connect(server).unwrap();
    let mut slow = TcpStream::connect(server).unwrap();
    let began = Instant::now();
    slow.write_all(&[0, 100]).unwrap();
    while began.elapsed() < PATIENCE {
        first.gets(10);
        if slow.write_all(&[1]).is_err() {
            break;
        }
    }
    is_closed(&mut silent);
    assert!(began.elapsed() < PATIENCE);
    for client in [first, second] {
        client.gets(20);
        client.stop();
    }
    node.shutdown().await;
}

#[tokio::test]
async fn connections_are_limited_and_calls_are_not_touched() {
    let limits = NodeConfig {
        tcp_connections_max: 80,
        ..config("127.0.0.1")
    };
    let (node, link) = start(limits).await;
    let peers = [
        join(&link, 1, 2, MediaKind::Audio, SOUND).await,
        join(&link, 2, 1, MediaKind::Audio, SOUND).await,
    ];
    peers.iter().for_each(|client| client.gets(20));
    let tcp = SocketAddr::new([127, 0, 0, 1].into(), tcp_port(&link).await);
    let mut strangers: Vec<TcpStream> = (0..32).map(|_| TcpStream::connect(tcp).unwrap()).collect();
    for _ in 0..3 {
        is_closed(&mut TcpStream::connect(tcp).unwrap());
    }
    // When one goes there is room for another, and calls are not touched.
    strangers.pop();
    peers.iter().for_each(|client| client.gets(20));
    while node.metrics().tcp.connections != 2 + 31 {
        peers[0].gets(1);
    }
    let mut another = TcpStream::connect(tcp).unwrap();
    another.write_all(&[99, 99]).unwrap();
    is_closed(&mut another);
    assert_eq!(node.metrics().tcp.refused, 3);
    peers.into_iter().for_each(Running::stop);
    node.shutdown().await;
}

/// Asks for an answer, only to see where connections are taken.
async fn tcp_port(link: &Link) -> u16 {
    let mut probe = Client::over_tcp(Instant::now(), SocketAddr::from(([192, 0, 2, 3], 9)));
    let (offer, _) = probe.offer(&[(MediaKind::Audio, Direction::RecvOnly)]);
    let negotiate = MediaCommand::Negotiate {
        room: ROOM,
        peer: PeerId([3; 16]),
        offer,
        publish: Vec::new(),
        subscribe: Vec::new(),
    };
    let MediaReply::Answer { sdp } = link.send(negotiate).await.unwrap() else {
        panic!("an offer gets an answer");
    };
    tcp_candidate(&sdp).map_or(0, |address| address.port())
}

#[tokio::test]
async fn switched_off_nothing_listens_and_a_port_of_its_own_can_be_given() {
    let off = NodeConfig {
        tcp: false,
        ..config("127.0.0.1")
    };
    let (node, link) = start(off).await;
    assert_eq!(tcp_port(&link).await, 0);
    node.shutdown().await;
    let (node, link) = start(config("127.0.0.1")).await;
    let port = tcp_port(&link).await;
    assert_eq!(port, node.addresses()[0].port(), "the UDP port's number");
    let taken = NodeConfig {
        tcp_port: Some(port),
        ..config("127.0.0.1")
    };
    let words = Node::start(taken).err().unwrap().to_string();
    assert!(
        words.contains(&port.to_string()) && words.contains("set tcp_port"),
        "{words}"
    );
    node.shutdown().await;
}
