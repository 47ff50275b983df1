//! An engine, clients and a network, moved forward together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use homeline_media_engine::{Engine, EngineConfig, EngineId, Identity, Output, Protocol};
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{
    MediaCommand, MediaError, MediaEvent, MediaReply, PeerStatistics, Publish, Subscribe,
};
use str0m::media::{Direction, MediaKind, Mid};

use super::client::{Beside, Client, descriptor};
use super::network::Network;
use super::parts::{Part, Told, Ways};

pub const ROOM: RoomId = RoomId([1; 16]);
pub const SERVER: &str = "10.0.0.1:5000";
/// Where clients open connections, for a world whose configuration has this candidate.
pub const SERVER_TCP: &str = "10.0.0.1:5001";
/// Beside [`SERVER`], for a world whose configuration has this candidate.
pub const SERVER_V6: &str = "[fd00::1]:5000";

pub fn peer(number: u8) -> PeerId {
    PeerId([number; 16])
}

pub fn track(number: u8) -> TrackId {
    TrackId([number; 16])
}

pub fn identity() -> Identity {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    Identity::new(certificate.der().to_vec(), key.serialize_der()).unwrap()
}

/// A section that sends a frame of `len` bytes at every interval.
struct Sender {
    client: u8,
    mid: Mid,
    interval: Duration,
    len: usize,
    due: Instant,
    count: u64,
    beside: Beside,
}

pub struct World {
    pub now: Instant,
    pub engine: Engine,
    pub clients: BTreeMap<u8, Client>,
    pub network: Network,
    pub events: Vec<MediaEvent>,
    senders: Vec<Sender>,
    /// Clients that nothing reaches and that reach nobody.
    pub cut_off: Vec<u8>,
    /// Damaged copies that reach the engine before every genuine datagram, from the same address.
    pub forgeries: usize,
    engine_due: Instant,
    /// Engines beside the first, numbered from 1 on, and the clients whose peers are in theirs.
    pub parts: Vec<Part>,
    pub homes: BTreeMap<u8, usize>,
    pub ways: Ways,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with_config(seed, EngineConfig::default())
    }

    pub fn with_config(seed: u64, config: EngineConfig) -> Self {
        let now = Instant::now();
        let config = EngineConfig {
            candidates: match &config.candidates[..] {
                [] => vec![SERVER.parse().unwrap()],
                given => given.to_vec(),
            },
            unix_time: Duration::from_secs(1_800_000_000),
            ..config
        };
        let mut engine = Engine::new(config, identity(), [seed as u8; 32], now);
        engine
            .handle_command(now, MediaCommand::CreateRoom { room: ROOM })
            .unwrap();
        Self {
            now,
            engine,
            clients: BTreeMap::new(),
            network: Network::new(seed),
            events: Vec::new(),
            senders: Vec::new(),
            cut_off: Vec::new(),
            forgeries: 0,
            engine_due: now,
            parts: Vec::new(),
            homes: BTreeMap::new(),
            ways: Ways::new(),
        }
    }

    /// Another engine gets a part of the room.
    pub fn add_part(&mut self, seed: u64, config: &EngineConfig) {
        let number = self.parts.len() as u16 + 1;
        let config = EngineConfig {
            unix_time: Duration::from_secs(1_800_000_000),
            ..config.clone()
        };
        self.parts.push(Part::new(self.now, number, seed, &config));
        self.drain_engine();
    }

    /// The engine of a number; the first is 0.
    pub fn engine_at(&mut self, at: usize) -> &mut Engine {
        match at.checked_sub(1) {
            None => &mut self.engine,
            Some(part) => &mut self.parts[part].engine,
        }
    }

    /// A command to the engine that has a client's peer.
    pub fn command_for(
        &mut self,
        number: u8,
        command: MediaCommand,
    ) -> Result<MediaReply, MediaError> {
        let (now, at) = (self.now, self.homes.get(&number).copied().unwrap_or(0));
        let result = self.engine_at(at).handle_command(now, command);
        self.drain_engine();
        result
    }

    pub fn command(&mut self, command: MediaCommand) -> Result<MediaReply, MediaError> {
        let result = self.engine.handle_command(self.now, command);
        self.drain_engine();
        result
    }

    pub fn add_client(&mut self, number: u8) {
        let address: SocketAddr = format!("10.0.1.{number}:4000").parse().unwrap();
        self.clients.insert(number, Client::new(self.now, address));
    }

    /// A client that is no more, without a word to anybody.
    pub fn forget_client(&mut self, number: u8) {
        self.clients.remove(&number);
        self.senders.retain(|sender| sender.client != number);
        self.cut_off.retain(|cut| *cut != number);
    }

    /// A client that describes its frames.
    pub fn add_describing_client(&mut self, number: u8) {
        let address: SocketAddr = format!("10.0.1.{number}:4000").parse().unwrap();
        let client = Client::with(self.now, address, |config| {
            config.set_extension(12, descriptor::extension())
        });
        self.clients.insert(number, client);
    }

    pub fn client(&mut self, number: u8) -> &mut Client {
        self.clients.get_mut(&number).expect("the client was added")
    }

    /// Sends a client's offer and gives it the answer.
    pub fn negotiate(
        &mut self,
        number: u8,
        offer: String,
        publish: &[(Mid, u8)],
        subscribe: &[(Mid, u8)],
    ) -> String {
        let publish = publish
            .iter()
            .map(|(mid, id)| Publish {
                mid: mid.to_string(),
                track: track(*id),
            })
            .collect();
        let subscribe = subscribe
            .iter()
            .map(|(mid, id)| Subscribe {
                mid: mid.to_string(),
                track: track(*id),
            })
            .collect();
        let command = MediaCommand::Negotiate {
            room: ROOM,
            peer: peer(number),
            offer,
            publish,
            subscribe,
        };
        let answer = self.command_for(number, command);
        let MediaReply::Answer { sdp } = answer.expect("the offer is answered") else {
            panic!("an offer gets an answer");
        };
        self.client(number).accept(&sdp);
        sdp
    }

    /// A client that publishes and receives one track of each kind named, in one offer. Returns the mids of
    /// the published and of the received sections.
    pub fn join(
        &mut self,
        number: u8,
        publish: &[(MediaKind, u8)],
        subscribe: &[(MediaKind, u8)],
    ) -> (Vec<Mid>, Vec<Mid>) {
        self.add_client(number);
        self.join_added(number, publish, subscribe)
    }

    /// Like [`Self::join`], for a client that was added.
    pub fn join_added(
        &mut self,
        number: u8,
        publish: &[(MediaKind, u8)],
        subscribe: &[(MediaKind, u8)],
    ) -> (Vec<Mid>, Vec<Mid>) {
        let sends = publish.iter().map(|(kind, _)| (*kind, Direction::SendOnly));
        let receives = subscribe
            .iter()
            .map(|(kind, _)| (*kind, Direction::RecvOnly));
        let wanted: Vec<_> = sends.chain(receives).collect();
        let (offer, mids) = self.client(number).offer(&wanted);
        let (sending, receiving) = mids.split_at(publish.len());
        let pair = |mids: &[Mid], tracks: &[(MediaKind, u8)]| -> Vec<(Mid, u8)> {
            mids.iter()
                .copied()
                .zip(tracks.iter().map(|(_, id)| *id))
                .collect()
        };
        self.negotiate(
            number,
            offer,
            &pair(sending, publish),
            &pair(receiving, subscribe),
        );
        (sending.to_vec(), receiving.to_vec())
    }

    pub fn forward(&mut self, number: u8, on: bool) {
        let command = MediaCommand::SetForwarding {
            room: ROOM,
            peer: peer(number),
            on,
        };
        assert_eq!(self.command_for(number, command), Ok(MediaReply::Done));
    }

    pub fn statistics(&mut self) -> Vec<PeerStatistics> {
        match self.command(MediaCommand::Statistics { room: ROOM }) {
            Ok(MediaReply::Statistics(statistics)) => statistics,
            other => panic!("{other:?}"),
        }
    }

    /// From now on a section sends; audio in 80 bytes every 20 ms, video in 3,000 bytes every 33 ms.
    pub fn start_sending(&mut self, client: u8, mid: Mid, kind: MediaKind) {
        let (interval, len) = match kind {
            MediaKind::Audio => (Duration::from_millis(20), 80),
            MediaKind::Video => (Duration::from_millis(33), 3_000),
        };
        self.senders.push(Sender {
            client,
            mid,
            interval,
            len,
            due: self.now,
            count: 0,
            beside: Beside::default(),
        });
    }

    /// What is said of the frames of a section from now on; of a picture, once that the next is a key frame.
    pub fn say_beside(&mut self, client: u8, mid: Mid, beside: Beside) {
        let mut senders = self.senders.iter_mut();
        let sender = senders.find(|sender| sender.client == client && sender.mid == mid);
        sender.expect("the section sends").beside = beside;
    }

    /// Like [`Self::start_sending`], with frames of one packet and descriptors; the first is a key frame.
    pub fn start_describing(&mut self, client: u8, mid: Mid) {
        self.start_sending(client, mid, MediaKind::Video);
        if let Some(sender) = self.senders.last_mut() {
            sender.len = 1_000;
        }
        self.send_key_frame(client, mid);
    }

    pub fn send_key_frame(&mut self, client: u8, mid: Mid) {
        let beside = Beside {
            key: Some(true),
            level: None,
        };
        self.say_beside(client, mid, beside);
    }

    pub fn stop_sending(&mut self) {
        self.senders.clear();
    }

    pub fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        self.run_until(until, |_| false);
    }

    /// Runs until `done` or the end of time; says whether it was done.
    pub fn run_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            let next_client = self.drain_all();
            if done(self) {
                return true;
            }
            let senders = self.senders.iter().map(|sender| sender.due);
            let waiting = [
                self.network.next_at(),
                self.ways.next_at(),
                next_client,
                Some(self.engine_due),
            ];
            let parts = self.parts.iter().map(|part| part.due);
            let next = waiting
                .into_iter()
                .flatten()
                .chain(senders)
                .chain(parts)
                .min()
                .expect("never idle");
            if next > until {
                self.now = until;
                return false;
            }
            // A client may ask for a time that has passed.
            self.now = self.now.max(next);
            self.step();
        }
    }

    pub fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let until = self.now + Duration::from_secs(10);
        assert!(self.run_until(until, done), "within ten seconds: {what}");
    }

    pub fn wait_connected(&mut self) {
        self.wait("all connected", |world| {
            world.clients.values().all(|client| client.connected)
        });
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some((from, to, mut bytes)) = self.network.take_arrived(now) {
            if to == SERVER.parse::<SocketAddr>().unwrap()
                || to == SERVER_V6.parse::<SocketAddr>().unwrap()
            {
                self.engine.handle_datagram(now, to, from, &mut bytes);
                self.drain_engine();
            } else if to == SERVER_TCP.parse::<SocketAddr>().unwrap() {
                self.engine.handle_framed(now, to, from, &mut bytes);
                self.drain_engine();
            } else if let Some(part) = self.parts.iter_mut().find(|part| part.address == to) {
                part.engine.handle_datagram(now, to, from, &mut bytes);
                self.drain_engine();
            } else {
                self.deliver(from, to, &bytes);
                // A client in RTP mode tells of one packet before it takes the next.
                if self.clients.values().any(|client| client.tells_packets) {
                    break;
                }
            }
        }
        while let Some((from, EngineId(to), told)) = self.ways.take(now) {
            let engine = self.engine_at(usize::from(to));
            match told {
                Told::News(news) => engine.handle_news(now, EngineId(from), *news),
                Told::Message(bytes) => engine.handle_message(now, EngineId(from), &bytes),
            }
            self.drain_engine();
        }
        for sender in &mut self.senders {
            if sender.due <= now
                && let Some(client) = self.clients.get_mut(&sender.client)
            {
                sender.due += sender.interval;
                sender.count += 1;
                let data = frame(sender.client, sender.count, sender.len);
                client.send_with(now, sender.mid, &data, &sender.beside);
                sender.beside.key = sender.beside.key.map(|_| false);
            }
        }
        for client in self.clients.values_mut() {
            client.timeout(now);
        }
        if self.engine_due <= now {
            self.engine.handle_timeout(now);
        }
        for part in self.parts.iter_mut().filter(|part| part.due <= now) {
            part.engine.handle_timeout(now);
        }
        self.drain_engine();
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let protocol = if from == SERVER_TCP.parse().unwrap() {
            str0m::net::Protocol::Tcp
        } else {
            str0m::net::Protocol::Udp
        };
        for client in self.clients.values_mut() {
            let destination = if client.outside() == to {
                client.address
            } else if client.second == Some(to) {
                to
            } else {
                continue;
            };
            client.receive_over(protocol, self.now, from, destination, bytes);
        }
    }

    fn drain_all(&mut self) -> Option<Instant> {
        self.drain_engine();
        let mut next: Option<Instant> = None;
        for (number, client) in &mut self.clients {
            let (datagrams, at) = client.poll(self.now);
            next = Some(next.map_or(at, |next| next.min(at)));
            for datagram in datagrams {
                if self.cut_off.contains(number) {
                    continue;
                }
                let from = match client.nat {
                    Some(outside) if datagram.from == client.address => outside,
                    _ => datagram.from,
                };
                for _ in 0..self.forgeries {
                    let bytes = damaged(&mut self.network, &datagram.bytes);
                    self.network.send(self.now, from, datagram.to, bytes);
                }
                self.network
                    .send(self.now, from, datagram.to, datagram.bytes);
            }
        }
        next
    }

    pub fn drain_engine(&mut self) {
        for at in 0..=self.parts.len() {
            self.drain_engine_at(at);
        }
    }

    fn drain_engine_at(&mut self, number: usize) {
        loop {
            let engine = match number.checked_sub(1) {
                None => &mut self.engine,
                Some(part) => &mut self.parts[part].engine,
            };
            match engine.poll_output() {
                Output::Timeout(at) => {
                    match number.checked_sub(1) {
                        None => self.engine_due = at,
                        Some(part) => self.parts[part].due = at,
                    }
                    return;
                }
                Output::News(to, news) => {
                    let told = Told::News(Box::new(news));
                    self.ways.send(self.now, number as u16, to, told);
                }
                Output::Message(to, message) => {
                    let told = Told::Message(message.to_vec());
                    self.ways.send(self.now, number as u16, to, told);
                }
                Output::Event(event) => self.events.push(event),
                Output::Transmit(transmit) => {
                    let to = transmit.remote;
                    let is_framed = transmit.local == SERVER_TCP.parse().unwrap();
                    assert_eq!(transmit.protocol == Protocol::Tcp, is_framed);
                    let is_cut = self
                        .cut_off
                        .iter()
                        .any(|number| self.clients[number].outside() == to);
                    if !is_cut {
                        for datagram in transmit.datagrams() {
                            let bytes = datagram.to_vec();
                            self.network.send(self.now, transmit.local, to, bytes);
                        }
                    }
                }
            }
        }
    }
}

fn damaged(network: &mut Network, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=network.random() % 4 {
        let at = network.random() as usize % bytes.len();
        match network.random() % 4 {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.extend_from_within(at..),
            _ => bytes[at] ^= 1 << (network.random() % 8),
        }
    }
    bytes
}

/// A frame that says who sent it and which it is.
pub fn frame(client: u8, count: u64, len: usize) -> Vec<u8> {
    let mut data = vec![client; len];
    data[..8].copy_from_slice(&count.to_be_bytes());
    data
}

/// The number in a frame.
pub fn count_of(data: &[u8]) -> u64 {
    u64::from_be_bytes(data[..8].try_into().unwrap())
}
