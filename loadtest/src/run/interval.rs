//! Readings of clocks and counters, and what lies between two of them.

use std::time::{Duration, Instant};

use crate::machine::{self, Processors};
use crate::result::model::{Generator, Sample, Work};
use crate::result::{Latency, Times};

/// What the server has done and used since its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerReading {
    /// Processor time of its process.
    pub cpu: Option<Duration>,
    /// Processor time of its media threads.
    pub media_cpu: Option<Duration>,
    /// Its resident memory.
    pub resident: Option<u64>,
    /// What it did: packets forwarded, calls set up.
    pub done: u64,
    /// Bytes of media that it sent.
    pub bytes_out: Option<u64>,
}

/// Everything at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// When.
    pub at: Instant,
    /// The server.
    pub server: ServerReading,
    /// Processor time of this process.
    pub own_cpu: Duration,
    /// All processors of this machine.
    pub processors: Processors,
}

impl Reading {
    /// Now, with what the server was just read as.
    pub fn now(server: ServerReading) -> Self {
        Self {
            at: Instant::now(),
            server,
            own_cpu: machine::own_cpu(),
            processors: Processors::now(),
        }
    }

    fn seconds_since(&self, earlier: &Self) -> f64 {
        (self.at - earlier.at).as_secs_f64().max(1e-9)
    }

    fn done_since(&self, earlier: &Self) -> u64 {
        self.server.done.saturating_sub(earlier.server.done)
    }

    /// What lies between an earlier reading and this one.
    pub fn sample(&self, earlier: &Self, began: Instant, times: &Times) -> Sample {
        let seconds = self.seconds_since(earlier);
        let done = self.done_since(earlier);
        let cpu = between(earlier.server.cpu, self.server.cpu);
        let measured = times.count() > 0;
        Sample {
            at_s: (self.at - began).as_secs_f64(),
            p50_ms: measured.then(|| times.quantile_ms(0.5)),
            p99_ms: measured.then(|| times.quantile_ms(0.99)),
            max_ms: measured.then(|| times.max_ms()),
            per_second: done as f64 / seconds,
            server_cores: cpu.map(|cpu| cpu / seconds),
            generator_cores: self.own_cpu.saturating_sub(earlier.own_cpu).as_secs_f64() / seconds,
            machine_busy: self.processors.busy_since(&earlier.processors),
            cpu_us_each: cpu.filter(|_| done > 0).map(|cpu| cpu * 1e6 / done as f64),
            resident_bytes: self.server.resident,
            loss_per_mille: None,
        }
    }

    /// What the server did between an earlier reading and this one, and what each cost.
    pub fn work(&self, earlier: &Self, (one, many): (&str, &str)) -> Work {
        let seconds = self.seconds_since(earlier);
        let count = self.done_since(earlier);
        let cpu_s = between(earlier.server.cpu, self.server.cpu);
        let media = between(earlier.server.media_cpu, self.server.media_cpu);
        Work {
            one: one.to_owned(),
            many: many.to_owned(),
            count,
            per_second: count as f64 / seconds,
            cpu_s,
            cpu_cores: cpu_s.map(|cpu| cpu / seconds),
            media_cores: media.map(|cpu| cpu / seconds),
            cpu_us_each: cpu_s
                .filter(|_| count > 0)
                .map(|cpu| cpu * 1e6 / count as f64),
            bits_out_per_second: self
                .server
                .bytes_out
                .zip(earlier.server.bytes_out)
                .map(|(now, earlier)| now.saturating_sub(earlier) as f64 * 8.0 / seconds),
        }
    }

    /// How the load test fared between an earlier reading and this one.
    pub fn generator(&self, earlier: &Self, late: &Times, skipped: u64) -> Generator {
        let seconds = self.seconds_since(earlier);
        Generator {
            late_p50_ms: late.quantile_ms(0.5),
            late_p99_ms: late.quantile_ms(0.99),
            late_max_ms: late.max_ms(),
            skipped,
            threads: 1,
            cpu_cores: self.own_cpu.saturating_sub(earlier.own_cpu).as_secs_f64() / seconds,
            busiest_thread: None,
            bottlenecks: Vec::new(),
        }
    }

    /// The share of this machine that was busy since then.
    pub fn busy_since(&self, earlier: &Self) -> Option<f64> {
        self.processors.busy_since(&earlier.processors)
    }
}

fn between(earlier: Option<Duration>, later: Option<Duration>) -> Option<f64> {
    Some(later?.saturating_sub(earlier?).as_secs_f64())
}

/// Lateness that no reader of a report cares about, milliseconds.
const LATE_MS_HARMLESS: f64 = 2.0;

/// A thread that is this busy has no room for bursts.
const THREAD_BUSY_MAX: f64 = 0.85;

/// Processors that are this busy make everybody on them wait.
const MACHINE_BUSY_MAX: f64 = 0.9;

/// Why the figures are not only the server's; empty when they are.
pub fn bottlenecks(
    generator: &Generator,
    latency: Option<&Latency>,
    busy: Option<f64>,
    same_machine: bool,
) -> Vec<String> {
    let mut found = Vec::new();
    let p99 = latency.map_or(f64::INFINITY, |latency| latency.p99_ms);
    if generator.late_p99_ms > LATE_MS_HARMLESS && generator.late_p99_ms > p99 / 4.0 {
        found.push(format!(
            "The load test itself began things late: one in a hundred by {:.1} ms or more. Latencies run from \
             the intended time, and so this much of them is the load test's own.",
            generator.late_p99_ms
        ));
    }
    if generator.skipped > 0 {
        found.push(format!(
            "{} things were not begun at all, since the load test was too far behind: the load was less than \
             what was asked for.",
            generator.skipped
        ));
    }
    if let Some(busiest) = generator
        .busiest_thread
        .filter(|busy| *busy > THREAD_BUSY_MAX)
    {
        found.push(format!(
            "A generating thread was busy {:.0} % of the time: it could not have offered more. Give it more \
             threads, or another machine.",
            busiest * 100.0
        ));
    }
    if let Some(busy) = busy.filter(|busy| *busy > MACHINE_BUSY_MAX) {
        let who = if same_machine {
            "the server, the load test and whatever else runs here took time from each other"
        } else {
            "the load test had no room left"
        };
        found.push(format!(
            "This machine's processors were busy {:.0} % of the time: {who}.",
            busy * 100.0
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::model::tests::example;

    #[test]
    fn what_lies_between_two_readings_is_told_for_each_thing_done() {
        let server = |millis, done| ServerReading {
            cpu: Some(Duration::from_millis(millis)),
            media_cpu: None,
            resident: Some(5),
            done,
            bytes_out: None,
        };
        let earlier = Reading::now(server(10, 100));
        let mut later = Reading::now(server(30, 300));
        later.at = earlier.at + Duration::from_secs(2);
        let work = later.work(&earlier, ("call", "calls"));
        assert_eq!((work.count, work.per_second), (200, 100.0));
        assert!((work.cpu_us_each.unwrap() - 100.0).abs() < 1e-6);
        assert!((work.cpu_cores.unwrap() - 0.01).abs() < 1e-9);
        let mut times = Times::default();
        times.record(Duration::from_millis(3));
        let sample = later.sample(&earlier, earlier.at, &times);
        assert_eq!((sample.at_s, sample.resident_bytes), (2.0, Some(5)));
        assert!((sample.p99_ms.unwrap() - 3.0).abs() < 0.01);
        let nothing = earlier.work(&earlier, ("call", "calls"));
        assert_eq!(nothing.cpu_us_each, None);
    }

    #[test]
    fn a_generator_that_was_the_bottleneck_is_told_of_and_a_quick_one_is_not() {
        let result = example();
        let latency = result.latencies.first();
        let quick = bottlenecks(&result.generator, latency, Some(0.5), true);
        assert!(quick.is_empty(), "{quick:?}");
        let slow = Generator {
            late_p99_ms: 30.0,
            skipped: 2,
            busiest_thread: Some(0.99),
            ..Generator::default()
        };
        let found = bottlenecks(&slow, latency, Some(0.95), true);
        assert_eq!(found.len(), 4, "{found:?}");
    }
}
