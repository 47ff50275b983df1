//! Every scenario for two seconds, by the program itself, against real servers.

#![expect(clippy::unwrap_used, reason = "a test may panic in its helpers too")]

mod elsewhere;
mod interrupted;
mod support;

use std::fs;

use support::{loadtest, run, run_for, run_with};

#[test]
fn an_audio_room() {
    let ran = run(&["audio-room", "--members", "4", "--decrypt-one-in", "2"]);
    ran.carried_media();
    // Four people, three others each, fifty packets a second.
    let rate = ran.result.work.per_second;
    assert!((500.0..700.0).contains(&rate), "{rate}");
}

#[test]
fn a_fan_out_with_everything_on() {
    run(&[
        "fan-out",
        "--receivers",
        "4",
        "--kbits",
        "500",
        "--everything",
    ])
    .carried_media();
}

#[test]
fn pairs() {
    let ran = run(&["pairs", "--calls", "2", "--decrypt-one-in", "1"]);
    ran.carried_media();
    let ids: Vec<&str> = ran
        .result
        .latencies
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert!(
        ids.contains(&"sound") && ids.contains(&"picture"),
        "{ids:?}"
    );
}

#[test]
fn a_meeting_in_which_everybody_is_sent_the_sizes_that_they_show() {
    let ran = run(&["meeting", "--members", "3"]);
    ran.carried_media();
    // Three people who show one of the others large and the other small.
    let pictures = &ran.result.pictures;
    let shown: Vec<(&str, u64)> = pictures
        .iter()
        .map(|of| (of.shown.as_str(), of.count))
        .collect();
    assert_eq!(shown, [("1280 x 720", 3), ("320 x 180", 3)]);
    assert!(
        pictures.iter().all(|of| of.as_asked == of.count),
        "{pictures:?}"
    );
    assert!(
        pictures[0].bits_per_second > 5 * pictures[1].bits_per_second,
        "{pictures:?}"
    );
    assert!(ran.page.contains("3 in 1280 x 720") && ran.page.contains("3 in 320 x 180"));
}

#[test]
fn signing_up() {
    let ran = run(&["register", "--rate", "2", "--arrivals", "fixed"]);
    assert_eq!(ran.went_well().work.one, "sign-up");
}

#[test]
fn presence() {
    let ran = run(&["presence", "--devices", "8", "--probes", "20"]);
    assert_eq!(
        ran.went_well()
            .memory
            .as_ref()
            .unwrap()
            .steps
            .last()
            .unwrap()
            .0,
        8
    );
}

#[test]
fn calls_that_ring_and_are_answered() {
    let ran = run(&["calls", "--rate", "5", "--hold", "0.2", "--people", "16"]);
    let ids: Vec<&str> = ran
        .went_well()
        .latencies
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(ids, ["latency", "ring"]);
}

#[test]
fn calls_with_keys_and_sound() {
    let line = [
        "calls",
        "--media",
        "--rate",
        "1",
        "--arrivals",
        "fixed",
        "--hold",
        "0.2",
        "--people",
        "8",
    ];
    let ran = run(&line);
    let ids: Vec<&str> = ran
        .went_well()
        .latencies
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(ids, ["latency", "ring", "answer", "keys"]);
}

#[test]
fn a_reconnect_storm() {
    let ran = run(&["reconnect-storm", "--devices", "8"]);
    let all_back = ran
        .went_well()
        .latencies
        .iter()
        .find(|one| one.id == "all_back");
    assert!(all_back.is_some_and(|times| times.count >= 1));
}

// req: DROP-8
#[test]
fn a_room_that_is_dropped_in_on_is_heard_after_its_tone_without_anybody_answering() {
    let ran = run_for("8", &["drop-in", "--rate", "1", "--hold", "0.1"]);
    let latencies = &ran.went_well().latencies;
    let of = |id: &str| latencies.iter().find(|one| one.id == id).unwrap();
    assert!(of("latency").count >= 1 && of("opened").count >= 1);
    assert!(of("opened").p50_ms >= 700.0, "before the tone had ended");
    assert!(of("latency").p50_ms < 10_000.0);
}

// req: ANN-1
#[test]
fn an_announcement_begins_at_all_devices_together_though_their_clocks_are_wrong() {
    let ran = run(&["announcement", "--devices", "5", "--rate", "2"]);
    let latencies = &ran.went_well().latencies;
    let of = |id: &str| latencies.iter().find(|one| one.id == id).unwrap();
    // Four devices each time. On a busy machine a few are late; a clock that is seconds wrong would show.
    assert!(of("latency").count >= 4 && of("latency").p50_ms < 1_000.0);
    assert!(of("apart").p50_ms < 40.0, "{}", of("apart").p50_ms);
}

#[test]
fn a_budget_that_does_not_hold_fails_the_run_with_a_line_for_each_point() {
    let line = ["audio-room", "--members", "2", "--decrypt-one-in", "1"];
    let ran = run_with(&line, |folder| {
        let budget = "latency_p50_ms = 0.000001\nper_second_min = 10\nno_such_figure = 1\n";
        fs::write(folder.path().join("budget.toml"), budget).unwrap();
    });
    let printed = String::from_utf8_lossy(&ran.output.stdout);
    assert_eq!(ran.output.status.code(), Some(1), "{printed}");
    for line in [
        "FAIL  latency_p50_ms is",
        "pass  per_second is",
        "FAIL  no_such_figure",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    // Beside itself it does not differ.
    let json = ran.folder.path().join("run.json");
    let page = ran.folder.path().join("beside.html");
    let (json, page) = (json.to_str().unwrap(), page.to_str().unwrap());
    let compared = loadtest(&["compare", json, json, "--html", page]);
    let printed = String::from_utf8_lossy(&compared.stdout);
    assert!(
        printed.contains("No figure differs by more than noise"),
        "{printed}"
    );
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .contains("Two runs beside each other")
    );
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let refused = loadtest(&["pairs", "--server-binary", "/nowhere/homeline"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("/nowhere/homeline"));
    let refused = loadtest(&["pairs", "--budget", "/nowhere/budget.toml"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("/nowhere/budget.toml"));
}
