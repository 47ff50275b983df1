//! The plots of a run, each with what it says in words.

use super::bars;
use super::lines::{Line, LinePlot};
use super::markup::{figure, legend};
use super::words;
use crate::result::model::{Memory, Sample};
use crate::result::{Latency, RunResult};

fn seconds(at: f64) -> String {
    format!("{} s", words::plain(at))
}

const TIME: &str = "time since measuring began";

fn over_time(series: &[Sample], of: impl Fn(&Sample) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |sample: &Sample| Some((sample.at_s, of(sample)?));
    series.iter().filter_map(point).collect()
}

fn line<'a>(class: &'a str, name: &'a str, points: Vec<(f64, f64)>) -> Line<'a> {
    Line {
        class,
        name,
        points,
        trend: false,
    }
}

/// The first latency over time; empty when nothing was measured.
pub(super) fn latency_over_time(result: &RunResult) -> String {
    let series = &result.series;
    let (p50, p99) = (
        over_time(series, |sample| sample.p50_ms),
        over_time(series, |sample| sample.p99_ms),
    );
    if p50.is_empty() {
        return String::new();
    }
    let highest = p99.iter().map(|point| point.1).fold(0.0, f64::max);
    let typical = p50.iter().map(|point| point.1).sum::<f64>() / p50.len() as f64;
    let says = format!(
        "Each dot stands for an interval. Half of them took about {}; in the worst interval one in a hundred took \
         {} or more. Heights go by ratios, so that the quick and the slow are both seen.",
        words::millis(typical),
        words::millis(highest)
    );
    let names = [
        ("c1", "half took no longer (p50)"),
        ("c2", "99 of 100 took no longer (p99)"),
        ("c4", "the slowest"),
    ];
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![
                line(
                    "c4",
                    "the slowest",
                    over_time(series, |sample| sample.max_ms),
                ),
                line("c2", "p99", p99.clone()),
                line("c1", "p50", p50.clone()),
            ],
            x_label: TIME,
            x_words: &seconds,
            y_words: &words::millis,
            log: true,
            from_zero: true,
            at_least: 0.0,
        };
        plot.draw(width, height)
    };
    figure("Latency over time", &legend(&names), plot, &says)
}

/// How many took how long.
pub(super) fn distribution(latency: &Latency) -> String {
    let says = format!(
        "{} measured. Higher bars mean more of them; dashed lines show within which time a half, nine of ten, 99 \
         of 100 and 999 of 1,000 lie. What is far to the right is what people notice.",
        words::count(latency.count)
    );
    let title = format!("{}: how many took how long", latency.title);
    figure(
        &title,
        "",
        |width, height| bars::draw(latency, width, height),
        &says,
    )
}

/// The server's and the load test's processors over time.
pub(super) fn processor(result: &RunResult) -> String {
    let series = &result.series;
    let server = over_time(series, |sample| {
        sample.server_cores.map(|cores| cores * 100.0)
    });
    let generator = over_time(series, |sample| Some(sample.generator_cores * 100.0));
    if server.is_empty() {
        return String::new();
    }
    let busy = over_time(series, |sample| {
        sample.machine_busy.map(|busy| busy * 100.0)
    });
    let busy = busy.iter().map(|point| point.1).sum::<f64>() / busy.len().max(1) as f64;
    let cores = result.work.cpu_cores.unwrap_or(0.0) * 100.0;
    let whole = if result.server.same_machine {
        format!(
            " Whatever ran on this machine, the load test among it, kept {} % of all its processors busy; a server \
             alone has them to itself.",
            words::plain(busy)
        )
    } else {
        String::new()
    };
    let says = format!(
        "100 % is one processor, and this machine has {}. The server used {} % of one on the average.{whole}",
        result.machine.cores,
        words::plain(cores)
    );
    let names = [("c1", "the server"), ("c2", "the load test")];
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![
                line("c2", "the load test", generator.clone()),
                line("c1", "the server", server.clone()),
            ],
            x_label: TIME,
            x_words: &seconds,
            y_words: &|value| format!("{} %", words::plain(value)),
            log: false,
            from_zero: true,
            at_least: 10.0,
        };
        plot.draw(width, height)
    };
    figure("Processor over time", &legend(&names), plot, &says)
}

/// Processor time for each thing done, over time.
pub(super) fn cost(result: &RunResult) -> String {
    let points = over_time(&result.series, |sample| sample.cpu_us_each);
    let Some(each) = result.work.cpu_us_each.filter(|_| points.len() > 1) else {
        return String::new();
    };
    let says = format!(
        "On the average the server spent {} of processor time on each {}. It should stay level: a rising line \
         means that something piles up.",
        words::micros(each),
        result.work.one
    );
    let title = format!("Processor time for each {}", result.work.one);
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![line("c3", "processor time", points.clone())],
            x_label: TIME,
            x_words: &seconds,
            y_words: &words::micros,
            log: false,
            from_zero: true,
            at_least: 0.0,
        };
        plot.draw(width, height)
    };
    figure(&title, "", plot, &says)
}

/// What the server did in a second, over time.
pub(super) fn throughput(result: &RunResult) -> String {
    let points = over_time(&result.series, |sample| Some(sample.per_second));
    if points.len() < 2 || result.work.count == 0 {
        return String::new();
    }
    let title = format!("{} a second", capital(&result.work.many));
    let says = format!(
        "{} in all, {} a second on the average.",
        words::count(result.work.count),
        words::count(result.work.per_second.round() as u64)
    );
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![line("c3", &result.work.many, points.clone())],
            x_label: TIME,
            x_words: &seconds,
            y_words: &|value| words::count(value.round() as u64),
            log: false,
            from_zero: true,
            at_least: 4.0,
        };
        plot.draw(width, height)
    };
    figure(&title, "", plot, &says)
}

/// Memory over the steps of the population.
pub(super) fn memory_steps(memory: &Memory, participant: &str) -> String {
    if memory.steps.len() < 3 {
        return String::new();
    }
    let points: Vec<(f64, f64)> = memory
        .steps
        .iter()
        .map(|step| (step.0 as f64, step.1 as f64))
        .collect();
    let (last, level) = points[points.len() - 1];
    let trend = vec![(0.0, level - memory.each_bytes * last), (last, level)];
    let says = format!(
        "Resident memory of the server as {participant}s came in: {} for each, by {}.",
        words::bytes(memory.each_bytes),
        memory.method
    );
    let x_label = format!("{participant}s");
    let names = [("c1", "measured"), ("c2", "its slope")];
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![
                Line {
                    class: "c2",
                    name: "slope",
                    points: trend.clone(),
                    trend: true,
                },
                line("c1", "memory", points.clone()),
            ],
            x_label: &x_label,
            x_words: &|value| words::count(value.round() as u64),
            y_words: &words::bytes,
            log: false,
            from_zero: false,
            at_least: 0.0,
        };
        plot.draw(width, height)
    };
    figure(
        "Memory as the population grew",
        &legend(&names),
        plot,
        &says,
    )
}

/// Memory over time.
pub(super) fn memory_over_time(result: &RunResult) -> String {
    let of = |sample: &Sample| sample.resident_bytes.map(|bytes| bytes as f64);
    let points = over_time(&result.series, of);
    let ([first, .., last], true) = (points.as_slice(), points.len() > 2) else {
        return String::new();
    };
    let grown = last.1 - first.1;
    let says = if grown.abs() < first.1 * 0.01 {
        "Once everybody is in, memory stays level.".to_owned()
    } else {
        format!(
            "It changed by {} while the load went on; over a long time it should stay level.",
            words::bytes(grown.abs())
        )
    };
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![line("c1", "resident memory", points.clone())],
            x_label: TIME,
            x_words: &seconds,
            y_words: &words::bytes,
            log: false,
            from_zero: false,
            at_least: 0.0,
        };
        plot.draw(width, height)
    };
    figure("Memory over time", "", plot, &says)
}

/// Loss over time.
pub(super) fn loss_over_time(result: &RunResult) -> String {
    let points = over_time(&result.series, |sample| sample.loss_per_mille);
    let Some(loss) = result.loss.as_ref().filter(|_| points.len() > 1) else {
        return String::new();
    };
    let says = if loss.lost == 0 {
        format!(
            "Nothing was lost of {} packets.",
            words::count(loss.received)
        )
    } else {
        format!(
            "{} of {} packets did not arrive, before any repair; {} were sent again. On one machine they are \
             lost where a socket's buffer overflows: at a server or a load test that is too slow for a burst.",
            words::count(loss.lost),
            words::count(loss.received + loss.lost),
            words::count(loss.repaired)
        )
    };
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![line("c4", "lost of 1,000", points.clone())],
            x_label: TIME,
            x_words: &seconds,
            y_words: &words::plain,
            log: false,
            from_zero: true,
            at_least: 2.0,
        };
        plot.draw(width, height)
    };
    figure("Packets lost of 1,000", "", plot, &says)
}

/// One measure of two runs over time.
pub(super) fn two_over_time(
    title: &str,
    (first, second): (&RunResult, &RunResult),
    of: impl Fn(&Sample) -> Option<f64>,
    (y_words, log): (&dyn Fn(f64) -> String, bool),
    says: &str,
) -> String {
    let (one, other) = (
        over_time(&first.series, &of),
        over_time(&second.series, &of),
    );
    if one.is_empty() || other.is_empty() {
        return String::new();
    }
    let plot = |width, height| {
        let plot = LinePlot {
            lines: vec![
                line("c1", "first", one.clone()),
                line("c2", "second", other.clone()),
            ],
            x_label: TIME,
            x_words: &seconds,
            y_words,
            log,
            from_zero: true,
            at_least: 0.0,
        };
        plot.draw(width, height)
    };
    let names = [("c1", "first run"), ("c2", "second run")];
    figure(title, &legend(&names), plot, says)
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
