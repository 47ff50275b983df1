//! Runs the program and reads what it leaves.

use std::fs;
use std::process::{Command, Output};

use loadtest::result::RunResult;
use tempfile::TempDir;

/// A run that is over.
pub(crate) struct Ran {
    pub(crate) result: RunResult,
    pub(crate) page: String,
    pub(crate) output: Output,
    pub(crate) folder: TempDir,
}

pub(crate) fn loadtest(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    let output = command.args(arguments).output();
    output.unwrap()
}

/// Runs a scenario with few people for two seconds.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, |_| {})
}

/// For what takes seconds by itself.
pub(crate) fn run_for(seconds: &str, arguments: &[&str]) -> Ran {
    measure(seconds, arguments, |_| {})
}

pub(crate) fn run_with(arguments: &[&str], prepare: impl FnOnce(&TempDir)) -> Ran {
    measure("2", arguments, prepare)
}

fn measure(seconds: &str, arguments: &[&str], prepare: impl FnOnce(&TempDir)) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    prepare(&folder);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, html, budget) = (path("run.json"), path("run.html"), path("budget.toml"));
    let mut all = arguments.to_vec();
    all.extend(["--seconds", seconds, "--warm-up", "0.5", "--quiet"]);
    all.extend(["--json", &json, "--html", &html]);
    if fs::exists(&budget).unwrap() {
        all.extend(["--budget", &budget]);
    }
    let output = loadtest(&all);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(fs::exists(&json).unwrap(), "no result: {said}");
    Ran {
        result: RunResult::load(json.as_ref()).unwrap(),
        page: fs::read_to_string(&html).unwrap(),
        output,
        folder,
    }
}

impl Ran {
    /// It measured something, nothing went wrong, and the page is about it.
    pub(crate) fn went_well(&self) -> &RunResult {
        let result = &self.result;
        let printed = String::from_utf8_lossy(&self.output.stdout);
        assert!(self.output.status.success(), "{printed}");
        assert!(result.errors.is_empty(), "{:?}", result.errors);
        assert!(
            result.work.count > 0 && result.work.cpu_s.is_some(),
            "{:?}",
            result.work
        );
        let first = result.latencies.first().unwrap();
        assert!(
            first.id == "latency" && first.count > 0 && first.p50_ms > 0.0,
            "{first:?}"
        );
        assert!(!result.series.is_empty() && result.measured_s > 1.5);
        assert!(self.page.contains(&result.scenario.story) && printed.contains("p99"));
        result
    }

    pub(crate) fn carried_media(&self) {
        let result = self.went_well();
        let loss = result.loss.as_ref().unwrap();
        assert!(loss.received > 0 && loss.silent == 0, "{loss:?}");
        // Others work on the machine; a busy one may drop a few.
        assert!(loss.per_mille < 20.0, "{loss:?}");
        assert!(result.work.cpu_us_each.unwrap() > 0.0 && result.memory.is_some());
        let ids: Vec<&str> = result.latencies.iter().map(|one| one.id.as_str()).collect();
        assert!(ids.contains(&"inside") && ids.contains(&"join"), "{ids:?}");
    }
}
