//! A media node that stands alone: the real binary, commanded over HTTP, with `str0m` peers.

mod admin;
mod peers;
mod reachability;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use admin::{Answered, MediaNode, id, run_until_end};
use peers::Room;

use crate::people::{PATIENCE, Person, talk};
use crate::server::{Server, Start};
use crate::web;

const ROOM: u8 = 1;

#[test]
fn three_talk_in_a_room_that_is_commanded_over_http() {
    let node = MediaNode::start();
    let made = node.ask("POST", "/v1/rooms", &json!({"room": id(ROOM)}));
    assert_eq!(
        (made.status, made.json()["room"].clone()),
        (201, json!(id(ROOM)))
    );
    let again = node.ask("POST", "/v1/rooms", &json!({"room": id(ROOM)}));
    assert_eq!(again.status, 200, "making it twice is no error");
    let picked = node.ask("POST", "/v1/rooms", &json!({}));
    assert_eq!(picked.status, 201);
    assert_eq!(picked.json()["room"].as_str().map(str::len), Some(32));
    let mut events = BufReader::new(node.events());

    let mut room = Room::join_all(&node, id(ROOM), &[1, 2, 3]);
    room.talk_until("all hear all", |room, _| room.least_heard() > 25);
    let mut connected = BTreeSet::new();
    let mut line = String::new();
    while connected.len() < 3 {
        line.clear();
        assert_ne!(
            events.read_line(&mut line).unwrap(),
            0,
            "the stream goes on"
        );
        if let Ok(event) = serde_json::from_str::<Value>(&line) {
            assert_eq!(
                (&event["type"], &event["room"]),
                (&json!("peer_connected"), &json!(id(ROOM)))
            );
            connected.insert(event["peer"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(connected, [1, 2, 3].map(id).into());

    room.talk_until("all have figures", |_, figures| {
        figures
            .iter()
            .all(|peer| peer["quality"].as_u64() > Some(80))
    });
    for peer in node.figures(&id(ROOM)) {
        assert_eq!(peer["connected"], true);
        assert_eq!(peer["transport"]["path"], "udp");
        assert_eq!(peer["published"].as_array().map(Vec::len), Some(1));
        let layer = &peer["published"][0]["layers"][0];
        assert!(layer["bits_per_second"].as_u64() > Some(20_000), "{layer}");
        let received = peer["received"].as_array().unwrap();
        assert_eq!(received.len(), 2);
        assert!(received.iter().all(|track| track["paused"] == false));
    }
    commands_take_effect(&node, &mut room);
}

fn commands_take_effect(node: &MediaNode, room: &mut Room<'_>) {
    let (at, first) = (format!("/v1/rooms/{}", id(ROOM)), id(1));
    let held = json!({"forwarding": false});
    assert_eq!(
        node.ask("PATCH", &format!("{at}/peers/{first}"), &held)
            .status,
        204
    );
    let first_is_held = |_: &Room<'_>, figures: &[Value]| {
        let paused = |peer: &Value| {
            let received = peer["received"].as_array().unwrap();
            received
                .iter()
                .filter(|track| track["paused"] == true)
                .count()
        };
        figures.iter().map(paused).eq([2, 1, 1])
    };
    room.talk_until("the first is held", first_is_held);
    room.offer_again(0, 1);
    assert!(
        first_is_held(room, &node.figures(&id(ROOM))),
        "another offer lets nobody free"
    );
    let track = Room::track(2);
    assert_eq!(
        node.ask("PUT", &format!("{at}/tracks/{track}"), &held)
            .status,
        204
    );
    let view = json!({"width": 640, "height": 360});
    let seen = format!("{at}/peers/{}/views/{track}", id(3));
    assert_eq!(node.ask("PUT", &seen, &view).status, 204);
    assert_eq!(
        node.ask("POST", &format!("{at}/key-frames"), &Value::Null)
            .status,
        204
    );
    room.talk_until("the second's track is held", |_, figures| {
        figures
            .iter()
            .any(|peer| peer["published"][0]["forwarding"] == false)
    });

    let whole = node.get("/v1/node").json();
    assert!(
        whole["counters"]["rtp_forwarded"].as_u64() > Some(100),
        "{whole}"
    );
    assert!(
        whole["media_cpu_micros"].as_u64() > Some(0) && whole["resident_bytes"].as_u64() > Some(0)
    );
    let buckets = whole["transit"]["buckets"].as_array().unwrap();
    let measured: u64 = buckets.iter().filter_map(Value::as_u64).sum();
    assert_eq!(whole["transit"]["count"], measured);
    let metrics = web::get(node.address, "localhost", "/metrics").text();
    assert!(web::figure(&metrics, "homeline_media_packets_forwarded_total") > 100);
    for row in [
        "homeline_media_relay_full_total",
        "homeline_media_threads_silent",
    ] {
        assert!(metrics.contains(&format!("\n{row} 0\n")), "{row}");
    }
    assert!(metrics.contains("homeline_media_thread_busy_permille{thread=\"0\"} "));
    ends_are_final(node);
}

/// Ending what is there, and what is not there any more.
fn ends_are_final(node: &MediaNode) {
    let (at, first) = (format!("/v1/rooms/{}", id(ROOM)), id(1));
    for _ in 0..2 {
        assert_eq!(
            node.ask("DELETE", &format!("{at}/peers/{first}"), &Value::Null)
                .status,
            204
        );
        assert_eq!(
            node.figures(&id(ROOM)).len(),
            2,
            "once or twice, it is gone"
        );
    }
    for _ in 0..2 {
        assert_eq!(node.ask("DELETE", &at, &Value::Null).status, 204);
        assert_eq!(node.get(&at).status, 404);
    }
}

/// A refusal has its status, its code, and a sentence.
fn refused(answer: Answered, status: u16, code: &str) {
    let body = answer.json();
    let told = (answer.status, &body["code"]);
    assert_eq!(told, (status, &json!(code)), "{body}");
    let words = body["message"].as_str().unwrap();
    assert!(
        words.contains(' ') && words.starts_with(char::is_uppercase),
        "{words}"
    );
}

#[test]
fn what_is_not_understood_or_not_allowed_is_refused_in_words() {
    let node = MediaNode::start();
    for token in [None, Some(""), Some("wrong"), Some(&node.token[1..])] {
        refused(node.send("GET", "/v1/node", token, ""), 401, "unauthorized");
        refused(
            node.send("POST", "/v1/rooms", token, "{}"),
            401,
            "unauthorized",
        );
        refused(
            node.send("GET", "/v1/events", token, ""),
            401,
            "unauthorized",
        );
    }
    let (room, peer) = (
        format!("/v1/rooms/{}", id(9)),
        format!("/v1/rooms/{}/peers/{}", id(9), id(1)),
    );
    let (on, offer) = (json!({"forwarding": true}), json!({"offer": "v=0"}));
    refused(node.get(&room), 404, "not_found");
    refused(node.ask("PATCH", &peer, &on), 404, "not_found");
    refused(node.ask("DELETE", &peer, &Value::Null), 404, "not_found");
    refused(
        node.ask("POST", &format!("{room}/key-frames"), &Value::Null),
        404,
        "not_found",
    );
    refused(node.get("/v1/rooms/nobody"), 400, "bad_request");
    refused(node.get("/v1/nowhere"), 404, "not_found");
    refused(node.ask("PUT", &room, &on), 405, "bad_request");
    refused(
        node.ask("POST", "/v1/rooms", &json!({"rooom": id(9)})),
        400,
        "bad_request",
    );
    assert_eq!(
        node.ask("POST", "/v1/rooms", &json!({"room": id(9)}))
            .status,
        201
    );
    refused(node.ask("PUT", &peer, &offer), 400, "bad_offer");
    refused(node.ask("PATCH", &peer, &on), 404, "not_found");
    refused(
        node.ask("PATCH", &peer, &json!({"forwarding": 1})),
        400,
        "bad_request",
    );
    refused(
        node.ask("PATCH", &peer, &json!({"forwarding": true, "x": 1})),
        400,
        "bad_request",
    );
    let long = json!({"offer": "x".repeat(1024 * 1024)});
    refused(node.ask("PUT", &peer, &long), 413, "too_large");
    let health = web::get(node.address, "localhost", "/healthz");
    assert_eq!((health.status, health.text().as_str()), (200, "live\n"));
}

#[test]
fn the_examples_of_the_documentation_work() {
    let node = MediaNode::start();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/media-node.md"))
        .unwrap();
    let mut script = String::from("set -eu\n");
    for block in text.split("```sh\n").skip(1) {
        script.push_str(block.split("```").next().unwrap());
    }
    assert!(script.contains("http://127.0.0.1:8446"));
    let script = script.replace("127.0.0.1:8446", &node.address.to_string());
    let offer = peers::offer_body(1, &[2]);
    std::fs::write(node.folder.path().join("offer.json"), offer.to_string()).unwrap();
    let mut shell = Command::new("sh")
        .current_dir(node.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let ended = shell.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{printed}");
    for word in [
        "\"answer\":\"v=0",
        "\"quality_down\"",
        "\"media_cpu_micros\"",
        "homeline_media_rooms ",
    ] {
        assert!(printed.contains(word), "{word} in {printed}");
    }
}

#[test]
fn the_token_is_private_and_only_this_machine_is_listened_to() {
    let node = MediaNode::start();
    let file = node.folder.path().join("data/media-admin-token");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let data: Vec<_> = node
        .folder
        .path()
        .join("data")
        .read_dir()
        .unwrap()
        .collect();
    assert_eq!(data.len(), 1, "nothing else is kept: {data:?}");
    assert!(!node.log.lock().unwrap().contains(&node.token));

    let (status, words) = run_until_end(
        &["--roles", "media"],
        &[("HOMELINE_MEDIA__CONTROL__BIND", "0.0.0.0:0")],
    );
    assert!(
        !status.success() && words.contains("allow_remote"),
        "{words}"
    );
    let (status, words) = run_until_end(&["--roles", "signaling"], &[]);
    assert!(
        !status.success() && words.contains("can't run without media yet"),
        "{words}"
    );
}

#[test]
fn a_node_alone_has_a_relay_where_signaling_can_know_its_secret_and_says_so_where_not() {
    let ports = [
        ("HOMELINE_MEDIA__TURN__UDP_PORT", "0"),
        ("HOMELINE_MEDIA__TURN__TCP_PORT", "0"),
    ];
    let secret = ("HOMELINE_MEDIA__TURN__SECRET", "north");
    let node = MediaNode::start_with(&[ports[0], ports[1], secret]);
    let log = node.log.lock().unwrap().clone();
    let relay = log.lines().filter_map(|line| line.split_once("Relay "));
    let told: Vec<&str> = relay.map(|(_, told)| told.trim()).collect();
    let port = |protocol| {
        let of = |told: &&str| told.strip_prefix(protocol).map(str::to_owned);
        let port = told.iter().find_map(of).expect("a port is told");
        port.trim().parse::<u16>().unwrap()
    };
    assert!(!log.contains("north"));
    // A client asks for an address without a signature, and is told how to sign.
    let allocate = [
        &[0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42][..],
        &[7; 12],
        &[0, 0x19, 0, 4, 17, 0, 0, 0],
    ];
    let challenge = [1, 0x13];
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = [0; 500];
    socket
        .send_to(&allocate.concat(), ("127.0.0.1", port("UDP")))
        .unwrap();
    socket.recv(&mut answer).unwrap();
    assert_eq!(answer[..2], challenge);
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port("TCP"))).unwrap();
    std::io::Write::write_all(&mut stream, &allocate.concat()).unwrap();
    std::io::Read::read_exact(&mut stream, &mut answer[..20]).unwrap();
    assert_eq!(answer[..2], challenge);
    let metrics = web::get(node.address, "localhost", "/metrics").text();
    assert!(metrics.contains("homeline_relay_refused_total{reason=\"capacity\"} 0\n"));

    let node = MediaNode::start_with(&ports);
    // What it logs is read beside what it prints.
    let deadline = Instant::now() + PATIENCE;
    let log = || node.log.lock().unwrap().clone();
    while !log().contains("no relay: set media.turn.secret") {
        assert!(Instant::now() < deadline, "{}", log());
        std::thread::yield_now();
    }
    assert!(!log().contains("Relay "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_server_has_the_interface_beside_its_signaling() {
    let data = tempfile::tempdir().unwrap();
    let token = "a token of the operator";
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let bind = address.to_string();
    let server = Server::start_with(&Start {
        data: data.path(),
        settings: &[
            ("HOMELINE_MEDIA__CONTROL__ENABLED", "true"),
            ("HOMELINE_MEDIA__CONTROL__BIND", &bind),
            ("HOMELINE_MEDIA__CONTROL__TOKEN", token),
            ("HOMELINE_SERVER__OUTSIDE__ASK_ROUTER", "false"),
        ],
        namespace: None,
    });
    let anna = Person::found(&server.here(), "zaphodine").await;
    let mut ben = Person::found(&server.here(), "trillianne").await;
    // Signaling hears the node's events as before: the call gets its media.
    let _call = talk(&anna, &mut ben, "trillianne").await;
    // Figures are up to a quarter of a second old.
    let deadline = Instant::now() + PATIENCE;
    let mut peers = Value::Null;
    while peers != 2 {
        assert!(Instant::now() < deadline, "{peers} peers");
        peers = admin::send(address, "GET", "/v1/node", Some(token), "").json()["peers"].take();
    }
    // What the app's test knows is told here as well.
    let told = admin::send(address, "POST", "/v1/reachability", Some(token), "{}").json();
    assert_eq!(
        (&told["ways"][0]["way"], &told["ways"][0]["last"]),
        (&json!("web"), &Value::Null),
        "{told}"
    );
    let tried = json!([{"way": "web", "works": true, "works_here": true}]);
    let test = json!({"test": {"source": "198.51.100.9", "tried": tried}}).to_string();
    let told = admin::send(address, "POST", "/v1/reachability", Some(token), &test).json();
    assert_eq!(told["ways"][0]["last"]["from"], "outside");
    let kept = data.path().join("media-admin-token");
    assert!(!kept.exists(), "none is made where one is given");
}
