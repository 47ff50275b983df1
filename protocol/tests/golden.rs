//! Holds the bytes of every frame of a session: old clients and new servers must read each other.
//! `UPDATE=1 cargo test -p homeline-protocol --test golden` writes the files anew; a change in them
//! is a change of the public protocol.

#![expect(clippy::unwrap_used, reason = "a test may panic in its helpers too")]

mod golden_samples;

use std::collections::BTreeSet;
use std::fmt::Debug;

use golden_samples as samples;
use homeline_protocol::session::{
    ApiError, ClientFrame, DeviceKind, EndReason, ErrorCode, Event, Outcome, Presence, Reply,
    Request, ServerFrame,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ts_rs::{Config, TS};

/// Compares samples with the file that holds them, byte for byte, and reads them back.
fn hold<T: Serialize + DeserializeOwned + PartialEq + Debug>(file: &str, samples: &[T]) {
    let lines: Vec<_> = samples
        .iter()
        .map(|sample| serde_json::to_string(sample).unwrap())
        .collect();
    for (line, sample) in lines.iter().zip(samples) {
        assert_eq!(&serde_json::from_str::<T>(line).unwrap(), sample, "{line}");
    }
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let path = format!("{}/tests/golden/{file}.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(format!("{}/tests/golden", env!("CARGO_MANIFEST_DIR"))).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    for (held, line) in held.lines().skip(1).zip(&lines) {
        assert_eq!(
            held.trim_end_matches(','),
            line,
            "{file}.json: the bytes have changed"
        );
    }
    assert!(
        held == text,
        "{file}.json is stale: run this test with UPDATE=1"
    );
}

/// Every variant that the type has, by its tag on the wire, has a sample.
fn complete<T: TS + Serialize + 'static>(samples: &[T]) {
    let declaration = T::decl(&Config::default());
    let declared: BTreeSet<_> = declaration
        .split("\"type\": \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    assert!(declared.len() > 3, "{declaration}");
    let tag = |sample: &T| {
        serde_json::to_value(sample).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let sampled: BTreeSet<_> = samples.iter().map(tag).collect();
    assert_eq!(declared, sampled);
}

/// The same for an enum of plain words.
fn all_words<T: TS + Serialize + 'static>(samples: &[T]) {
    let declaration = T::decl(&Config::default());
    let declared: BTreeSet<_> = declaration
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    let sampled: BTreeSet<_> = samples
        .iter()
        .map(|sample| {
            serde_json::to_value(sample)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(declared, sampled);
}

#[test]
fn requests_keep_their_bytes() {
    let requests: Vec<Request> = samples::requests();
    complete(&requests);
    hold("requests", &requests);
}

#[test]
fn replies_keep_their_bytes() {
    let replies: Vec<Reply> = samples::replies();
    complete(&replies);
    hold("replies", &replies);
}

#[test]
fn events_keep_their_bytes() {
    let events: Vec<Event> = samples::events();
    complete(&events);
    hold("events", &events);
}

#[test]
fn pushes_keep_their_bytes() {
    hold("push_notices", &samples::push_notices());
}

#[test]
fn frames_keep_their_bytes() {
    let (client, server) = (samples::client_frames(), samples::server_frames());
    complete::<ClientFrame>(&client);
    complete::<ServerFrame>(&server);
    hold("client_frames", &client);
    hold("server_frames", &server);
    hold::<Outcome>("outcomes", &samples::outcomes());
}

#[test]
fn words_keep_their_bytes() {
    let codes = samples::error_codes();
    all_words::<ErrorCode>(&codes);
    hold("error_codes", &codes);
    let reasons = samples::end_reasons();
    all_words::<EndReason>(&reasons);
    hold("end_reasons", &reasons);
    let presences = [Presence::Online, Presence::Asleep, Presence::Offline];
    all_words(&presences);
    hold("presences", &presences);
    let kinds = [DeviceKind::App, DeviceKind::HomeDevice];
    all_words(&kinds);
    hold("device_kinds", &kinds);
    let mut limited = ApiError::new(ErrorCode::RateLimited, "Too many tries.");
    limited.retry_after_secs = Some(7);
    hold(
        "errors",
        &[ApiError::new(ErrorCode::NotFound, "Nobody here."), limited],
    );
}

#[test]
fn a_field_that_a_newer_peer_adds_is_passed_over() {
    let text = r#"{"type":"get_home","colour":"green"}"#;
    assert_eq!(
        serde_json::from_str::<Request>(text).unwrap(),
        Request::GetHome
    );
    let text = r#"{"type":"pong","at":7}"#;
    assert_eq!(
        serde_json::from_str::<ServerFrame>(text).unwrap(),
        ServerFrame::Pong
    );
}
