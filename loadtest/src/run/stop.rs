//! Ctrl-C: the first ends the run early and keeps its report, the second ends the program.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Whether to stop. Cheap to clone.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for Ctrl-C from now on.
    pub fn on_interrupt() -> Self {
        let (asked, stop) = watch::channel(false);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if asked.send_replace(true) {
                    std::process::exit(130);
                }
                eprintln!("\nEnding early; once more ends at once, without a report.");
            }
        });
        Self(stop)
    }

    /// Whether it was asked for.
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until then, or until a stop is asked for.
    pub async fn sleep_until(&self, at: impl Into<Instant>) {
        let mut asked = self.0.clone();
        tokio::select! {
            () = tokio::time::sleep_until(at.into()) => {}
            // The sender lives as long as the program.
            _ = asked.wait_for(|asked| *asked) => {}
        }
    }

    /// Waits so long, or until a stop is asked for.
    pub async fn sleep(&self, time: Duration) {
        self.sleep_until(Instant::now() + time).await;
    }

    /// Waits for what is under way, or until a stop is asked for.
    pub async fn unless<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut asked = self.0.clone();
        tokio::select! {
            value = future => Some(value),
            _ = asked.wait_for(|asked| *asked) => None,
        }
    }
}
