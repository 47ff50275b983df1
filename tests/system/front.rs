//! The web front: health, figures, the description of the API, certificates, and a stop that says goodbye.

use std::io::Write as _;
use std::net::IpAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use homeline_client::Server as At;
use homeline_client::api::about;
use homeline_protocol::PROTOCOL_VERSION;
use homeline_protocol::session::{ClientFrame, ErrorCode, ServerFrame};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};
use tokio_tungstenite::tungstenite::Message;

use crate::people::{Person, ended, hears, soon, talk};
use crate::server::Server;
use crate::web::{Answer, answer, connect, figure, get, request};

fn fetch(server: &Server, path: &str) -> Answer {
    get(("127.0.0.1", server.port()), "localhost", path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_figures_tell_of_a_call_and_of_no_person() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    assert_eq!(fetch(&server, "/health/live").status, 200);
    let ready = fetch(&server, "/health/ready");
    assert_eq!(ready.status, 200);
    let ready: serde_json::Value = serde_json::from_slice(&ready.body).unwrap();
    assert_eq!(
        ready,
        serde_json::json!({"store": true, "media": true, "stopping": false})
    );

    let anna = Person::found(&server.here(), "zaphodine").await;
    let mut ben = Person::found(&server.here(), "trillianne").await;
    let (mut caller, mut callee) = talk(&anna, &mut ben, "trillianne").await;
    hears(&mut callee.heard, 1_000.0).await;
    let during = fetch(&server, "/metrics").text();
    assert_eq!(figure(&during, "homeline_sessions"), 2);
    assert_eq!(figure(&during, r#"homeline_calls{phase="answered"}"#), 1);
    assert_eq!(figure(&during, "homeline_media_rooms"), 1);
    assert_eq!(figure(&during, "homeline_media_peers"), 2);
    assert!(figure(&during, "homeline_media_packets_forwarded_total") > 0);
    caller.call.hang_up().await;
    ended(&mut caller.call).await;
    ended(&mut callee.call).await;
    // The request's reply comes after the call's end was counted.
    soon("the history", anna.client.history(1)).await.unwrap();
    let after = fetch(&server, "/metrics").text();
    assert_eq!(
        figure(&after, r#"homeline_calls_ended_total{reason="hung_up"}"#),
        1
    );
    assert!(after.ends_with("# EOF\n"), "OpenMetrics has an end");
    for text in [&during, &after] {
        let text = text.to_lowercase();
        assert!(
            !text.contains("zaphod") && !text.contains("trillian"),
            "a person in the figures"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_describes_itself_and_names_every_error() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let text = fetch(&server, "/v1/openapi.json");
    let document: serde_json::Value = serde_json::from_slice(&text.body).unwrap();
    let named = &document["components"]["schemas"]["ErrorCode"]["enum"];
    let named: Vec<&str> = named
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    let codes = every_error_code();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        assert!(named.contains(&code.as_str()), "{code} is not described");
    }
    let page = fetch(&server, "/v1/docs");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("/v1/sign-up"));
}

/// serde names all variants when it refuses one.
fn every_error_code() -> Vec<String> {
    let none: StrDeserializer<'_, Error> = "no such code".into_deserializer();
    let refused = ErrorCode::deserialize(none).unwrap_err().to_string();
    let names = refused.split('`').skip(3).step_by(2);
    names.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_come_with_a_strict_policy_and_the_certificate_can_be_installed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for page in ["/", "/device", "/install"] {
        let answer = fetch(&server, page);
        assert_eq!(answer.status, 200, "{page}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("default-src 'none'") || policy.contains("default-src 'self'"),
            "{page}: {policy}"
        );
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"),
            "{page}: {policy}"
        );
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{page}: {policy}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{page}"
        );
    }
    let held = std::fs::read(data.path().join("certificate/authority.der")).unwrap();
    assert_eq!(fetch(&server, "/install/homeline-authority.crt").body, held);
}

// A device elsewhere gets nothing over plain HTTP but the certificate, and all over HTTPS once it trusts that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_sent_to_https_which_the_own_authority_vouches_for() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let Some(address) = address_of_this_machine() else {
        eprintln!("SKIPPED: this machine has no address but loopback");
        return;
    };
    let elsewhere = |path| get((address, server.port()), &address.to_string(), path);
    let mine = format!("https://{address}:");
    let https = server
        .https_urls
        .iter()
        .find(|url| url.starts_with(&mine))
        .expect("printed");
    for path in ["/", "/v1/about", "/metrics"] {
        let answer = elsewhere(path);
        assert_eq!(answer.status, 307, "{path}");
        assert_eq!(
            answer.header("location"),
            Some(format!("{https}{path}").as_str())
        );
    }
    assert_eq!(elsewhere("/install").status, 200);

    let authority = std::fs::read(data.path().join("certificate/authority.pem")).unwrap();
    let trusting = At::with_authority(https, &authority).unwrap();
    assert_eq!(about(&trusting).await.unwrap().protocol, PROTOCOL_VERSION);
    let wary = At::new(https).unwrap();
    assert!(
        about(&wary).await.is_err(),
        "nobody else trusts this authority"
    );
}

fn address_of_this_machine() -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap();
    interfaces
        .iter()
        .map(if_addrs::Interface::ip)
        .find(|ip| ip.is_ipv4() && !ip.is_loopback())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_tells_sessions_and_ends_in_order() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let anna = Person::found(&server.here(), "anna").await;
    let url = format!("ws://127.0.0.1:{}/v1/session", server.port());
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let token = anna.identity.token.clone();
    let hello = ClientFrame::Hello {
        protocol: PROTOCOL_VERSION,
        token,
        resume: None,
    };
    socket
        .send(Message::text(serde_json::to_string(&hello).unwrap()))
        .await
        .unwrap();
    let welcome: ServerFrame = next_frame(&mut socket).await;
    assert!(matches!(welcome, ServerFrame::Welcome { .. }));

    // A question that is half asked when the stop begins is still answered: not ready any more.
    let asked = request("localhost", "/health/ready");
    let (begun, rest) = asked.split_at(asked.len() - 2);
    let mut half = connect(("127.0.0.1", server.port()));
    half.write_all(begun.as_bytes()).unwrap();
    assert_eq!(fetch(&server, "/health/ready").status, 200);
    server.terminate();
    let goodbye = loop {
        match next_frame(&mut socket).await {
            ServerFrame::Goodbye { error } => break error,
            ServerFrame::Event { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(goodbye.code, ErrorCode::ShuttingDown);
    half.write_all(rest.as_bytes()).unwrap();
    let stopping = answer(half);
    assert_eq!(stopping.status, 503);
    let stopping: serde_json::Value = serde_json::from_slice(&stopping.body).unwrap();
    assert_eq!(stopping["stopping"], true);
    drop(socket);
    drop(anna);
    let ended = soon("the end", tokio::task::spawn_blocking(|| server.ended()))
        .await
        .unwrap();
    assert_eq!(ended.code(), Some(0));
}

async fn next_frame<S>(socket: &mut S) -> ServerFrame
where
    S: futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    loop {
        let message = soon("a frame", socket.next()).await.expect("open").unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}
