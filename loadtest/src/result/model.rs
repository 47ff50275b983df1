//! The result of a run, as it is kept in a file: versioned, and complete enough to make the page anew.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::histogram::Latency;

/// The form of the file. It changes when an older program would misread a newer file.
pub const FORMAT: u32 = 1;

/// Everything that a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult {
    /// See [`FORMAT`].
    pub format: u32,
    /// The load test's version.
    pub version: String,
    /// When it began, as RFC 3339.
    pub began_at: String,
    /// What was run.
    pub scenario: Scenario,
    /// Every option that has a bearing on the figures, by name.
    pub options: BTreeMap<String, String>,
    /// What it ran on.
    pub machine: Machine,
    /// What was measured.
    pub server: Server,
    /// Seconds that were measured, warm-up not among them.
    pub measured_s: f64,
    /// The operator ended it before its time.
    pub ended_early: bool,
    /// Latencies; the first is the one that the scenario is about.
    pub latencies: Vec<Latency>,
    /// What the server did, and what each cost.
    pub work: Work,
    /// What was lost; media scenarios only.
    pub loss: Option<Loss>,
    /// Which sizes of pictures were sent to whom; meetings only.
    #[serde(default)]
    pub pictures: Vec<Pictures>,
    /// Memory for each participant.
    pub memory: Option<Memory>,
    /// How the load test itself fared.
    pub generator: Generator,
    /// Errors by kind.
    pub errors: BTreeMap<String, u64>,
    /// What a reader must know beside the figures.
    pub notes: Vec<String>,
    /// Figures of each interval.
    pub series: Vec<Sample>,
}

/// What was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scenario {
    /// As on the command line.
    pub name: String,
    /// With its numbers: "audio-room of 10".
    pub title: String,
    /// What happens in it, for people.
    pub story: String,
    /// How many take part.
    pub participants: u64,
    /// What one of them is called: "participant", "device".
    pub participant: String,
}

/// What it ran on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many processors the system has.
    pub cores: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Kernel and its version.
    pub system: String,
}

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// "media node" or "whole server".
    pub kind: String,
    /// Whether the load test started it.
    pub started_here: bool,
    /// Whether it ran on the load test's machine, and shared its processors.
    pub same_machine: bool,
    /// Threads that carry media; 0 where that does not matter.
    pub media_threads: u64,
}

/// What the server did while it was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Work {
    /// What is counted, one: "forwarded packet".
    pub one: String,
    /// Several: "forwarded packets".
    pub many: String,
    /// How many.
    pub count: u64,
    /// In a second.
    pub per_second: f64,
    /// Processor time of the server, seconds; absent where it can't be read.
    pub cpu_s: Option<f64>,
    /// Cores that were busy with the server, on the average.
    pub cpu_cores: Option<f64>,
    /// Cores that were busy with its media threads, on the average.
    pub media_cores: Option<f64>,
    /// Processor time for each, microseconds.
    pub cpu_us_each: Option<f64>,
    /// What the server sent, bits a second; media scenarios only.
    pub bits_out_per_second: Option<f64>,
}

/// What was lost between the node's sending and the receivers' reading, told by sequence numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Loss {
    /// Packets that receivers got.
    pub received: u64,
    /// Packets that receivers missed, before repair.
    pub lost: u64,
    /// Lost, of a thousand.
    pub per_mille: f64,
    /// Packets that came more than once.
    pub duplicates: u64,
    /// Packets that were sent again on request.
    pub repaired: u64,
    /// Packets that publishers sent.
    pub sent: u64,
    /// Subscriptions that should have received something and did not.
    pub silent: u64,
    /// Subscriptions in all.
    pub subscriptions: u64,
}

/// Pictures that are shown in one size, and in which they were sent at the end of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pictures {
    /// The size: "1280 x 720".
    pub shown: String,
    /// How many are shown so.
    pub count: u64,
    /// Those that were sent in that size.
    pub as_asked: u64,
    /// How many were sent in which size.
    pub sent: BTreeMap<String, u64>,
    /// Bits a second of all of them.
    pub bits_per_second: u64,
}

/// Memory of the server's process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Before the first participant.
    pub before_bytes: u64,
    /// At the end of the run.
    pub after_bytes: u64,
    /// For each further participant.
    pub each_bytes: f64,
    /// How that was found, for people.
    pub method: String,
    /// Population and resident memory, at each step.
    pub steps: Vec<(u64, u64)>,
}

/// How the load test itself fared: a generator that was late measured itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Generator {
    /// Things begun after their time, milliseconds: half of them by no more than this.
    pub late_p50_ms: f64,
    /// 99 of 100.
    pub late_p99_ms: f64,
    /// The latest.
    pub late_max_ms: f64,
    /// Things that were not begun at all, since they were too late.
    pub skipped: u64,
    /// Threads that generate.
    pub threads: u64,
    /// Cores that were busy with it, on the average.
    pub cpu_cores: f64,
    /// How busy its busiest thread was, 0 to 1; absent where threads share the work freely.
    pub busiest_thread: Option<f64>,
    /// Why the figures are not only the server's; empty when they are.
    pub bottlenecks: Vec<String>,
}

/// Figures of one interval.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since measuring began, at the interval's end.
    pub at_s: f64,
    /// Half of the first latency took no longer.
    pub p50_ms: Option<f64>,
    /// 99 of 100.
    pub p99_ms: Option<f64>,
    /// The slowest.
    pub max_ms: Option<f64>,
    /// What the server did, in a second.
    pub per_second: f64,
    /// Cores that were busy with the server.
    pub server_cores: Option<f64>,
    /// Cores that were busy with the load test.
    pub generator_cores: f64,
    /// The share of all processors that was busy with anything, 0 to 1.
    pub machine_busy: Option<f64>,
    /// Processor time for each, microseconds.
    pub cpu_us_each: Option<f64>,
    /// Resident memory of the server.
    pub resident_bytes: Option<u64>,
    /// Lost, of a thousand.
    pub loss_per_mille: Option<f64>,
}

impl RunResult {
    /// Writes it to a file.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// When the file can't be read, or is not a result of this form.
    pub fn load(path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Form {
            format: u32,
        }
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let not_ours = || format!("{} is not a result of a load test", path.display());
        let form: Form = serde_json::from_str(&text).with_context(not_ours)?;
        if form.format != FORMAT {
            bail!(
                "{} has format {}, and this program reads format {FORMAT}",
                path.display(),
                form.format
            );
        }
        serde_json::from_str(&text).with_context(not_ours)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::result::Times;
    use std::time::Duration;

    fn sample(second: u64) -> Sample {
        Sample {
            at_s: second as f64,
            p50_ms: Some(0.3 + 0.01 * (second % 3) as f64),
            p99_ms: Some(1.1 + 0.02 * (second % 3) as f64),
            max_ms: Some(2.0),
            per_second: 4_500.0,
            server_cores: Some(0.02),
            generator_cores: 0.1,
            machine_busy: Some(0.2),
            cpu_us_each: Some(4.0 + 0.1 * (second % 3) as f64),
            resident_bytes: Some(20_000_000 + second * 1_000),
            loss_per_mille: Some(0.0),
        }
    }

    fn machine() -> Machine {
        Machine {
            processor: "A processor".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            system: "Linux 6".to_owned(),
        }
    }

    /// A run with a bit of everything.
    pub(crate) fn example() -> RunResult {
        let mut times = Times::default();
        for micros in 1..=10_000 {
            times.record(Duration::from_micros(200 + micros / 10));
        }
        RunResult {
            format: FORMAT,
            version: "0.1.0".to_owned(),
            began_at: "2026-01-01T00:00:00Z".to_owned(),
            scenario: Scenario {
                name: "audio-room".to_owned(),
                title: "audio-room of 10".to_owned(),
                story: "One room.".to_owned(),
                participants: 10,
                participant: "participant".to_owned(),
            },
            options: BTreeMap::from([("members".to_owned(), "10".to_owned())]),
            machine: machine(),
            server: Server {
                version: "0.1.0".to_owned(),
                kind: "media node".to_owned(),
                started_here: true,
                same_machine: true,
                media_threads: 1,
            },
            measured_s: 10.0,
            ended_early: false,
            latencies: times
                .latency("latency", "Latency", "")
                .into_iter()
                .collect(),
            work: Work {
                one: "forwarded packet".to_owned(),
                many: "forwarded packets".to_owned(),
                count: 45_000,
                per_second: 4_500.0,
                cpu_s: Some(0.18),
                cpu_cores: Some(0.018),
                media_cores: Some(0.017),
                cpu_us_each: Some(4.0),
                bits_out_per_second: Some(5e6),
            },
            loss: Some(Loss {
                received: 45_000,
                subscriptions: 90,
                sent: 5_000,
                ..Loss::default()
            }),
            pictures: Vec::new(),
            memory: Some(Memory {
                before_bytes: 15_000_000,
                after_bytes: 16_000_000,
                each_bytes: 50_000.0,
                method: "slope".to_owned(),
                steps: vec![(0, 15_000_000), (5, 15_250_000), (10, 15_500_000)],
            }),
            generator: Generator {
                late_p50_ms: 0.05,
                late_p99_ms: 0.2,
                late_max_ms: 1.0,
                threads: 1,
                cpu_cores: 0.1,
                ..Generator::default()
            },
            errors: BTreeMap::new(),
            notes: Vec::new(),
            series: (1..=10).map(sample).collect(),
        }
    }

    #[test]
    fn a_result_is_read_as_it_was_written_and_another_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        let mut result = example();
        result.save(&path).unwrap();
        let read = RunResult::load(&path).unwrap();
        assert_eq!(read.scenario.title, result.scenario.title);
        assert_eq!(read.series.len(), result.series.len());
        let (read, written) = (read.figures(), result.figures());
        for (name, figure) in written {
            assert!((read[&name].value - figure.value).abs() < 1e-9, "{name}");
        }
        result.format = 2;
        result.save(&path).unwrap();
        assert!(
            RunResult::load(&path)
                .unwrap_err()
                .to_string()
                .contains("format 2")
        );
        std::fs::write(&path, "[]").unwrap();
        assert!(RunResult::load(&path).is_err());
    }
}
