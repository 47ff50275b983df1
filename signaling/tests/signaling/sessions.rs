//! Opening sessions, and what a session does with frames that are wrong, late, long or too many.

use homeline_protocol::session::{
    ClientFrame, ErrorCode, Event, Outcome, Presence, Reply, Request, ServerFrame,
};
use homeline_protocol::{PROTOCOL_VERSION, Secret};
use homeline_signaling::edge::session::{SessionConfig, SignalingFigures};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::calls::{anna_and_ben, talking};
use crate::harness::{Client, Configs, Server, greet, hello, offer};

fn configured(sessions: SessionConfig) -> Configs {
    Configs {
        sessions,
        ..Configs::default()
    }
}

async fn turned_away(server: &Server, first: &str) -> homeline_protocol::session::ApiError {
    match greet(server, first).await.0 {
        ServerFrame::Goodbye { error } => error,
        other => panic!("{other:?}"),
    }
}

fn json(frame: &ClientFrame) -> String {
    serde_json::to_string(frame).unwrap()
}

// req: REG-1
#[tokio::test]
async fn somebody_who_is_not_registered_is_told_to_sign_up_first() {
    let server = Server::start().await;
    let error = turned_away(&server, &json(&hello(&Secret::new(""), None))).await;
    assert_eq!(error.code, ErrorCode::NotRegistered);
    assert!(error.message.contains("Sign up first"), "{}", error.message);
    let error = turned_away(&server, &json(&hello(&Secret::new("made up"), None))).await;
    assert_eq!(error.code, ErrorCode::Unauthorized);
    assert!(error.message.contains("sign up first"), "{}", error.message);
}

#[tokio::test]
async fn another_version_is_told_to_reload_whatever_else_it_says() {
    let server = Server::start().await;
    for frame in [
        format!(r#"{{"type":"hello","protocol":{}}}"#, PROTOCOL_VERSION + 1),
        r#"{"type":"hello","protocol":0,"token":"x","resume":7,"more":[]}"#.to_owned(),
    ] {
        let error = turned_away(&server, &frame).await;
        assert_eq!(error.code, ErrorCode::ProtocolVersion);
        assert!(
            error.message.contains("Reload the page"),
            "{}",
            error.message
        );
    }
}

#[tokio::test]
async fn whoever_does_not_say_hello_is_sent_away() {
    let sessions = SessionConfig {
        hello_timeout_secs: 1,
        ..SessionConfig::default()
    };
    let server = Server::with(configured(sessions)).await;
    for frame in [&json(&ClientFrame::Ping), "nonsense", "{}"] {
        assert_eq!(
            turned_away(&server, frame).await.code,
            ErrorCode::BadRequest,
            "{frame}"
        );
    }
    let url = format!("ws://{}/v1/session", server.address);
    let (mut silent, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let text = futures_util::StreamExt::next(&mut silent)
        .await
        .unwrap()
        .unwrap();
    assert!(text.to_text().unwrap().contains("hello"), "{text}");
}

#[tokio::test]
async fn pages_of_other_sites_cannot_open_a_session() {
    let server = Server::start().await;
    let knock = async |origin: String| {
        let url = format!("ws://{}/v1/session", server.address);
        let mut request = url.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        tokio_tungstenite::connect_async(request).await
    };
    let Err(tungstenite::Error::Http(refused)) = knock("https://evil.example".into()).await else {
        panic!("let in");
    };
    assert_eq!(refused.status(), 403);
    assert!(knock(format!("http://{}", server.address)).await.is_ok());
}

#[tokio::test]
async fn a_request_that_does_not_parse_is_answered_and_the_session_goes_on() {
    let server = Server::start().await;
    let mut anna = server.app(&server.person("anna").await).await;
    for body in [
        r#"{"type":"fly_to_the_moon"}"#,
        r#"{"type":"cancel","call":"not an id"}"#,
        r#"{"type":"set_display_name"}"#,
    ] {
        let id = anna.skip_id();
        anna.send_text(&format!(r#"{{"type":"request","id":{id},"body":{body}}}"#))
            .await;
        let Outcome::Error(error) = anna.reply(id).await else {
            panic!("{body}")
        };
        assert_eq!(error.code, ErrorCode::BadRequest, "{body}");
    }
    anna.ok(Request::GetHome).await;
}

#[tokio::test]
async fn frames_that_cannot_be_answered_end_the_session_with_a_reason() {
    let server = Server::start().await;
    let person = server.person("anna").await;
    let long = format!(
        r#"{{"type":"ping","padding":"{}"}}"#,
        "x".repeat(520 * 1024)
    );
    for (frame, code) in [
        ("{", ErrorCode::BadRequest),
        (
            r#"{"type":"request","id":-1,"body":{"type":"get_home"}}"#,
            ErrorCode::BadRequest,
        ),
        (
            r#"{"type":"request","id":7,"body":{"type":"get_home"}}"#,
            ErrorCode::BadRequest,
        ),
        (
            r#"{"type":"ack","event":99,"reply":0}"#,
            ErrorCode::BadRequest,
        ),
        (long.as_str(), ErrorCode::TooLarge),
    ] {
        let mut client = server.app(&person).await;
        client.send_text(frame).await;
        assert_eq!(
            client.goodbye().await.code,
            code,
            "{}",
            &frame[..frame.len().min(60)]
        );
    }
    let mut client = server.app(&person).await;
    client.send_binary().await;
    assert_eq!(client.goodbye().await.code, ErrorCode::BadRequest);

    // So long that it is not even read: the connection breaks, perhaps before the last word is through.
    let mut client = server.app(&person).await;
    client.send_in_vain(&"x".repeat(2 * 1024 * 1024)).await;
    let twice = |figures: &SignalingFigures| {
        figures.sessions.ended_total.get(&ErrorCode::TooLarge) == Some(&2)
    };
    server.until(twice).await;
}

#[tokio::test]
async fn requests_are_answered_in_order_and_heartbeats_beside_them() {
    let server = Server::start().await;
    let (mut anna, _bens, call) = talking(&server).await;
    server.node.hang();
    let slow = anna.ask(offer(call)).await;
    let after = anna.ask(Request::ListCalls).await;
    anna.pong().await;
    assert!(
        anna.replies_so_far().is_empty(),
        "the second waits for the first"
    );
    assert!(
        matches!(anna.reply(slow).await, Outcome::Error(_)),
        "a node that hangs is gone"
    );
    assert!(matches!(anna.reply(after).await, Outcome::Ok(_)));
}

#[tokio::test]
async fn a_newer_session_of_a_device_replaces_the_older() {
    let server = Server::start().await;
    let ((_, mut anna), _) = anna_and_ben(&server).await;
    let mut second = Client::connect(&server, &anna.seat).await;
    assert!(!second.resumed);
    assert_eq!(anna.goodbye().await.code, ErrorCode::SessionReplaced);
    second.ok(Request::GetHome).await;
    assert_eq!(server.sessions.figures().sessions.running, 2);
}

#[tokio::test]
async fn a_silent_connection_is_dropped_and_one_that_only_answers_is_not() {
    let sessions = SessionConfig {
        heartbeat_secs: 1,
        ..SessionConfig::default()
    };
    let server = Server::with(configured(sessions)).await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    // Its socket is not read, so nobody answers the server's pings.
    let silent = server.home_device(&anna).await;
    let asleep = |event: &Event| match event {
        Event::PresenceChanged {
            presence: Presence::Asleep,
            device,
        } => Some(*device),
        _ => None,
    };
    // The phone says nothing either, but its socket answers, as a browser's does for a hidden tab.
    assert_eq!(phone.event_of(asleep).await, silent.seat.device);
    phone.ok(Request::GetHome).await;
}

#[tokio::test]
async fn a_client_that_takes_in_nothing_falls_out() {
    let sessions = SessionConfig {
        outbox_events_max: 3,
        ..SessionConfig::default()
    };
    let server = Server::with(configured(sessions)).await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let mut kitchen = server.home_device(&anna).await;
    for presence in [Presence::Asleep, Presence::Online, Presence::Asleep] {
        kitchen.ok(Request::SetPresence { presence }).await;
    }
    assert_eq!(phone.goodbye().await.code, ErrorCode::OutboxFull);
}

#[tokio::test]
async fn a_client_that_asks_too_much_waits() {
    let sessions = SessionConfig {
        request_burst_max: 3,
        requests_per_second_max: 1,
        ..SessionConfig::default()
    };
    let server = Server::with(configured(sessions)).await;
    let mut anna = server.app(&server.person("anna").await).await;
    for _ in 0..3 {
        anna.ok(Request::ListCalls).await;
    }
    let Outcome::Error(error) = anna.outcome(Request::ListCalls).await else {
        panic!()
    };
    assert_eq!(error.code, ErrorCode::RateLimited);
    assert!(error.retry_after_secs.is_some());
}

#[tokio::test]
async fn a_server_that_goes_down_says_so() {
    let server = Server::start().await;
    let ((_, mut anna), (_, mut bens)) = anna_and_ben(&server).await;
    server.sessions.shut_down().await;
    for client in [&mut anna, &mut bens] {
        assert_eq!(client.goodbye().await.code, ErrorCode::ShuttingDown);
    }
    let error = turned_away(&server, &json(&hello(&anna.seat.token, None))).await;
    assert_eq!(error.code, ErrorCode::ShuttingDown);
}

#[tokio::test]
async fn the_household_sees_its_devices_come_sleep_and_go() {
    let sessions = SessionConfig {
        resume_window_secs: 1,
        ..SessionConfig::default()
    };
    let server = Server::with(configured(sessions)).await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let mut kitchen = server.home_device(&anna).await;
    let device = kitchen.seat.device;
    let change = move |event: &Event| match event {
        Event::PresenceChanged {
            device: whose,
            presence,
        } if *whose == device => Some(*presence),
        _ => None,
    };
    assert_eq!(phone.event_of(change).await, Presence::Online);
    kitchen
        .ok(Request::SetPresence {
            presence: Presence::Asleep,
        })
        .await;
    assert_eq!(phone.event_of(change).await, Presence::Asleep);
    let Reply::Home(home) = phone.ok(Request::GetHome).await else {
        panic!()
    };
    let shown = home.household.unwrap().devices;
    let shown = shown.iter().find(|shown| shown.id == device).unwrap();
    assert_eq!(shown.presence, Presence::Asleep);
    kitchen
        .ok(Request::SetPresence {
            presence: Presence::Online,
        })
        .await;
    assert_eq!(phone.event_of(change).await, Presence::Online);
    drop(kitchen);
    assert_eq!(
        phone.event_of(change).await,
        Presence::Asleep,
        "it may come back"
    );
    assert_eq!(phone.event_of(change).await, Presence::Offline);
}

#[tokio::test]
async fn what_happens_is_counted() {
    let server = Server::start().await;
    let (mut anna, _bens, _) = talking(&server).await;
    anna.err(Request::ListHistory {
        before_ms: None,
        limit: 0,
    })
    .await;
    anna.ok(Request::ListCalls).await;
    let figures = server.sessions.figures();
    assert_eq!((figures.sessions.running, figures.calls.answered), (2, 1));
    let requests = &figures.sessions.requests_total;
    assert_eq!(requests[&("answer", None)], 1);
    assert_eq!(requests[&("list_history", Some(ErrorCode::BadRequest))], 1);
}
