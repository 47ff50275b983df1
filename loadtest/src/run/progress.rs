//! Live progress on the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::result::model::Sample;

/// What is shown while a run goes on. Where there is no terminal, phases are told as lines.
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
}

impl Progress {
    /// Begins to show.
    pub fn new(quiet: bool) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, quiet }
    }

    /// What goes on now.
    pub fn phase(&self, text: impl Into<String>) {
        let text = text.into();
        if self.bar.is_hidden() && !self.quiet {
            eprintln!("{text}");
        }
        self.bar.set_message(text);
    }

    /// How far measuring is, and what the last interval brought.
    pub fn measured(&self, of_s: f64, sample: &Sample, many: &str) {
        if self.bar.length().is_none() {
            self.bar.set_length((of_s * 10.0) as u64);
            self.bar.set_style(bar());
        }
        self.bar.set_position((sample.at_s * 10.0) as u64);
        let optional = |value: Option<f64>, unit: &str| match value {
            Some(value) => format!("{value:.2} {unit}"),
            None => "-".to_owned(),
        };
        let text = format!(
            "{:.0} {many}/s  p50 {}  p99 {}  server {} cores{}",
            sample.per_second,
            optional(sample.p50_ms, "ms"),
            optional(sample.p99_ms, "ms"),
            optional(sample.server_cores, ""),
            match sample.loss_per_mille {
                Some(lost) => format!("  lost {lost:.2} of 1,000"),
                None => String::new(),
            }
        );
        self.bar.set_message(text);
    }

    /// Takes it off the terminal.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn bar() -> ProgressStyle {
    ProgressStyle::with_template("[{bar:30}] {elapsed} {msg}")
        .map(|style| style.progress_chars("=> "))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
