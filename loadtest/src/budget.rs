//! A budget turns a run into pass or fail: what each figure may be at most, or must be at least.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::result::RunResult;
use crate::result::figures::Figure;

/// The ending of a key that bounds from below.
const AT_LEAST: &str = "_min";

/// Bounds by figure: `latency_p99_ms = 20` is a maximum, `per_second_min = 1000` a minimum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    bounds: BTreeMap<String, f64>,
}

/// How one point of a budget went.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Whether it holds.
    pub holds: bool,
    /// That, in words, on one line.
    pub line: String,
}

impl Budget {
    /// Reads it from a TOML file of numbers.
    ///
    /// # Errors
    /// When the file can't be read, or has something other than numbers.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the budget {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in the budget {}", path.display()))
    }

    /// Reads it from the text of such a file.
    ///
    /// # Errors
    /// When it has something other than numbers.
    pub fn parse(text: &str) -> Result<Self> {
        let table: BTreeMap<String, toml::Value> = toml::from_str(text)?;
        let number = |(key, value): (String, toml::Value)| {
            let whole = value.as_integer().map(|number| number as f64);
            let number = value.as_float().or(whole);
            let number = number.with_context(|| format!("{key} must be a number"))?;
            Ok((key, number))
        };
        let bounds = table.into_iter().map(number).collect::<Result<_>>()?;
        Ok(Self { bounds })
    }

    /// Holds a result against it. A figure that the result does not have fails: a budget that is not looked at
    /// must not pass.
    pub fn check(&self, result: &RunResult) -> Vec<Point> {
        let figures = result.figures();
        let check = |(key, bound): (&String, &f64)| point(key, *bound, &figures);
        self.bounds.iter().map(check).collect()
    }
}

fn point(key: &str, bound: f64, figures: &BTreeMap<String, Figure>) -> Point {
    let least = key.strip_suffix(AT_LEAST);
    let Some(figure) = figures.get(least.unwrap_or(key)) else {
        let known: Vec<&str> = figures.keys().map(String::as_str).collect();
        let line = format!(
            "FAIL  {key}: this run has no such figure; it has {}",
            known.join(", ")
        );
        return Point { holds: false, line };
    };
    let value = figure.value;
    let (holds, word) = match least {
        Some(_) => (value >= bound, "at least"),
        None => (value <= bound, "at most"),
    };
    let verdict = if holds { "pass" } else { "FAIL" };
    let name = least.unwrap_or(key);
    Point {
        holds,
        line: format!("{verdict}  {name} is {value:.3}, {word} {bound} is wanted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::model::tests::example;

    fn check(text: &str) -> Vec<Point> {
        Budget::parse(text).unwrap().check(&example())
    }

    #[test]
    fn a_point_holds_up_to_its_bound_and_fails_beyond() {
        let points = check("cpu_us_per_packet = 4\nlatency_p99_ms = 20\nloss_per_mille = 1");
        assert!(points.iter().all(|point| point.holds), "{points:?}");
        let points = check("cpu_us_per_packet = 3.9");
        assert!(
            !points[0].holds && points[0].line.starts_with("FAIL"),
            "{points:?}"
        );
    }

    #[test]
    fn a_minimum_bounds_from_below() {
        assert!(check("per_second_min = 4500")[0].holds);
        assert!(!check("per_second_min = 4501")[0].holds);
    }

    #[test]
    fn what_is_unknown_fails_and_what_is_no_number_is_refused() {
        let points = check("latency_p98_ms = 20");
        assert!(
            !points[0].holds && points[0].line.contains("latency_p99_ms"),
            "{points:?}"
        );
        assert!(Budget::parse("latency_p99_ms = \"20\"").is_err());
    }
}
