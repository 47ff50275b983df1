//! Whether a media node that stands alone can be reached from outside: over its control interface, and by a command.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::admin::MediaNode;
use super::refused;

const AT: &str = "/v1/reachability";
const TURN_SECRET: (&str, &str) = ("HOMELINE_MEDIA__TURN__SECRET", "a secret of two");
const ASK_NO_ROUTER: (&str, &str) = ("HOMELINE_SERVER__OUTSIDE__ASK_ROUTER", "false");

fn start() -> MediaNode {
    let port = |name| (name, "0");
    MediaNode::start_with(&[
        ASK_NO_ROUTER,
        TURN_SECRET,
        port("HOMELINE_MEDIA__TURN__UDP_PORT"),
        port("HOMELINE_MEDIA__TURN__TCP_PORT"),
    ])
}

fn ways(state: &Value) -> Vec<&str> {
    let ways = state["ways"].as_array().expect("ways");
    ways.iter().filter_map(|way| way["way"].as_str()).collect()
}

fn codes(state: &Value) -> Vec<&str> {
    let findings = state["findings"].as_array().expect("findings");
    let codes = findings.iter().filter_map(|one| one["code"].as_str());
    codes.collect()
}

/// From an address outside, where only these ways work.
fn tested(works: &[&str]) -> Value {
    let all = ["media_udp", "media_tcp", "relay_udp", "relay_tcp"];
    let tried =
        all.map(|way| json!({"way": way, "works": works.contains(&way), "works_here": false}));
    json!({"test": {"source": "198.51.100.9", "tried": tried}})
}

/// What the command prints for a node on that data directory, whose media is on that port.
fn printed(data: &Path, port: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_homeline"))
        .args(["reachability", "--roles", "media", "--data-dir"])
        .arg(data)
        .current_dir(data)
        .envs([
            ASK_NO_ROUTER,
            TURN_SECRET,
            ("HOMELINE_MEDIA__UDP_PORT", port),
        ])
        .output()
        .expect("the binary starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    String::from_utf8(output.stdout).expect("a text")
}

#[test]
fn a_node_alone_says_whether_it_can_be_reached_and_what_to_forward() {
    let node = start();
    refused(node.send("POST", AT, None, "{}"), 401, "unauthorized");
    let before = node.ask("POST", AT, &json!({}));
    assert_eq!(before.status, 200);
    let before = before.json();
    let expected = ["media_udp", "media_tcp", "relay_udp", "relay_tcp"];
    assert_eq!(ways(&before), expected, "no app, and no TLS of the relay");
    assert!(codes(&before).contains(&"never_tested"), "{before}");
    assert!(before["looked_at_ms"].is_u64() && before.to_string().contains(AT));
    let port = before["ways"][0]["port"].to_string();

    let twice = json!({"way": "media_udp", "works": true, "works_here": false});
    let twice = json!({"test": {"source": "198.51.100.9", "tried": [twice, twice]}});
    for none in [
        twice,
        json!({"test": {"source": "198.51.100.9", "tried": []}}),
    ] {
        refused(node.ask("POST", AT, &none), 400, "bad_request");
    }
    refused(
        node.ask("POST", AT, &json!({"tset": 1})),
        400,
        "bad_request",
    );

    let after = node
        .ask(
            "POST",
            AT,
            &tested(&["relay_udp", "media_tcp", "relay_tcp"]),
        )
        .json();
    assert_eq!(codes(&after)[0], "not_forwarded", "{after}");
    let steps = after["findings"][0]["steps"].to_string();
    assert!(
        steps.contains(&format!("Forward UDP {port} to ")),
        "{steps}"
    );
    assert_eq!(after["ways"][0]["last"]["from"], "outside");

    // The command says the same, also once the node is gone, and so does the next node.
    let data = node.folder.path().join("data");
    let says = |text: &str| {
        let way = format!("media over UDP           UDP {port:<6} no (from outside, just now)");
        text.contains(&way) && text.contains("Forward UDP ")
    };
    let text = printed(&data, &port);
    assert!(says(&text) && !text.contains("the app (HTTPS)"), "{text}");
    let all = node.ask("POST", AT, &tested(&expected)).json();
    assert!(codes(&all).contains(&"all_well"), "{all}");
    assert!(printed(&data, &port).contains("can be reached from outside, on every way"));
}

#[test]
fn results_that_can_not_be_read_are_said_to_count_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("outside.json");
    let told = "! The results of earlier tests can't be read and count as none: ";
    let whole = printed(folder.path(), "8444");
    assert!(
        whole.contains("not tested") && !whole.contains(told),
        "{whole}"
    );
    for content in [
        "",
        "{\"last\": 7}",
        "\u{1}\u{2}",
        "{\"last\":[[\"media_udp\",",
    ] {
        std::fs::write(&file, content).unwrap();
        let text = printed(folder.path(), "8444");
        assert!(text.contains("not tested") && text.contains(told), "{text}");
        assert!(text.contains("outside.json"), "{text}");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(printed(folder.path(), "8444").contains(told));
    // Half a result of an interrupted run beside it is none, and in nobody's way.
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(folder.path().join("outside.json.new"), "{\"la").unwrap();
    let text = printed(folder.path(), "8444");
    assert!(
        text.contains("not tested") && !text.contains(told),
        "{text}"
    );
}
