//! Peers made of `str0m` on sockets of their own, which join a room over HTTP and talk.

#[allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "shared with the engine's scenarios, which use more of it"
)]
#[path = "../../../media/engine/tests/support/client.rs"]
mod client;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use str0m::media::{Direction, MediaKind, Mid};

use self::client::Client;
use super::admin::{MediaNode, id};
use crate::people::PATIENCE;

/// How often the figures are looked at while the peers talk.
const LOOK: Duration = Duration::from_millis(200);

struct Peer {
    client: Client,
    /// What it joined with.
    offer: Value,
    socket: UdpSocket,
    sends: Mid,
    hears: Vec<Mid>,
}

/// A room in which everybody talks to everybody.
pub(super) struct Room<'a> {
    node: &'a MediaNode,
    id: String,
    peers: Vec<Peer>,
}

impl<'a> Room<'a> {
    /// Peers that are each other's company.
    pub(super) fn join_all(node: &'a MediaNode, room: String, numbers: &[u8]) -> Self {
        let join = |number: &u8| {
            let others: Vec<u8> = numbers.iter().copied().filter(|n| n != number).collect();
            let (mut peer, body) = offer(*number, &others);
            let path = format!("/v1/rooms/{room}/peers/{}", id(*number));
            let answer = node.ask("PUT", &path, &body);
            assert_eq!(answer.status, 200);
            let answer = answer.json();
            peer.client
                .accept(answer["answer"].as_str().expect("an answer"));
            peer
        };
        let peers = numbers.iter().map(join).collect();
        Self {
            node,
            id: room,
            peers,
        }
    }

    /// A peer that was the `nth` to join offers the same once more.
    pub(super) fn offer_again(&self, nth: usize, number: u8) {
        let path = format!("/v1/rooms/{}/peers/{}", self.id, id(number));
        let answer = self.node.ask("PUT", &path, &self.peers[nth].offer);
        assert_eq!(answer.status, 200);
    }

    /// The track that a peer publishes.
    pub(super) fn track(number: u8) -> String {
        id(0xa0 + number)
    }

    /// Frames that the one who heard least from another heard from them.
    pub(super) fn least_heard(&self) -> usize {
        let heard = |peer: &Peer| {
            let counts = peer
                .hears
                .iter()
                .map(|mid| peer.client.received(*mid).len());
            counts.min().unwrap_or(0)
        };
        self.peers.iter().map(heard).min().unwrap_or(0)
    }

    /// Everybody talks until it is so; `so` sees the figures of the peers in the order of their ids.
    pub(super) fn talk_until(&mut self, what: &str, so: impl Fn(&Self, &[Value]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let (mut speak_at, mut look_at) = (Instant::now(), Instant::now());
        loop {
            let now = Instant::now();
            assert!(now < deadline, "waited too long until {what}");
            let speaks = speak_at <= now;
            if speaks {
                speak_at = now + Duration::from_millis(20);
            }
            for peer in &mut self.peers {
                peer.turn(speaks);
            }
            if look_at <= now {
                look_at = now + LOOK;
                if so(self, &self.node.figures(&self.id)) {
                    return;
                }
            }
        }
    }
}

impl Peer {
    fn turn(&mut self, speaks: bool) {
        if speaks && self.client.connected {
            self.client.send(Instant::now(), self.sends, &[7; 80]);
        }
        self.client.timeout(Instant::now());
        let (datagrams, _) = self.client.poll(Instant::now());
        for datagram in datagrams {
            self.socket
                .send_to(&datagram.bytes, datagram.to)
                .expect("the loopback takes it");
        }
        let mut buffer = [0; 2_000];
        while let Ok((len, source)) = self.socket.recv_from(&mut buffer) {
            let here = self.client.address;
            self.client
                .receive(Instant::now(), source, here, &buffer[..len]);
        }
    }
}

/// The body with which a peer joins.
pub(super) fn offer_body(number: u8, others: &[u8]) -> Value {
    offer(number, others).1
}

fn offer(number: u8, others: &[u8]) -> (Peer, Value) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    // Short enough that several peers on one thread talk evenly.
    socket
        .set_read_timeout(Some(Duration::from_millis(1)))
        .expect("a socket of ours");
    let address = socket.local_addr().expect("a socket of ours");
    let mut client = Client::new(Instant::now(), address);
    let mut wanted = vec![(MediaKind::Audio, Direction::SendOnly)];
    wanted.extend(
        others
            .iter()
            .map(|_| (MediaKind::Audio, Direction::RecvOnly)),
    );
    let (sdp, mids) = client.offer(&wanted);
    let section =
        |mid: &Mid, number: u8| json!({"mid": mid.to_string(), "track": Room::track(number)});
    let subscribe = mids[1..].iter().zip(others);
    let subscribe: Vec<Value> = subscribe.map(|(mid, other)| section(mid, *other)).collect();
    let body = json!({
        "offer": sdp,
        "publish": [section(&mids[0], number)],
        "subscribe": subscribe,
    });
    let peer = Peer {
        client,
        offer: body.clone(),
        socket,
        sends: mids[0],
        hears: mids[1..].to_vec(),
    };
    (peer, body)
}
