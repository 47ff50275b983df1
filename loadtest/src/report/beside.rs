//! The page of a comparison.

use super::markup::{escape, frame, paragraph, section};
use super::{plots, words};
use crate::compare::{Comparison, Row, Verdict};
use crate::result::RunResult;

/// Two results beside each other, as one page.
pub fn comparison(first: &RunResult, second: &RunResult, comparison: &Comparison) -> String {
    let mut body = format!(
        "<header>\n<p class=\"kind\">Homeline load test</p>\n<h1>Two runs beside each other</h1>\n\
         <p class=\"meta\">first: {}, {}, version {} · second: {}, {}, version {}</p>\n</header>\n",
        escape(&first.scenario.title),
        escape(&first.began_at),
        escape(&first.server.version),
        escape(&second.scenario.title),
        escape(&second.began_at),
        escape(&second.server.version)
    );
    let worse = comparison
        .rows
        .iter()
        .any(|row| row.verdict == Verdict::Worse);
    let tone = match (comparison.warnings.is_empty(), worse) {
        (false, _) => "warn",
        (true, true) => "bad",
        (true, false) => "good",
    };
    let warnings: String = comparison
        .warnings
        .iter()
        .map(|warning| paragraph(warning))
        .collect();
    body += &format!(
        "<div class=\"verdict {tone}\">\n<h2>{}</h2>\n{warnings}</div>\n",
        escape(&comparison.summary())
    );
    body += &figures(comparison);
    body += &over_time(first, second);
    frame("Load test: two runs", &body)
}

fn figures(comparison: &Comparison) -> String {
    let rows: String = comparison.rows.iter().map(row).collect();
    let table = format!(
        "<div class=\"scroll\"><table>\n<tr><th>figure</th><th>first</th><th>second</th><th>ratio</th>\
         <th>verdict</th></tr>\n{rows}</table></div>\n"
    );
    let how = "A difference counts when it is larger than twice what the figure wavers from interval to interval \
         in both runs, and than a twentieth; tails, which no interval tells of, count from 15 % on. For small \
         differences, run both several times.";
    section("Figures", &(table + &paragraph(how)))
}

fn row(row: &Row) -> String {
    let class = match row.verdict {
        Verdict::Noise => "noise",
        Verdict::Better => "better",
        Verdict::Worse => "worse",
    };
    let ratio = row
        .ratio
        .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{ratio}</td><td class=\"{class}\">{}</td></tr>\n",
        escape(&row.name.replace('_', " ")),
        words::plain(row.first),
        words::plain(row.second),
        row.verdict.word()
    )
}

fn over_time(first: &RunResult, second: &RunResult) -> String {
    let both = (first, second);
    let mut body = plots::two_over_time(
        "Latency over time, 99 of 100",
        both,
        |sample| sample.p99_ms,
        (&words::millis, true),
        "Lines that cross each other say that there is no difference that lasts.",
    );
    body += &plots::two_over_time(
        "Processor time for each",
        both,
        |sample| sample.cpu_us_each,
        (&words::micros, false),
        "",
    );
    body += &plots::two_over_time(
        "Memory",
        both,
        |sample| sample.resident_bytes.map(|bytes| bytes as f64),
        (&words::bytes, false),
        "",
    );
    if body.is_empty() {
        return body;
    }
    section("Over time", &body)
}
