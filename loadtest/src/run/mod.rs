//! From the command line to files, words and an exit code.

pub mod interval;
pub(crate) mod memory;
pub mod progress;
mod scenario;
mod stop;
mod summary;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
pub use stop::Stop;

use crate::arguments::{Arguments, Command, CommonOptions};
use crate::budget::Budget;
use crate::compare::Comparison;
use crate::machine;
use crate::report;
use crate::result::RunResult;

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Does what was asked for.
///
/// # Errors
/// When that is not possible; the words say what to do.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Compare {
            first,
            second,
            html,
        } => compare(first, second, html.as_deref()),
        Command::Report { result, html } => {
            write_page(html, &report::page(&RunResult::load(result)?))?;
            Ok(ExitCode::SUCCESS)
        }
        command => {
            let common = command.common().context("a scenario has options")?;
            // A budget that can't be read is told before the load, not after.
            let budget = common.budget.as_deref().map(Budget::load).transpose()?;
            let stop = Stop::on_interrupt();
            tokio::select! {
                result = scenario(command, stop.clone()) => finish(&result?, common, budget.as_ref()),
                // What was started ends with what is dropped here.
                () = stop.insisted() => Ok(ExitCode::from(INTERRUPTED)),
            }
        }
    }
}

/// Runs a scenario, and returns what it found.
///
/// # Errors
/// When that is not possible, or the command is none.
pub async fn scenario(command: &Command, stop: Stop) -> Result<RunResult> {
    let common = command.common().context("a scenario has options")?;
    machine::open_files();
    scenario::run(command, common, stop).await
}

/// Now, as files keep it.
pub fn rfc3339_now() -> String {
    let format = time::format_description::well_known::Rfc3339;
    let now = time::OffsetDateTime::now_utc().replace_nanosecond(0);
    now.ok()
        .and_then(|now| now.format(&format).ok())
        .unwrap_or_default()
}

fn compare(first: &Path, second: &Path, html: Option<&Path>) -> Result<ExitCode> {
    let (first, second) = (RunResult::load(first)?, RunResult::load(second)?);
    let comparison = Comparison::of(&first, &second);
    print!("{}", comparison.table());
    if let Some(html) = html {
        write_page(html, &report::comparison(&first, &second, &comparison))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn finish(result: &RunResult, common: &CommonOptions, budget: Option<&Budget>) -> Result<ExitCode> {
    print!("{}", summary::text(result));
    if let Some(json) = &common.json {
        result.save(json)?;
        println!("The result is in {}", json.display());
    }
    if let Some(html) = &common.html {
        write_page(html, &report::page(result))?;
    }
    let points = budget
        .map(|budget| budget.check(result))
        .unwrap_or_default();
    for point in &points {
        println!("{}", point.line);
    }
    Ok(match points.iter().all(|point| point.holds) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn write_page(path: &Path, page: &str) -> Result<()> {
    std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))?;
    println!("The report is in {}", path.display());
    Ok(())
}
