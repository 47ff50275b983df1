//! The tables of a run.

use std::collections::BTreeMap;

use super::markup::escape;
use super::words;
use crate::result::RunResult;
use crate::result::model::Pictures;

/// A table: its heads, and rows of cells.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let head: String = heads
        .iter()
        .map(|head| format!("<th>{}</th>", escape(head)))
        .collect();
    let row = |cells: &Vec<String>| {
        let cells: String = cells
            .iter()
            .map(|cell| format!("<td>{}</td>", escape(cell)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<div class=\"scroll\"><table>\n<tr>{head}</tr>\n{rows}</table></div>\n")
}

/// Names and what they stand for.
pub(super) fn list<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pair = |(name, value): (&str, String)| {
        format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(&value))
    };
    let pairs: String = pairs.into_iter().map(pair).collect();
    format!("<dl>\n{pairs}</dl>\n")
}

/// All latencies.
pub(super) fn latencies(result: &RunResult) -> String {
    let rows: Vec<Vec<String>> = result
        .latencies
        .iter()
        .map(|latency| {
            let values = [
                latency.p50_ms,
                latency.p90_ms,
                latency.p99_ms,
                latency.p999_ms,
                latency.max_ms,
            ];
            let mut cells = vec![latency.title.clone()];
            cells.extend(values.map(words::millis));
            cells.push(words::count(latency.count));
            cells
        })
        .collect();
    let heads = ["", "p50", "p90", "p99", "p99.9", "slowest", "measured"];
    let explained = result
        .latencies
        .iter()
        .map(|latency| (latency.title.as_str(), latency.explanation.clone()));
    table(&heads, &rows) + &list(explained)
}

/// What was shown, and what was sent for it.
pub(super) fn pictures(pictures: &[Pictures]) -> String {
    let row = |of: &Pictures| {
        let sent = of.sent.iter();
        let sent: Vec<String> = sent
            .map(|(size, count)| format!("{} in {size}", words::count(*count)))
            .collect();
        vec![
            of.shown.clone(),
            words::count(of.count),
            sent.join(", "),
            words::bits(of.bits_per_second as f64 / of.count.max(1) as f64),
        ]
    };
    let rows: Vec<Vec<String>> = pictures.iter().filter(|of| of.count > 0).map(row).collect();
    table(&["shown at", "pictures", "sent", "each"], &rows)
}

/// Errors by kind.
pub(super) fn errors(errors: &BTreeMap<String, u64>) -> String {
    let row = |(kind, count): (&String, &u64)| vec![kind.clone(), words::count(*count)];
    let rows: Vec<Vec<String>> = errors.iter().map(row).collect();
    table(&["kind", "times"], &rows)
}
