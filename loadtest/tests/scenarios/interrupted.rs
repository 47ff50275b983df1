//! Ctrl-C, once and twice.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use loadtest::result::RunResult;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// Runs a scenario of a minute until it says this.
fn run_until(
    arguments: &[&str],
    folder: &TempDir,
    phase: &str,
) -> (Child, impl Iterator<Item = String>) {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command
        .args(arguments)
        .args(["--seconds", "60", "--warm-up", "0"])
        .args(["--json", &path("run.json"), "--html", &path("run.html")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let mut said = said.lines().map_while(Result::ok);
    assert!(
        said.any(|line| line.contains(phase)),
        "it never came to that"
    );
    (child, said)
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

fn result(folder: &TempDir) -> (RunResult, String) {
    let result = RunResult::load(&folder.path().join("run.json")).unwrap();
    let page = std::fs::read_to_string(folder.path().join("run.html")).unwrap();
    (result, page)
}

#[test]
fn a_media_run_that_is_ended_early_keeps_what_it_measured_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let line = ["audio-room", "--members", "3", "--decrypt-one-in", "1"];
    let (mut child, _said) = run_until(&line, &folder, "measuring");
    interrupt(&child);
    assert!(child.wait().unwrap().success());
    let (result, page) = result(&folder);
    assert!(result.ended_early && result.measured_s < 30.0);
    // The node was not ended with it: it told its figures at the end.
    assert!(!result.series.is_empty() && result.memory.is_some());
    assert!(result.errors.is_empty(), "{:?}", result.errors);
    assert!(page.contains("The run was ended early"));
}

#[test]
fn a_media_run_that_is_ended_while_people_come_in_has_a_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let line = ["audio-room", "--members", "40", "--joins", "2"];
    let (mut child, _said) = run_until(&line, &folder, "come in");
    interrupt(&child);
    assert!(child.wait().unwrap().success());
    let (result, page) = result(&folder);
    assert!(result.ended_early && result.series.is_empty());
    assert!(
        result
            .notes
            .iter()
            .any(|note| note == "Nothing was measured.")
    );
    assert!(page.contains("The run was ended early"));
}

#[test]
fn a_signaling_run_that_is_ended_early_keeps_what_it_measured_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let line = ["presence", "--devices", "4", "--probes", "50"];
    let (mut child, _said) = run_until(&line, &folder, "measuring");
    interrupt(&child);
    assert!(child.wait().unwrap().success());
    let (result, page) = result(&folder);
    assert!(result.ended_early && result.measured_s < 30.0);
    assert!(result.errors.is_empty(), "{:?}", result.errors);
    assert!(page.contains("The run was ended early"));
}

#[test]
fn a_second_one_ends_the_run_and_its_server_without_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let line = ["audio-room", "--members", "40", "--joins", "2"];
    let (mut child, mut said) = run_until(&line, &folder, "come in");
    let server = server_of(&child);
    interrupt(&child);
    assert!(said.any(|line| line.contains("once more")));
    interrupt(&child);
    let code = child.wait().unwrap().code();
    // It may have been done between the two.
    assert!(code == Some(130) || code == Some(0), "{code:?}");
    assert!(test_kill_process(server).is_err(), "the server runs on");
}

/// The only child of the program.
fn server_of(child: &Child) -> Pid {
    let process = child.id();
    let path = format!("/proc/{process}/task");
    let children = std::fs::read_dir(path).unwrap().filter_map(|task| {
        let children = task.ok()?.path().join("children");
        let text = std::fs::read_to_string(children).ok()?;
        text.split_whitespace().next()?.parse().ok()
    });
    Pid::from_raw(children.last().unwrap()).unwrap()
}
