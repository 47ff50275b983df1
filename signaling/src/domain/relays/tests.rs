//! How relays are read and credentials derived.

use std::time::Duration;

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{RelayServer, RelayTransport};

use super::rules::{credential, expiry, server};
use crate::model::UnixMillis;

#[test]
fn relays_are_read_as_people_write_them() {
    let read = |text, host: &str, port, transport| {
        let host = Some(host.to_owned());
        let expected = RelayServer {
            host,
            port,
            transport,
        };
        assert_eq!(server(text), Ok(expected));
    };
    read(
        "turn:a.example:3478?transport=udp",
        "a.example",
        3478,
        RelayTransport::Udp,
    );
    read(
        "turn:192.0.2.1:80?transport=tcp",
        "192.0.2.1",
        80,
        RelayTransport::Tcp,
    );
    read(
        "turns:[2001:db8::1]:443?transport=tcp",
        "[2001:db8::1]",
        443,
        RelayTransport::Tls,
    );
    for text in [
        "",
        "turn:a.example",
        "turn:a.example?transport=udp",
        "turn:a.example:0?transport=udp",
        "turns:a.example:443?transport=udp",
        "stun:a.example:3478?transport=udp",
        "turn::3478?transport=udp",
        "turn://a.example:3478?transport=udp",
    ] {
        assert!(server(text).is_err(), "{text}");
    }
}

#[test]
fn a_device_that_asks_again_within_the_hour_gets_the_same_and_another_device_another() {
    let lifetime = Duration::from_secs(4 * 3_600);
    let expires = expiry(UnixMillis(1_000), lifetime);
    assert_eq!(expires, UnixMillis(5 * 3_600 * 1_000));
    assert_eq!(expiry(UnixMillis(3_599_000), lifetime), expires);
    let (first, second) = (DeviceId([1; 16]), DeviceId([2; 16]));
    let made = credential("north", first, expires);
    assert_eq!(made, credential("north", first, expires));
    assert_ne!(made.0, credential("north", second, expires).0);
    assert_ne!(made.1, credential("south", first, expires).1);
    let (secs, pseudonym) = made.0.split_once(':').unwrap();
    assert_eq!((secs, pseudonym.len()), ("18000", 16));
    assert!(!made.0.contains(&first.to_string()[..8]));
}
