//! A home's router as a stand-in, and what the server makes of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::routing::{get, post};
use homeline_media_node::control::ReachabilityError;
use homeline_protocol::media_http::OutsideTest;
use homeline_protocol::session::{OutsideFrom, OutsideLast, OutsideTried, OutsideWay};
use homeline_signaling::domain::outside::{Facts, Look, Network, Ports, Router, Verdict, state};
use homeline_signaling::model::UnixMillis;
use http_body_util::Full;
use hyper::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use super::home::{Alone, Home};
use super::look::ask_router;
use super::{command, here, nat_pmp, pcp, stun, upnp, watch};

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// Answers each datagram as told.
async fn answering(answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind((HOME, 0)).await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        loop {
            let (len, from) = socket.recv_from(&mut buffer).await.unwrap();
            if let Some(answer) = answer(&buffer[..len]) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    at
}

/// Where nobody answers.
async fn nobody() -> SocketAddr {
    answering(|_| None).await
}

fn external_address(question: &[u8]) -> Option<Vec<u8>> {
    (question == [0, 0]).then(|| [&[0, 128, 0, 0, 0, 0, 0, 9][..], &OUTSIDE.octets()].concat())
}

/// Speaks PCP alone: refuses the older version, and maps.
fn mapping(question: &[u8]) -> Option<Vec<u8>> {
    if question[0] != 2 {
        return Some(vec![2, 0x81, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    let mut answer = question.to_vec();
    answer[1] |= 0x80;
    answer[44..60].copy_from_slice(&OUTSIDE.to_ipv6_mapped().octets());
    Some(answer)
}

fn found(by: &'static str) -> Router {
    let external = OUTSIDE.into();
    Router::At { external, by }
}

/// A gateway device's web server, and who says where it is.
async fn gateway_device() -> SocketAddr {
    let listener = TcpListener::bind((HOME, 0)).await.unwrap();
    let web = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4_096];
            let len = stream.read(&mut buffer).await.unwrap();
            let question = String::from_utf8_lossy(&buffer[..len]).into_owned();
            let body = if question.starts_with("GET /root.xml ") {
                DESCRIPTION.to_owned()
            } else {
                assert!(
                    question.starts_with("POST /control ")
                        && question.contains("WANIPConnection:1#GetExternalIPAddress")
                );
                said_outside()
            };
            let answer = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    described_at(web).await
}

const DESCRIPTION: &str = "<root><device><serviceList>\
     <service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/other</controlURL></service>\
     <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/control</controlURL></service>\
     </serviceList></device></root>";

fn said_outside() -> String {
    format!("<s:Envelope><NewExternalIPAddress>{OUTSIDE}</NewExternalIPAddress></s:Envelope>")
}

/// The same with a web server that keeps connections, as that of many a router does, and in chunks.
async fn keeping_gateway_device(in_chunks: bool) -> SocketAddr {
    let said = move |text: String| {
        if !in_chunks {
            return Body::from(text);
        }
        let (one, other) = text.split_at(text.len() / 3);
        let parts = [one.to_owned(), other.to_owned()].map(Ok::<_, std::io::Error>);
        Body::from_stream(futures_util::stream::iter(parts))
    };
    let device = axum::Router::new()
        .route(
            "/root.xml",
            get(move || async move { said(DESCRIPTION.to_owned()) }),
        )
        .route(
            "/control",
            post(move || async move { said(said_outside()) }),
        );
    let listener = TcpListener::bind((HOME, 0)).await.unwrap();
    let web = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, device).await });
    described_at(web).await
}

/// Says to whoever searches that a gateway device is there.
async fn described_at(web: SocketAddr) -> SocketAddr {
    answering(move |question| {
        let question = String::from_utf8_lossy(question);
        question.starts_with("M-SEARCH ").then(|| {
            format!("HTTP/1.1 200 OK\r\nST: x\r\nLocation: http://{web}/root.xml\r\n\r\n")
                .into_bytes()
        })
    })
    .await
}

#[tokio::test]
async fn a_routers_address_is_learnt_by_whatever_it_speaks() {
    let by_nat_pmp = ask_router(HOME, answering(external_address).await, HOME, &[]).await;
    assert_eq!(by_nat_pmp, found("NAT-PMP"));
    let by_pcp = ask_router(HOME, answering(mapping).await, HOME, &[]).await;
    assert_eq!(by_pcp, found("PCP"));
    let device = gateway_device().await;
    let by_upnp = ask_router(HOME, nobody().await, HOME, &[device]).await;
    assert_eq!(by_upnp, found("UPnP"));
    for in_chunks in [false, true] {
        let device = keeping_gateway_device(in_chunks).await;
        let kept = ask_router(HOME, nobody().await, HOME, &[device]).await;
        assert_eq!(kept, found("UPnP"), "in chunks: {in_chunks}");
    }
    let silent = ask_router(HOME, nobody().await, HOME, &[nobody().await]).await;
    assert_eq!(silent, Router::Silent);
}

/// A router that answers every question with these bytes, and then hangs up.
async fn saying(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((HOME, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = [0; 1_024];
        let _asked = stream.read(&mut question).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    at
}

#[tokio::test]
async fn only_a_whole_answer_of_status_200_counts() {
    for (answer, read) in [
        ("HTTP/1.1 200 OK\r\ncontent-LENGTH: 3\r\n\r\nabcdef", true),
        ("HTTP/1.0 200 OK\r\n\r\nabc", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", false),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n",
            false,
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
            false,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n",
            false,
        ),
        ("no HTTP\r\n\r\n", false),
    ] {
        let question = Request::get("/").body(Full::default()).unwrap();
        let body = super::http::ask(saying(answer).await, question).await;
        assert_eq!(body.as_deref(), read.then_some("abc"), "{answer:?}");
    }
}

#[test]
fn only_answers_to_our_own_questions_count() {
    assert_eq!(
        nat_pmp::read(&[0, 128, 0, 3, 0, 0, 0, 0]),
        Some(nat_pmp::Answer::At(Ipv4Addr::UNSPECIFIED))
    );
    for other in [&[][..], &[0, 128], &[0, 129, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]] {
        assert_ne!(nat_pmp::read(other), Some(nat_pmp::Answer::At(OUTSIDE)));
    }
    let question = pcp::question(HOME, [1; 12], 2);
    let answer = mapping(&question).unwrap();
    assert_eq!(pcp::read(&answer, [1; 12]), Some(Some(OUTSIDE.into())));
    assert_eq!(pcp::read(&answer, [2; 12]), None);
    assert_eq!(pcp::read(&question, [1; 12]), None);
    assert_eq!(pcp::read(&answer[..40], [1; 12]), None);

    let mut answer = stun::question([7; 12]).to_vec();
    answer[0] = 1;
    let masked: Vec<u8> = OUTSIDE
        .octets()
        .iter()
        .zip([0x21, 0x12, 0xa4, 0x42])
        .map(|(a, b)| a ^ b)
        .collect();
    answer.extend([
        0x80, 0x22, 0, 3, b'a', b'b', b'c', 0, 0, 0x20, 0, 8, 0, 1, 0, 0,
    ]);
    answer.extend(masked);
    assert_eq!(stun::read(&answer, [7; 12]), Some(OUTSIDE.into()));
    assert_eq!(stun::read(&answer, [8; 12]), None);
    assert_eq!(stun::read(&answer[..answer.len() - 1], [7; 12]), None);
}

#[test]
fn a_router_sends_us_nowhere_else() {
    let said = |url: &str| format!("HTTP/1.1 200 OK\r\nLOCATION:{url}\r\n\r\n");
    let router = Ipv4Addr::new(192, 168, 1, 1);
    let place = upnp::place(&said(" http://192.168.1.1:5000/root.xml"), router).unwrap();
    assert_eq!(
        (place.at.to_string(), place.path.as_str()),
        ("192.168.1.1:5000".to_owned(), "/root.xml")
    );
    for url in [
        "http://192.168.1.9:5000/",
        "https://192.168.1.1/",
        "http://evil.example/",
        "http://192.168.1.1/a b",
    ] {
        assert_eq!(upnp::place(&said(url), router), None, "{url}");
    }
    let of = |url: &str| {
        format!(
            "<service><serviceType>urn:schemas-upnp-org:service:WANPPPConnection:2</serviceType><controlURL>{url}</controlURL></service>"
        )
    };
    let (kind, path) = upnp::service(&of("http://evil.example/ctl")).unwrap();
    assert_eq!(
        (kind.as_str(), path.as_str()),
        ("urn:schemas-upnp-org:service:WANPPPConnection:2", "/ctl")
    );
    assert_eq!(upnp::service(&of("/a\r\nX: y")), None);
    assert_eq!(upnp::service("<root/>"), None);
}

#[cfg(target_endian = "little")]
#[test]
fn the_router_is_read_from_the_systems_table() {
    let table = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
                 wlan0 00000000 0102A8C0 0003 0 0 600 00000000 0 0 0\n\
                 eth0 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0\n\
                 eth0 0001A8C0 00000000 0001 0 0 100 00FFFFFF 0 0 0\n";
    assert_eq!(here::gateway_in(table), Some(Ipv4Addr::new(192, 168, 1, 1)));
    assert_eq!(here::gateway_in("Iface\n"), None);
}

fn facts() -> Facts {
    let last = OutsideLast {
        works: false,
        works_here: false,
        from: OutsideFrom::Outside,
        at_ms: 60_000,
    };
    Facts {
        look: Look {
            ports: Ports {
                https: Some(8443),
                media_udp: vec![8444],
                ..Ports::default()
            },
            networks: vec![Network {
                address: [192, 168, 1, 5].into(),
                prefix: 24,
            }],
            router: found("UPnP"),
            ..Look::default()
        },
        verdict: Verdict {
            last: [(OutsideWay::MediaUdp, last)].into(),
            reached_at: Some(IpAddr::from([203, 0, 113, 7])),
        },
    }
}

#[test]
fn the_operator_reads_what_to_do_and_the_log_names_no_address() {
    let text = command::printed(&state(&facts()), UnixMillis(60_000 + 3 * 3_600_000));
    for part in [
        "media over UDP           UDP 8444   no (from outside, 3 hours ago)",
        "the app (HTTPS)          TCP 8443   not tested",
        "- Forward UDP 8444 to 192.168.1.5 in the router",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let line = watch::line(&facts());
    assert!(
        line.contains("0 of 3 ways") && line.contains("not_forwarded"),
        "{line}"
    );
    assert!(
        !line.contains("192.168") && !line.contains("203.0"),
        "{line}"
    );
}

#[tokio::test]
async fn a_node_whose_results_can_not_be_read_begins_anew_and_keeps_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("outside.json");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "no results").unwrap();
    let mut home = Home::Alone(Alone::open(path.clone()));
    let test = |tried| OutsideTest {
        source: [198, 51, 100, 9].into(),
        reached_at: None,
        tried,
    };
    let none = home.note_test(&test(Vec::new())).await;
    assert_eq!(none, Err(ReachabilityError::BadTest));
    let tried = OutsideTried {
        way: OutsideWay::MediaUdp,
        works: true,
        works_here: false,
    };
    home.note_test(&test(vec![tried])).await.unwrap();
    let again = Home::Alone(Alone::open(path.clone())).facts();
    assert_eq!(again.verdict, home.facts().verdict);
    assert!(again.verdict.last[&OutsideWay::MediaUdp].works);
    // What can't be kept is not known either.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let before = home.facts();
    let kept = home.note_test(&test(vec![tried])).await;
    assert_eq!(kept, Err(ReachabilityError::NotKept));
    assert_eq!(home.facts(), before);
}
