//! Structured logs on standard error.

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat};

/// Starts logging for the whole process.
///
/// # Errors
/// When the filter does not parse, or logging was started before.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&config.filter)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Libraries log what passes through them when they are asked for more: frames with tokens, headers.
    // So that no setting can bring that about, only our own parts say more than `info`.
    let ours =
        filter_fn(|about| *about.level() <= Level::INFO || about.target().starts_with("homeline"));
    let started = match config.format {
        LogFormat::Text => lines.finish().with(ours).try_init(),
        LogFormat::Json => lines.json().finish().with(ours).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging: {error}"))
}
