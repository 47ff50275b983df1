//! Sampling a server while a scenario goes on, and the result of it.

use std::time::{Duration, Instant};

use super::stage::Stage;
use super::tally::Kind;
use crate::machine;
use crate::result::RunResult;
use crate::result::model::{FORMAT, Memory, Sample, Scenario};
use crate::run::interval::{Reading, ServerReading, bottlenecks};

/// Length of an interval, seconds.
const INTERVAL_MAX: f64 = 1.0;
const INTERVAL_MIN: f64 = 0.25;

/// What the sampling saw.
pub(super) struct Seen {
    before: Reading,
    after: Reading,
    series: Vec<Sample>,
}

/// How a scenario calls things.
pub(super) struct Words {
    pub(super) title: String,
    pub(super) story: String,
    pub(super) participants: u64,
    pub(super) participant: &'static str,
    pub(super) counted: (&'static str, &'static str),
    pub(super) kinds: &'static [Kind],
}

impl Stage<'_> {
    /// The server and this machine, now.
    pub(super) fn read(&self) -> Reading {
        let process = self.child.as_ref().map(|child| child.process());
        Reading::now(ServerReading {
            cpu: process.and_then(machine::cpu_of),
            media_cpu: None,
            resident: process.and_then(machine::resident_of),
            done: self.tally.count(),
            bytes_out: None,
        })
    }

    /// Lets a load go on and samples meanwhile, from after the warm-up to the end of the time.
    pub(super) async fn during(&self, many: &str, load: impl Future<Output = ()>) -> Seen {
        let (seen, ()) = tokio::join!(self.sample(many), load);
        seen
    }

    async fn sample(&self, many: &str) -> Seen {
        self.progress.phase("warming up");
        let warm_up = Duration::from_secs_f64(self.common.warm_up.max(0.0));
        self.stop.sleep(warm_up).await;
        let began = Instant::now();
        self.tally.begin(began);
        let before = self.read();
        let seconds = self.common.seconds.max(0.1);
        let interval = (seconds / 10.0).clamp(INTERVAL_MIN, INTERVAL_MAX);
        let (mut last, mut series) = (before, Vec::new());
        let mut number = 0_u32;
        // Once measuring has begun, something is measured.
        let mut on = !self.stop.asked();
        if on {
            self.progress.phase("measuring");
        }
        while on {
            number += 1;
            let end = (f64::from(number) * interval).min(seconds);
            self.stop
                .sleep_until(began + Duration::from_secs_f64(end))
                .await;
            let now = self.read();
            let sample = now.sample(&last, began, &self.tally.take_interval());
            self.progress.measured(seconds, &sample, many);
            series.push(sample);
            last = now;
            on = began.elapsed().as_secs_f64() < seconds && !self.stop.asked();
        }
        Seen {
            before,
            after: last,
            series,
        }
    }

    /// Everything together.
    pub(super) fn result(
        &self,
        words: Words,
        seen: Seen,
        memory: Option<Memory>,
        mut notes: Vec<String>,
    ) -> RunResult {
        if seen.series.is_empty() {
            notes.push("Nothing was measured.".to_owned());
        }
        let latencies = self.tally.latencies(words.kinds);
        let (late, skipped, errors) = self.tally.rest();
        let mut generator = seen.after.generator(&seen.before, &late, skipped);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        generator.threads = cores as u64;
        let busy = seen.after.busy_since(&seen.before);
        generator.bottlenecks =
            bottlenecks(&generator, latencies.first(), busy, self.facts.same_machine);
        RunResult {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began_at: self.began_at.clone(),
            scenario: Scenario {
                name: self.name.to_owned(),
                title: words.title,
                story: words.story,
                participants: words.participants,
                participant: words.participant.to_owned(),
            },
            options: self.kept.clone(),
            machine: machine::facts(),
            server: self.facts.clone(),
            measured_s: (seen.after.at - seen.before.at).as_secs_f64(),
            ended_early: self.stop.asked(),
            latencies,
            work: seen.after.work(&seen.before, words.counted),
            loss: None,
            pictures: Vec::new(),
            memory,
            generator,
            errors,
            notes,
            series: seen.series,
        }
    }
}
