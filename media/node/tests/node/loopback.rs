//! Calls between `str0m` clients through a running node, over real sockets on the loopback.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use homeline_media_node::{Link, Node, NodeConfig, OperatingPoint};
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{
    MediaCommand, MediaError, MediaEvent, MediaReply, Publish, Subscribe,
};
use str0m::media::{Direction, MediaKind, Mid};

use crate::client::{Client, Frame};

const ROOM: RoomId = RoomId([9; 16]);
const AUDIO_FRAMES: usize = 50;
const VIDEO_FRAMES: usize = 30;

fn peer(number: u8) -> PeerId {
    PeerId([number; 16])
}

fn config(address: IpAddr) -> NodeConfig {
    NodeConfig {
        bind: vec![address],
        advertised_addresses: vec![address],
        udp_port: 0,
        ..NodeConfig::default()
    }
}

/// A room for each worker.
fn rooms(count: u8) -> Vec<RoomId> {
    (0..count).map(|number| RoomId([9 + number; 16])).collect()
}

/// A client on its own socket and thread, which drops some of the media that it gets and sends.
struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Client>,
    received: std::sync::mpsc::Receiver<(Mid, Frame)>,
}

struct Joining {
    client: Client,
    socket: UdpSocket,
    sends: Vec<(Mid, MediaKind)>,
    hears: Vec<(Mid, MediaKind)>,
    /// Where the answer says that the node is.
    server: SocketAddr,
}

/// The first candidate of an answer.
fn candidate(sdp: &str) -> SocketAddr {
    let line = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=candidate:"))
        .unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    SocketAddr::new(words[4].parse().unwrap(), words[5].parse().unwrap())
}

/// Publishes and receives one track of each kind. Track ids are the kind's letter and the publisher.
async fn join(link: &Link, room: RoomId, number: u8, other: u8, address: IpAddr) -> Joining {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    let mut client = Client::new(Instant::now(), socket.local_addr().unwrap());
    let kinds = [MediaKind::Audio, MediaKind::Video];
    let wanted: Vec<_> = [Direction::SendOnly, Direction::RecvOnly]
        .into_iter()
        .flat_map(|direction| kinds.map(|kind| (kind, direction)))
        .collect();
    let (offer, mids) = client.offer(&wanted);
    let track = |kind: MediaKind, of: u8| TrackId([kind.is_audio() as u8 * 100 + of; 16]);
    let section = |at: usize| (mids[at].to_string(), kinds[at % 2]);
    let publish = [0, 1]
        .map(section)
        .map(|(mid, kind)| Publish {
            mid,
            track: track(kind, number),
        })
        .to_vec();
    let subscribe = [2, 3]
        .map(section)
        .map(|(mid, kind)| Subscribe {
            mid,
            track: track(kind, other),
        })
        .to_vec();
    let negotiate = MediaCommand::Negotiate {
        room,
        peer: peer(number),
        offer,
        publish,
        subscribe,
    };
    let MediaReply::Answer { sdp } = link.send(negotiate).await.unwrap() else {
        panic!("an offer gets an answer");
    };
    client.accept(&sdp);
    let server = candidate(&sdp);
    let on = MediaCommand::SetForwarding {
        room,
        peer: peer(number),
        on: true,
    };
    assert_eq!(link.send(on).await, Ok(MediaReply::Done));
    let pair = |at: usize| (mids[at], kinds[at % 2]);
    Joining {
        client,
        socket,
        sends: vec![pair(0), pair(1)],
        hears: vec![pair(2), pair(3)],
        server,
    }
}

impl Joining {
    fn run(self, lose_one_in: u64) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let (report, received) = std::sync::mpsc::channel();
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            drive(
                self.client,
                &self.socket,
                &self.sends,
                lose_one_in,
                &stopping,
                &report,
            )
        });
        Running {
            stop,
            thread,
            received,
        }
    }
}

fn drive(
    mut client: Client,
    socket: &UdpSocket,
    sends: &[(Mid, MediaKind)],
    lose_one_in: u64,
    stopping: &AtomicBool,
    report: &std::sync::mpsc::Sender<(Mid, Frame)>,
) -> Client {
    let mut buffer = vec![0; 2_000];
    let mut due: Vec<(Instant, u64)> = sends.iter().map(|_| (Instant::now(), 0)).collect();
    let mut media_count = 0_u64;
    let mut lost = |datagram: &[u8]| {
        let is_media = (128..192).contains(&datagram[0]);
        media_count += u64::from(is_media);
        is_media && lose_one_in > 0 && media_count.is_multiple_of(lose_one_in)
    };
    while !stopping.load(Ordering::Relaxed) {
        let (datagrams, _) = client.poll(Instant::now());
        for datagram in datagrams {
            if !lost(&datagram.bytes) {
                socket.send_to(&datagram.bytes, datagram.to).unwrap();
            }
        }
        for (mid, frames) in &mut client.frames {
            for frame in frames.drain(..) {
                // The test may have seen enough and gone on.
                report.send((*mid, frame)).ok();
            }
        }
        socket
            .set_read_timeout(Some(Duration::from_millis(2)))
            .unwrap();
        if let Ok((len, source)) = socket.recv_from(&mut buffer)
            && !lost(&buffer[..len])
        {
            let here = socket.local_addr().unwrap();
            client.receive(Instant::now(), source, here, &buffer[..len]);
        }
        let now = Instant::now();
        for ((mid, kind), (at, count)) in sends.iter().zip(&mut due) {
            if *at <= now && client.connected {
                let (len, interval) = if kind.is_audio() {
                    (80, 20)
                } else {
                    (3_000, 33)
                };
                *at = now + Duration::from_millis(interval);
                *count += 1;
                let mut data = vec![7; len];
                data[..8].copy_from_slice(&count.to_be_bytes());
                client.send(now, *mid, &data);
            }
        }
        client.timeout(Instant::now());
    }
    client
}

/// Waits for frames of both kinds and returns them by section.
fn gather(running: &Running, hears: &[(Mid, MediaKind)]) -> Vec<Vec<Frame>> {
    let mut frames: Vec<Vec<Frame>> = vec![Vec::new(); hears.len()];
    let enough = |frames: &[Vec<Frame>]| {
        frames.iter().zip(hears).all(|(frames, (_, kind))| {
            frames.len()
                >= if kind.is_audio() {
                    AUDIO_FRAMES
                } else {
                    VIDEO_FRAMES
                }
        })
    };
    while !enough(&frames) {
        let wait = Duration::from_secs(20);
        let (mid, frame) = running
            .received
            .recv_timeout(wait)
            .expect("frames keep coming");
        if let Some(at) = hears.iter().position(|(heard, _)| *heard == mid) {
            frames[at].push(frame);
        }
    }
    frames
}

async fn exchange(address: IpAddr, lose_one_in: u64) -> (Node, Link) {
    let (node, link) = Node::start(config(address)).unwrap();
    exchange_through(node, link, address, lose_one_in).await
}

async fn exchange_through(
    node: Node,
    mut link: Link,
    address: IpAddr,
    lose_one_in: u64,
) -> (Node, Link) {
    link.send(MediaCommand::CreateRoom { room: ROOM })
        .await
        .unwrap();
    let first = join(&link, ROOM, 1, 2, address).await;
    let second = join(&link, ROOM, 2, 1, address).await;
    let (hears_first, hears_second) = (first.hears.clone(), second.hears.clone());
    let (first, second) = (first.run(lose_one_in), second.run(lose_one_in));
    for (running, hears) in [(&first, &hears_first), (&second, &hears_second)] {
        for (frames, (_, kind)) in gather(running, hears).iter().zip(hears) {
            let whole = frames
                .iter()
                .all(|frame| frame.data.iter().skip(8).all(|b| *b == 7));
            assert!(whole, "every {kind} frame arrives as it was sent");
        }
    }
    for _ in 0..2 {
        let event = link.events.recv().await.unwrap();
        assert!(
            matches!(event, MediaEvent::PeerConnected { room: ROOM, .. }),
            "{event:?}"
        );
    }
    for running in [first, second] {
        running.stop.store(true, Ordering::Relaxed);
        running.thread.join().unwrap();
    }
    (node, link)
}

#[tokio::test]
async fn two_clients_exchange_sound_and_picture_over_ipv4() {
    let (node, link) = exchange("127.0.0.1".parse().unwrap(), 0).await;
    node.shutdown().await;
    let metrics = node.metrics();
    assert!(metrics.counters.rtp_forwarded >= 2 * (AUDIO_FRAMES + VIDEO_FRAMES) as u64);
    // Each copy counts, and nothing else that is sent; a picture that the pacer holds back does not.
    let inside = metrics.transit;
    assert!(inside.count() > AUDIO_FRAMES as u64 && inside.quantile_micros(0.5).is_some());
    assert!(inside.count() <= metrics.counters.rtp_forwarded);
    assert_eq!((metrics.send_errors, metrics.rooms_failed), (0, 0));
    let gone = link.send(MediaCommand::CreateRoom { room: ROOM }).await;
    assert_eq!(gone, Err(MediaError::Gone));
}

#[tokio::test]
async fn two_clients_exchange_sound_and_picture_over_ipv6() {
    let (node, _link) = exchange("::1".parse().unwrap(), 0).await;
    node.shutdown().await;
}

/// An exchange through a node as `change` makes it.
async fn exchange_as(change: impl FnOnce(&mut NodeConfig)) -> homeline_media_node::NodeMetrics {
    let address = "127.0.0.1".parse().unwrap();
    let mut config = config(address);
    change(&mut config);
    let (node, link) = Node::start(config).unwrap();
    let (node, _link) = exchange_through(node, link, address, 0).await;
    node.shutdown().await;
    let metrics = node.metrics();
    assert_eq!((metrics.send_errors, metrics.rooms_failed), (0, 0));
    metrics
}

#[tokio::test]
async fn with_economy_the_packets_of_a_frame_are_sent_as_trains() {
    let metrics = exchange_as(|config| config.operating_point = OperatingPoint::Economy).await;
    // Three packets to a frame, and fifty packets of sound for every thirty frames.
    let (calls, datagrams) = (metrics.send_calls, metrics.counters.datagrams_out);
    assert!(calls * 10 < datagrams * 8, "{calls} calls for {datagrams}");
}

#[tokio::test]
async fn without_the_offload_every_datagram_is_sent_by_itself() {
    let metrics = exchange_as(|config| config.segmentation_offload = false).await;
    assert_eq!(metrics.send_calls, metrics.counters.datagrams_out);
}

#[tokio::test]
async fn rooms_are_spread_over_workers_with_a_port_each() {
    let address = "127.0.0.1".parse().unwrap();
    let (node, link) = Node::start(NodeConfig {
        workers: NonZeroU16::new(2).unwrap(),
        ..config(address)
    })
    .unwrap();
    assert_eq!(node.addresses().len(), 2);
    let mut servers = HashSet::new();
    let mut running = Vec::new();
    for room in rooms(2) {
        link.send(MediaCommand::CreateRoom { room }).await.unwrap();
        let first = join(&link, room, 1, 2, address).await;
        let second = join(&link, room, 2, 1, address).await;
        for joining in [first, second] {
            servers.insert(joining.server);
            let hears = joining.hears.clone();
            running.push((joining.run(0), hears));
        }
    }
    assert_eq!(servers, node.addresses().iter().copied().collect());
    for (running, hears) in &running {
        assert!(
            gather(running, hears)
                .iter()
                .all(|frames| !frames.is_empty())
        );
    }
    // Only now: whoever stops is no longer heard by the other in its room.
    for (running, _) in running {
        running.stop.store(true, Ordering::Relaxed);
        running.thread.join().unwrap();
    }
    node.shutdown().await;
    let metrics = node.metrics();
    let one_room = 2 * (AUDIO_FRAMES + VIDEO_FRAMES) as u64;
    assert!(
        metrics.counters.rtp_forwarded >= 2 * one_room,
        "both workers count"
    );
    let gone = link.send(MediaCommand::CreateRoom { room: ROOM }).await;
    assert_eq!(gone, Err(MediaError::Gone));
}

/// A peer that publishes one track of each kind and receives those of others.
async fn join_all(link: &Link, number: u8, others: &[u8], address: IpAddr) -> Joining {
    let room = ROOM;
    let socket = UdpSocket::bind((address, 0)).unwrap();
    let mut client = Client::new(Instant::now(), socket.local_addr().unwrap());
    let kinds = [MediaKind::Audio, MediaKind::Video];
    let track = |kind: MediaKind, of: u8| TrackId([kind.is_audio() as u8 * 100 + of; 16]);
    let mut wanted: Vec<(MediaKind, Direction, u8)> = Vec::new();
    for kind in kinds {
        wanted.push((kind, Direction::SendOnly, number));
        let others = others.iter().filter(|other| **other != number);
        wanted.extend(others.map(|other| (kind, Direction::RecvOnly, *other)));
    }
    let sections: Vec<_> = wanted
        .iter()
        .map(|(kind, direction, _)| (*kind, *direction))
        .collect();
    let (offer, mids) = client.offer(&sections);
    let of = |direction: Direction| {
        let all = mids.iter().zip(&wanted);
        all.filter(move |(_, (_, other, _))| *other == direction)
    };
    let publish = of(Direction::SendOnly).map(|(mid, (kind, _, from))| Publish {
        mid: mid.to_string(),
        track: track(*kind, *from),
    });
    let subscribe = of(Direction::RecvOnly).map(|(mid, (kind, _, from))| Subscribe {
        mid: mid.to_string(),
        track: track(*kind, *from),
    });
    let negotiate = MediaCommand::Negotiate {
        room,
        peer: peer(number),
        offer,
        publish: publish.collect(),
        subscribe: subscribe.collect(),
    };
    let MediaReply::Answer { sdp } = link.send(negotiate).await.unwrap() else {
        panic!("an offer gets an answer");
    };
    // Sound and picture of somebody are played in step, on whichever thread they are.
    for (_, (_, _, from)) in of(Direction::RecvOnly).filter(|(_, (_, _, from))| *from < number) {
        let stream = format!("a=msid:{} ", peer(*from));
        assert_eq!(
            sdp.matches(&stream).count(),
            2,
            "{from} for {number}: {sdp}"
        );
    }
    client.accept(&sdp);
    let on = MediaCommand::SetForwarding {
        room,
        peer: peer(number),
        on: true,
    };
    assert_eq!(link.send(on).await, Ok(MediaReply::Done));
    let pairs = |direction| {
        let all = of(direction);
        all.map(|(mid, (kind, _, _))| (*mid, *kind)).collect()
    };
    Joining {
        sends: pairs(Direction::SendOnly),
        hears: pairs(Direction::RecvOnly),
        client,
        socket,
        server: candidate(&sdp),
    }
}

#[tokio::test]
async fn a_room_with_more_peers_than_one_worker_takes_spans_two_and_comes_back() {
    let address = "127.0.0.1".parse().unwrap();
    let (node, mut link) = Node::start(NodeConfig {
        workers: NonZeroU16::new(2).unwrap(),
        room_peers_per_worker_max: 2,
        ..config(address)
    })
    .unwrap();
    let room = ROOM;
    link.send(MediaCommand::CreateRoom { room }).await.unwrap();
    let mut running = Vec::new();
    let mut servers = Vec::new();
    for number in 1..=4 {
        let joining = join_all(&link, number, &[1, 2, 3, 4], address).await;
        servers.push(joining.server);
        let hears = joining.hears.clone();
        running.push((joining.run(0), hears));
    }
    let places: HashSet<SocketAddr> = servers.iter().copied().collect();
    assert_eq!(places, node.addresses().iter().copied().collect());
    assert!(servers[0] == servers[1] && servers[2] == servers[3]);
    for (running, hears) in &running {
        for (frames, (_, kind)) in gather(running, hears).iter().zip(hears) {
            let whole = frames
                .iter()
                .all(|frame| frame.data.iter().skip(8).all(|b| *b == 7));
            assert!(whole, "every {kind} frame arrives as it was sent");
        }
    }
    for _ in 0..4 {
        let event = link.events.recv().await.unwrap();
        assert!(
            matches!(event, MediaEvent::PeerConnected { room: ROOM, .. }),
            "{event:?}"
        );
    }

    // It is one room to whoever commands it.
    let statistics = link.send(MediaCommand::Statistics { room }).await;
    let Ok(MediaReply::Statistics(statistics)) = statistics else {
        panic!("{statistics:?}");
    };
    let peers: HashSet<PeerId> = statistics.iter().map(|of| of.peer).collect();
    assert_eq!(peers, (1..=4).map(peer).collect());
    assert!(
        statistics
            .iter()
            .all(|of| of.published.len() == 2 && of.received.len() == 6)
    );
    let all = MediaCommand::RequestKeyFrames { room };
    assert_eq!(link.send(all).await, Ok(MediaReply::Done));

    for (running, _) in running {
        running.stop.store(true, Ordering::Relaxed);
        running.thread.join().unwrap();
    }
    // The second worker's part goes with its peers, and the next peer is at home again.
    for number in 2..=4 {
        let peer = peer(number);
        let removed = link.send(MediaCommand::RemovePeer { room, peer }).await;
        assert_eq!(removed, Ok(MediaReply::Done));
    }
    let fifth = join_all(&link, 5, &[1], address).await;
    assert_eq!(fifth.server, servers[0]);
    let closed = link.send(MediaCommand::CloseRoom { room }).await;
    assert_eq!(closed, Ok(MediaReply::Done));
    node.shutdown().await;
    let metrics = node.metrics();
    assert!(metrics.counters.relayed_in > 4 * (AUDIO_FRAMES + VIDEO_FRAMES) as u64);
    assert_eq!(metrics.counters.relayed_in, metrics.counters.relayed_out);
    assert_eq!((metrics.relay_full, metrics.rooms_failed), (0, 0));
    assert_eq!((metrics.rooms, metrics.peers), (0, 0));
}

#[tokio::test]
async fn loss_on_the_way_is_repaired_in_both_directions() {
    let (node, _link) = exchange("127.0.0.1".parse().unwrap(), 20).await;
    node.shutdown().await;
    let counters = node.metrics().counters;
    assert!(
        counters.nacks_sent > 0,
        "gaps from the publisher are asked for"
    );
    assert!(
        counters.rtp_retransmitted > 0,
        "receivers get again what they missed"
    );
}

#[cfg(feature = "tap")]
#[tokio::test]
async fn the_tap_shows_every_packet_as_the_server_sees_it() {
    let address = "127.0.0.1".parse().unwrap();
    let (sender, seen) = std::sync::mpsc::channel();
    let (node, link) = Node::start_with_tap(config(address), sender).unwrap();
    let (node, _link) = exchange_through(node, link, address, 0).await;
    node.shutdown().await;
    let packets: Vec<Vec<u8>> = seen.try_iter().collect();
    assert_eq!(packets.len() as u64, node.metrics().counters.rtp_in);
    // These clients do not encrypt end to end, so their frames are there to be found.
    let shown = packets
        .iter()
        .filter(|packet| packet.ends_with(&[7; 72]))
        .count();
    assert!(shown >= 2 * AUDIO_FRAMES, "{shown} of {}", packets.len());
}

#[test]
fn a_taken_port_is_said_in_words() {
    let loopback = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let other = UdpSocket::bind((loopback, 0)).unwrap();
    let udp_port = other.local_addr().unwrap().port();
    let refused = Node::start(NodeConfig {
        udp_port,
        ..config(loopback)
    });
    let words = refused.err().unwrap().to_string();
    assert!(words.contains(&udp_port.to_string()), "{words}");
    assert!(words.contains("set udp_port"), "{words}");
}

#[test]
fn the_default_configuration_starts_and_every_field_is_documented() {
    // A test takes a free port: a server may run on this machine.
    let (node, _link) = Node::start(NodeConfig {
        udp_port: 0,
        ..NodeConfig::default()
    })
    .unwrap();
    assert!(!node.addresses().is_empty());
    let schema = schemars::schema_for!(NodeConfig);
    let fields = schema
        .get("properties")
        .and_then(|fields| fields.as_object())
        .unwrap();
    assert!(
        fields
            .values()
            .all(|field| field.get("description").is_some())
    );
    let parsed: NodeConfig = toml::from_str("udp_port = 4000").unwrap();
    assert_eq!(
        parsed,
        NodeConfig {
            udp_port: 4000,
            ..NodeConfig::default()
        }
    );
    assert!(toml::from_str::<NodeConfig>("port = 4000").is_err());
}
