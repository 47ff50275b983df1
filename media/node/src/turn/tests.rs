//! The relay's decisions on a clock of the test's own, without a socket.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use homeline_media_engine::wire::stun::{
    BINDING, Class, IntegrityKey, StunMessage, StunWriter, TransactionId, attribute as stun,
};
use md5::{Digest as _, Md5};
use sha1::Sha1;

use super::attribute;
use super::config::{SharedSecret, TurnConfig};
use super::doors::Doors;
use super::relay::{Client, Now, OUT_LEN, Relay, Verdict};

const SECRET: &str = "north";
const UNIX: u64 = 1_000_000;
const MEDIA: &str = "192.0.2.5:8444";
const FOREIGN: &str = "198.51.100.7:53";

/// One relay and its clients, who sign with what they were given.
struct Scene {
    relay: Relay<()>,
    now: Now,
    out: [u8; OUT_LEN],
    sent: u8,
}

struct Answer {
    class: Class,
    code: Option<u16>,
    bytes: Vec<u8>,
}

impl Scene {
    fn new(config: TurnConfig) -> Self {
        let config = TurnConfig {
            secret: Some(SharedSecret::new(SECRET)),
            ..config
        };
        let advertised = [address(MEDIA).ip(), address("203.0.113.9:0").ip()];
        let bound = [address("0.0.0.0:8444")];
        let doors = Doors::new(&advertised, &bound).unwrap();
        let at = Instant::now();
        Self {
            relay: Relay::new(&config, doors, [7; 32], at),
            now: Now {
                at,
                unix_secs: UNIX,
            },
            out: [0; OUT_LEN],
            sent: 0,
        }
    }

    fn pass(&mut self, secs: u64) {
        self.now.at += Duration::from_secs(secs);
        self.now.unix_secs += secs;
    }

    fn give(&mut self, client: Client, bytes: &[u8]) -> Verdict {
        self.relay.handle(self.now, client, bytes, &mut self.out)
    }

    /// Sends a request with a fresh nonce, signed.
    fn ask(&mut self, from: &Guest, method: u16, attributes: &[(u16, Vec<u8>)]) -> Answer {
        self.sent += 1;
        let nonce = self.relay.nonces.make(self.now.at, from.client.address());
        let bytes = request(method, [self.sent; 12], attributes, Some((from, &nonce)));
        self.answer(from.client, &bytes)
    }

    fn answer(&mut self, client: Client, bytes: &[u8]) -> Answer {
        let Verdict::Reply(len) = self.give(client, bytes) else {
            panic!("no reply");
        };
        let message = StunMessage::parse(&self.out[..len]).unwrap();
        assert_eq!(message.verify_fingerprint(), Some(true));
        Answer {
            class: message.class(),
            code: message.error_code(),
            bytes: self.out[..len].to_vec(),
        }
    }

    fn allocate(&mut self, from: &Guest) -> Answer {
        self.ask(from, attribute::ALLOCATE, &udp())
    }

    fn permit(&mut self, from: &Guest, peer: &str) -> Option<u16> {
        let peer = self.peer(peer);
        self.ask(from, attribute::CREATE_PERMISSION, &[peer]).code
    }

    fn bind(&mut self, from: &Guest, number: u16, peer: &str) -> Option<u16> {
        let number = [number.to_be_bytes(), [0, 0]].concat();
        let attributes = [(attribute::CHANNEL_NUMBER, number), self.peer(peer)];
        self.ask(from, attribute::CHANNEL_BIND, &attributes).code
    }

    /// The mask of IPv4 addresses does not depend on the transaction.
    fn peer(&self, peer: &str) -> (u16, Vec<u8>) {
        let mut bytes = [0; 100];
        let mut writer =
            StunWriter::new(&mut bytes, Class::Request, BINDING, TransactionId([0; 12])).unwrap();
        writer.xor_mapped_address(address(peer)).unwrap();
        let len = writer.finish(None).unwrap();
        let message = StunMessage::parse(&bytes[..len]).unwrap();
        let value = message.attribute(stun::XOR_MAPPED_ADDRESS).unwrap();
        (attribute::XOR_PEER_ADDRESS, value.to_vec())
    }

    fn send(&mut self, from: &Guest, peer: &str) -> Verdict {
        let attributes = [self.peer(peer), (attribute::DATA, b"hello".to_vec())];
        let mut bytes = request(attribute::SEND, [9; 12], &attributes, None);
        bytes[1] |= 0x10;
        // An indication is another message: its fingerprint is written anew.
        let len = bytes.len() - 8;
        bytes.truncate(len);
        bytes[2..4].copy_from_slice(&((len - 20) as u16).to_be_bytes());
        self.give(from.client, &bytes)
    }
}

/// A client and what it signs with.
struct Guest {
    client: Client,
    username: String,
    password: String,
}

impl Guest {
    fn until(expiry: u64, port: u16) -> Self {
        let username = format!("{expiry}:x");
        let mut mac = <Hmac<Sha1> as hmac::Mac>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(username.as_bytes());
        Self {
            client: Client::Datagram {
                socket: 0,
                local: None,
                address: SocketAddr::new([203, 0, 113, 77].into(), port),
            },
            username,
            password: STANDARD.encode(mac.finalize().into_bytes()),
        }
    }

    fn new() -> Self {
        Self::until(UNIX + 3_600, 5_000)
    }

    fn key(&self) -> IntegrityKey {
        let text = format!("{}:homeline:{}", self.username, self.password);
        IntegrityKey::new(&Md5::digest(text))
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn udp() -> Vec<(u16, Vec<u8>)> {
    vec![(attribute::REQUESTED_TRANSPORT, vec![17, 0, 0, 0])]
}

fn request(
    method: u16,
    transaction: [u8; 12],
    attributes: &[(u16, Vec<u8>)],
    signed: Option<(&Guest, &str)>,
) -> Vec<u8> {
    let mut bytes = vec![0; 1_000];
    let transaction = TransactionId(transaction);
    let mut writer = StunWriter::new(&mut bytes, Class::Request, method, transaction).unwrap();
    for (kind, value) in attributes {
        writer.attribute(*kind, value).unwrap();
    }
    let len = match signed {
        Some((guest, nonce)) => {
            writer.username(&guest.username).unwrap();
            writer.attribute(stun::REALM, b"homeline").unwrap();
            writer.attribute(stun::NONCE, nonce.as_bytes()).unwrap();
            writer.finish(Some(&guest.key())).unwrap()
        }
        None => writer.finish(None).unwrap(),
    };
    bytes.truncate(len);
    bytes
}

#[test]
fn whoever_comes_without_a_signature_is_told_how_to_sign() {
    let mut scene = Scene::new(TurnConfig::default());
    let guest = Guest::new();
    let answer = scene.answer(
        guest.client,
        &request(attribute::ALLOCATE, [1; 12], &udp(), None),
    );
    assert_eq!((answer.class, answer.code), (Class::Error, Some(401)));
    let message = StunMessage::parse(&answer.bytes).unwrap();
    assert_eq!(message.attribute(stun::REALM), Some(&b"homeline"[..]));
    let nonce = message.attribute(stun::NONCE).unwrap();
    let nonce = std::str::from_utf8(nonce).unwrap();
    let bytes = request(attribute::ALLOCATE, [2; 12], &udp(), Some((&guest, nonce)));
    let answer = scene.answer(guest.client, &bytes);
    assert_eq!(answer.class, Class::Success);
    let message = StunMessage::parse(&answer.bytes).unwrap();
    assert!(message.verify_integrity(&guest.key()));
    let relayed = message.attribute(attribute::XOR_RELAYED_ADDRESS).unwrap();
    assert_eq!(message.unmask(relayed).unwrap().ip(), address(MEDIA).ip());
    assert_eq!(message.xor_mapped_address(), Some(guest.client.address()));
    // Lost and asked for again: the same. Another request: there is one already.
    assert_eq!(scene.answer(guest.client, &bytes).class, Class::Success);
    assert_eq!(scene.allocate(&guest).code, Some(437));
    assert_eq!(scene.relay.allocations.len(), 1);
}

#[test]
fn wrong_expired_and_stale_credentials_are_refused() {
    let mut scene = Scene::new(TurnConfig::default());
    let wrong = Guest {
        password: "guess".to_owned(),
        ..Guest::new()
    };
    let expired = Guest::until(UNIX, 1);
    let beyond = Guest::until(UNIX + 365 * 24 * 3_600, 2);
    for guest in [wrong, expired, beyond] {
        assert_eq!(scene.allocate(&guest).code, Some(401));
    }
    let guest = Guest::new();
    let nonce = scene
        .relay
        .nonces
        .make(scene.now.at, address("192.0.2.1:1"));
    let bytes = request(attribute::ALLOCATE, [1; 12], &udp(), Some((&guest, &nonce)));
    assert_eq!(scene.answer(guest.client, &bytes).code, Some(438));
    let nonce = scene
        .relay
        .nonces
        .make(scene.now.at, guest.client.address());
    scene.pass(3_600);
    let late = Guest::until(UNIX + 7_200, 5_000);
    let bytes = request(attribute::ALLOCATE, [2; 12], &udp(), Some((&late, &nonce)));
    assert_eq!(scene.answer(late.client, &bytes).code, Some(438));
    assert!(scene.relay.allocations.is_empty());
}

#[test]
fn an_allocation_is_its_makers_and_outlives_the_credential_but_not_a_day() {
    let mut scene = Scene::new(TurnConfig::default());
    let guest = Guest::new();
    assert_eq!(scene.allocate(&guest).class, Class::Success);
    let other = Guest {
        client: guest.client,
        ..Guest::until(UNIX + 7_200, 0)
    };
    let refresh = |secs: u32| [(attribute::LIFETIME, secs.to_be_bytes().to_vec())];
    let answer = scene.ask(&other, attribute::REFRESH, &refresh(600));
    assert_eq!(answer.code, Some(441));
    for _ in 0..24 {
        let answer = scene.ask(&guest, attribute::REFRESH, &refresh(1_000_000));
        assert_eq!(answer.class, Class::Success);
        scene.pass(3_599);
    }
    scene.ask(&guest, attribute::REFRESH, &refresh(3_600));
    scene.pass(3_600);
    let answer = scene.ask(&guest, attribute::REFRESH, &refresh(3_600));
    assert_eq!(answer.code, Some(401), "a day is over");
    scene.relay.sweep(scene.now.at);
    assert!(scene.relay.allocations.is_empty());
}

#[test]
fn an_allocation_ends_when_its_client_says_so_or_nothing_for_too_long() {
    let mut scene = Scene::new(TurnConfig::default());
    let guest = Guest::new();
    scene.allocate(&guest);
    let zero = [(attribute::LIFETIME, vec![0; 4])];
    let answer = scene.ask(&guest, attribute::REFRESH, &zero);
    assert_eq!(answer.class, Class::Success);
    assert!(scene.relay.allocations.is_empty());
    scene.allocate(&guest);
    assert_eq!(scene.permit(&guest, MEDIA), None);
    scene.pass(600);
    assert_eq!(scene.permit(&guest, MEDIA), Some(437));
}

#[test]
fn nobody_but_our_own_media_is_reached() {
    let mut scene = Scene::new(TurnConfig::default());
    let guest = Guest::new();
    scene.allocate(&guest);
    for peer in [FOREIGN, "127.0.0.1:8444", "10.0.0.1:80", "0.0.0.0:8444"] {
        assert_eq!(scene.permit(&guest, peer), Some(403), "{peer}");
        assert_eq!(scene.bind(&guest, 0x4000, peer), Some(403), "{peer}");
        assert_eq!(scene.send(&guest, peer), Verdict::Drop);
    }
    assert_eq!(scene.permit(&guest, MEDIA), None);
    // The address is ours, the port is not.
    assert_eq!(scene.bind(&guest, 0x4000, "192.0.2.5:22"), Some(403));
    assert_eq!(scene.send(&guest, "192.0.2.5:22"), Verdict::Drop);
    let Verdict::Relay { peer, door, data } = scene.send(&guest, MEDIA) else {
        panic!("not relayed");
    };
    assert_eq!((peer, door), (address(MEDIA), address("127.0.0.1:8444")));
    assert_eq!(data.len(), 5);
    // One foreign address spoils a request for several.
    let both = [scene.peer(MEDIA), scene.peer(FOREIGN)];
    let answer = scene.ask(&guest, attribute::CREATE_PERMISSION, &both);
    assert_eq!(answer.code, Some(403));
}

#[test]
fn data_passes_both_ways_while_a_permission_or_channel_lasts() {
    let mut scene = Scene::new(TurnConfig::default());
    let guest = Guest::new();
    let from = (guest.client, address(MEDIA));
    scene.allocate(&guest);
    assert_eq!(
        scene.send(&guest, MEDIA),
        Verdict::Drop,
        "not permitted yet"
    );
    scene.permit(&guest, MEDIA);
    let len = scene
        .relay
        .peer_sent(scene.now.at, from, b"back", &mut scene.out)
        .unwrap();
    let message = StunMessage::parse(&scene.out[..len]).unwrap();
    assert_eq!(message.method(), attribute::DATA_INDICATION);
    assert_eq!(message.attribute(attribute::DATA), Some(&b"back"[..]));
    assert_eq!(scene.bind(&guest, 0x4001, MEDIA), None);
    assert_eq!(scene.bind(&guest, 0x4001, "203.0.113.9:8444"), Some(400));
    assert_eq!(scene.bind(&guest, 0x5000, "203.0.113.9:8444"), Some(400));
    let verdict = scene.give(guest.client, &[0x40, 1, 0, 3, 1, 2, 3, 0]);
    assert!(matches!(verdict, Verdict::Relay { data, .. } if data == (4..7)));
    for bytes in [&[0x40, 1, 0, 9, 1][..], &[0x40, 2, 0, 1, 1], &[0x40, 1]] {
        assert_eq!(scene.give(guest.client, bytes), Verdict::Drop);
    }
    let len = scene
        .relay
        .peer_sent(scene.now.at, from, b"back!", &mut scene.out);
    assert_eq!(len, Some(9));
    assert_eq!(&scene.out[..9], b"\x40\x01\x00\x05back!");
    scene.pass(300);
    let verdict = scene.give(guest.client, &[0x40, 1, 0, 1, 1]);
    assert_eq!(verdict, Verdict::Drop, "the permission is over");
}

#[test]
fn a_credential_has_a_quota_and_so_has_everybody_together() {
    let mut scene = Scene::new(TurnConfig {
        allocations_max: 3,
        allocations_per_credential_max: 2,
        ..TurnConfig::default()
    });
    let guest = |port| Guest::until(UNIX + 3_600, port);
    for port in [1, 2] {
        assert_eq!(scene.allocate(&guest(port)).class, Class::Success);
    }
    assert_eq!(scene.allocate(&guest(3)).code, Some(486));
    let other = |port| Guest::until(UNIX + 3_601, port);
    assert_eq!(scene.allocate(&other(4)).class, Class::Success);
    assert_eq!(scene.allocate(&other(5)).code, Some(508));
    let relayed: std::collections::HashSet<_> = scene
        .relay
        .allocations
        .values()
        .map(|own| own.relayed)
        .collect();
    assert_eq!(relayed.len(), 3);
}

#[test]
fn what_is_above_the_bandwidth_is_dropped() {
    let mut scene = Scene::new(TurnConfig {
        kbits_per_second_max: 8,
        ..TurnConfig::default()
    });
    let guest = Guest::new();
    scene.allocate(&guest);
    scene.permit(&guest, MEDIA);
    let passed = |scene: &mut Scene| {
        let sent = (0..300).map(|_| scene.send(&guest, MEDIA));
        sent.filter(|verdict| *verdict != Verdict::Drop).count()
    };
    assert_eq!(passed(&mut scene), 200, "a kilobyte in parts of five");
    scene.pass(1);
    assert_eq!(passed(&mut scene), 200);
}

#[test]
fn strangers_get_so_many_answers_a_second() {
    let mut scene = Scene::new(TurnConfig::default());
    let bytes = request(BINDING, [1; 12], &[], None);
    let answered = (0..2_000_u16).filter(|port| {
        let guest = Guest::until(0, *port);
        scene.give(guest.client, &bytes) != Verdict::Drop
    });
    assert_eq!(answered.count(), 500);
}

#[test]
fn noise_is_dropped_whatever_it_is() {
    let mut scene = Scene::new(TurnConfig::default());
    let guest = Guest::new();
    scene.allocate(&guest);
    scene.bind(&guest, 0x4000, MEDIA);
    let base = request(
        attribute::CHANNEL_BIND,
        [1; 12],
        &udp(),
        Some((&guest, "x")),
    );
    let mut seed = 1_u32;
    for round in 0..50_000 {
        let mut bytes = base.clone();
        for _ in 0..=round % 7 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = seed as usize % bytes.len();
            bytes[at] = (seed >> 24) as u8;
        }
        bytes.truncate((seed >> 8) as usize % (bytes.len() + 1));
        scene.give(guest.client, &bytes);
    }
    assert_eq!(scene.relay.allocations.len(), 1);
}
