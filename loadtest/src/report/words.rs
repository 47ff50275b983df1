//! Figures and findings in the words of somebody who runs a server at home.

use crate::result::RunResult;

/// Loss below which nobody hears or sees anything, of a thousand.
const LOSS_HARMLESS: f64 = 1.0;

/// A packet that is this late by the server alone spoils a conversation, milliseconds.
const MEDIA_P99_MAX: f64 = 50.0;

/// How full a processor may be filled before queues grow.
const FILLED_MAX: f64 = 0.7;

/// Beyond this many times nobody believes a projection.
const TIMES_MAX: f64 = 200.0;

/// What an uplink of a home often carries, bits a second.
const HOME_UPLINK: f64 = 40e6;

/// Milliseconds with as many digits as help.
pub fn millis(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{} s", plain(value / 1e3)),
        value if value >= 1.0 => format!("{} ms", plain(value)),
        value => format!("{} µs", plain(value * 1e3)),
    }
}

/// Microseconds with as many digits as help.
pub fn micros(value: f64) -> String {
    match value {
        value if value >= 1_000.0 => format!("{} ms", plain(value / 1e3)),
        value => format!("{} µs", plain(value)),
    }
}

/// Bytes in the unit that fits.
pub fn bytes(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{} GB", plain(value / 1e9)),
        value if value >= 1e6 => format!("{} MB", plain(value / 1e6)),
        value => format!("{} kB", plain(value / 1e3)),
    }
}

/// Bits a second in the unit that fits.
pub fn bits(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{} Gbit/s", plain(value / 1e9)),
        value if value >= 1e6 => format!("{} Mbit/s", plain(value / 1e6)),
        value => format!("{} kbit/s", plain(value / 1e3)),
    }
}

/// A whole number with its thousands apart.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits, and no zeros behind.
pub fn plain(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return text.to_owned();
    }
    text
}

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The server carried it.
    Good,
    /// The figures need care.
    Warn,
    /// The server did not carry it, or something was wrong.
    Bad,
}

/// A run in a few sentences.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// How it went.
    pub tone: Tone,
    /// In one sentence.
    pub headline: String,
    /// What limits, and how much room there is.
    pub sentences: Vec<String>,
}

/// Judges a run for its operator.
pub fn verdict(result: &RunResult) -> Verdict {
    let troubles = troubles(result);
    let hindered = !result.generator.bottlenecks.is_empty();
    let (tone, headline) = if !troubles.is_empty() {
        let headline = "This load was too much for the server, or something was wrong.";
        (Tone::Bad, headline.to_owned())
    } else if hindered {
        let headline = "The server carried the load, but the load test itself was at its limit.";
        (Tone::Warn, headline.to_owned())
    } else if filled(result).is_some_and(|filled| filled > FILLED_MAX) {
        let headline = "The server carried the load, with little room left.";
        (Tone::Warn, headline.to_owned())
    } else {
        let headline = match filled(result) {
            Some(_) => "The server carried this load with room to spare.",
            None => "The server carried this load.",
        };
        (Tone::Good, headline.to_owned())
    };
    let mut sentences = troubles;
    sentences.extend(result.generator.bottlenecks.iter().cloned());
    sentences.extend(room(result));
    sentences.extend(uplink(result));
    if result.ended_early {
        sentences.push("The run was ended early; the figures are those until then.".to_owned());
    }
    Verdict {
        tone,
        headline,
        sentences,
    }
}

fn troubles(result: &RunResult) -> Vec<String> {
    let mut troubles = Vec::new();
    let media = result.loss.is_some();
    if let Some(loss) = result
        .loss
        .as_ref()
        .filter(|loss| loss.per_mille > LOSS_HARMLESS)
    {
        troubles.push(format!(
            "{} of 1,000 packets were lost; from about one on, pictures begin to freeze.",
            plain(loss.per_mille)
        ));
    }
    let hindered = !result.generator.bottlenecks.is_empty();
    let slow = result
        .latencies
        .first()
        .filter(|latency| media && !hindered && latency.p99_ms > MEDIA_P99_MAX);
    if let Some(latency) = slow {
        troubles.push(format!(
            "One packet in a hundred took {} or more on a way that should take less than a millisecond.",
            millis(latency.p99_ms)
        ));
    }
    let errors: u64 = result.errors.values().sum();
    if errors > 0 {
        let what = if errors == 1 {
            "One thing"
        } else {
            "Some things"
        };
        troubles.push(format!(
            "{what} went wrong: {} in all, listed below.",
            count(errors)
        ));
    }
    if result.work.count == 0 && result.scenario.name != "presence" {
        troubles.push(format!("There were no {}.", result.work.many));
    }
    troubles
}

/// How full what fills first is, 0 to 1: a media thread, or the machine.
fn filled(result: &RunResult) -> Option<f64> {
    let threads = result.server.media_threads.max(1) as f64;
    match result.work.media_cores {
        Some(cores) => Some(cores / threads),
        None => Some(result.work.cpu_cores? / result.machine.cores.max(1) as f64),
    }
}

fn room(result: &RunResult) -> Option<String> {
    let filled = filled(result)?;
    let what = match (result.work.media_cores, result.server.media_threads) {
        (Some(_), 1) => "The node's media thread was busy".to_owned(),
        (Some(_), threads) => format!("The node's {threads} media threads were busy"),
        (None, _) => format!(
            "The server used {} of this machine's {} processors,",
            plain(result.work.cpu_cores?),
            result.machine.cores
        ),
    };
    let times = FILLED_MAX / filled.max(1e-6);
    let projection = if times >= TIMES_MAX {
        "so little that the processor will not be the limit".to_owned()
    } else if times >= 1.2 {
        format!(
            "and so, by processor time alone, about {} times this load would fill it to 70 %, beyond which \
             queues begin to grow",
            plain_coarse(times)
        )
    } else {
        "which leaves little room for bursts".to_owned()
    };
    let share = plain(filled * 100.0);
    Some(match result.work.media_cores {
        Some(_) => format!("{what} {share} % of the time, {projection}."),
        None => format!("{what} {share} % of all, {projection}."),
    })
}

fn uplink(result: &RunResult) -> Option<String> {
    let out = result.work.bits_out_per_second?;
    let end = if out > HOME_UPLINK {
        "For people outside the home its uplink has to carry that, and is the limit long before the machine."
    } else {
        "For people outside the home its uplink has to carry that."
    };
    Some(format!("It sent {} in all. {end}", bits(out)))
}

/// A projection has two digits at most.
fn plain_coarse(value: f64) -> String {
    if value >= 10.0 {
        format!("{:.0}", (value / 5.0).floor() * 5.0)
    } else {
        format!("{:.0}", value.floor().max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::model::tests::example;

    #[test]
    fn figures_have_three_digits_and_their_unit() {
        assert_eq!(millis(0.2346), "235 µs");
        assert_eq!(millis(12.345), "12.3 ms");
        assert_eq!(millis(20_000.0), "20 s");
        assert_eq!(micros(4.2), "4.2 µs");
        assert_eq!(bytes(52_400.0), "52.4 kB");
        assert_eq!(bits(75e6), "75 Mbit/s");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plain(0.0), "0");
    }

    #[test]
    fn a_light_load_has_room_and_says_what_limits() {
        let verdict = verdict(&example());
        assert_eq!(verdict.tone, Tone::Good);
        assert!(
            verdict.sentences[0].contains("1.7 % of the time"),
            "{verdict:?}"
        );
        assert!(
            verdict.sentences[0].contains("about 40 times"),
            "{verdict:?}"
        );
        assert!(verdict.sentences[1].contains("5 Mbit/s"), "{verdict:?}");
    }

    #[test]
    fn loss_errors_and_a_late_generator_are_not_hidden() {
        let mut result = example();
        result.generator.bottlenecks.push("Late.".to_owned());
        assert_eq!(verdict(&result).tone, Tone::Warn);
        assert!(verdict(&result).sentences.contains(&"Late.".to_owned()));
        result.errors.insert("node: limit".to_owned(), 3);
        if let Some(loss) = &mut result.loss {
            loss.per_mille = 20.0;
        }
        let verdict = verdict(&result);
        assert_eq!(verdict.tone, Tone::Bad);
        assert!(
            verdict.sentences[0].starts_with("20 of 1,000"),
            "{verdict:?}"
        );
    }
}
