//! A result on a terminal.

use std::fmt::Write as _;

use crate::report::words;
use crate::result::RunResult;

/// The summary as text.
pub(super) fn text(result: &RunResult) -> String {
    let mut text = String::new();
    write(&mut text, result).expect("a string takes everything");
    text
}

fn write(text: &mut String, result: &RunResult) -> std::fmt::Result {
    writeln!(
        text,
        "\n{} for {:.1} s",
        result.scenario.title, result.measured_s
    )?;
    for bottleneck in &result.generator.bottlenecks {
        writeln!(text, "!! THE LOAD TEST WAS A BOTTLENECK: {bottleneck}")?;
    }
    rows(text, result)?;
    let verdict = words::verdict(result);
    writeln!(text, "{}", verdict.headline)?;
    let bottlenecks = &result.generator.bottlenecks;
    for sentence in verdict
        .sentences
        .iter()
        .filter(|said| !bottlenecks.contains(said))
    {
        writeln!(text, "{sentence}")?;
    }
    Ok(())
}

fn rows(text: &mut String, result: &RunResult) -> std::fmt::Result {
    let mut row = |name: &str, value: String| writeln!(text, "  {name:<30} {value}");
    for latency in &result.latencies {
        let value = format!(
            "p50 {}  p90 {}  p99 {}  p99.9 {}  max {}",
            words::millis(latency.p50_ms),
            words::millis(latency.p90_ms),
            words::millis(latency.p99_ms),
            words::millis(latency.p999_ms),
            words::millis(latency.max_ms)
        );
        row(&latency.title, value)?;
    }
    let work = &result.work;
    row(
        &work.many,
        format!("{} ({:.1} a second)", work.count, work.per_second),
    )?;
    if let Some(each) = work.cpu_us_each {
        row(
            &format!("processor time for each {}", last_word(&work.one)),
            words::micros(each),
        )?;
    }
    if let Some(cores) = work.cpu_cores {
        row("server's processor", format!("{cores:.3} cores"))?;
    }
    if let Some(loss) = &result.loss {
        let value = format!("{:.3} of 1,000 ({} packets)", loss.per_mille, loss.lost);
        row("lost", value)?;
    }
    for pictures in &result.pictures {
        let value = format!(
            "{} of {} sent in that size",
            pictures.as_asked, pictures.count
        );
        row(&format!("pictures shown at {}", pictures.shown), value)?;
    }
    if let Some(memory) = &result.memory {
        let each = format!("memory for each {}", result.scenario.participant);
        row(&each, words::bytes(memory.each_bytes))?;
    }
    let late = &result.generator;
    let value = format!(
        "p50 {}  p99 {}  max {}",
        words::millis(late.late_p50_ms),
        words::millis(late.late_p99_ms),
        words::millis(late.late_max_ms)
    );
    row("the load test's lateness", value)?;
    for (kind, count) in &result.errors {
        row("error", format!("{count} x {kind}"))?;
    }
    for note in &result.notes {
        row("note", note.clone())?;
    }
    Ok(())
}

fn last_word(words: &str) -> &str {
    words.rsplit(' ').next().unwrap_or(words)
}
