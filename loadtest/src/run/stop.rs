//! Ctrl-C: the first ends the run early and keeps its report, the second gives the run up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Whether to stop. Cheap to clone.
#[derive(Clone)]
pub struct Stop {
    /// How often it was asked for.
    asked: watch::Receiver<u32>,
    // Whoever waits for it must not be told that nobody can ask any more.
    _asks: Arc<watch::Sender<u32>>,
}

impl Stop {
    /// Listens for Ctrl-C from now on.
    pub fn on_interrupt() -> Self {
        let (asks, asked) = watch::channel(0);
        let asks = Arc::new(asks);
        let listening = Arc::clone(&asks);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                listening.send_modify(|times| *times += 1);
                if *listening.borrow() == 1 {
                    eprintln!("\nEnding early; once more ends at once, without a report.");
                }
            }
        });
        Self { asked, _asks: asks }
    }

    /// Whether it was asked for.
    pub fn asked(&self) -> bool {
        *self.asked.borrow() > 0
    }

    /// Waits until it is asked for a second time.
    pub async fn insisted(&self) {
        self.times(2).await;
    }

    /// Waits until then, or until a stop is asked for.
    pub async fn sleep_until(&self, at: impl Into<Instant>) {
        tokio::select! {
            () = tokio::time::sleep_until(at.into()) => {}
            () = self.times(1) => {}
        }
    }

    /// Waits so long, or until a stop is asked for.
    pub async fn sleep(&self, time: Duration) {
        self.sleep_until(Instant::now() + time).await;
    }

    /// Waits for what is under way, or until a stop is asked for.
    pub async fn unless<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            value = future => Some(value),
            () = self.times(1) => None,
        }
    }

    async fn times(&self, wanted: u32) {
        let mut asked = self.asked.clone();
        // The sender lives as long as this.
        asked.wait_for(|times| *times >= wanted).await.ok();
    }
}
