//! Signaling scenarios.
use crate::{arguments::Command, result::RunResult, run::{Stop, progress::Progress}};
/// x
pub async fn run(_c: &Command, _s: Stop, _p: &Progress) -> anyhow::Result<RunResult> { anyhow::bail!("x") }
