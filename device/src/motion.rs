//! A motion sensor: a file that says 1 while it sees something move, as the value of a GPIO pin does.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use homeline_protocol::session::{Activity, CameraSwitch};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::report::Told;
use crate::run::Device;

/// A sensor for people holds its line for two seconds and more.
const READ_EVERY: Duration = Duration::from_millis(500);

/// The server hears a device every ten seconds.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What comes of the sensor.
pub(crate) enum Motion {
    Seen,
    /// It can't be read, and why. Told once until it can.
    Unreadable(String),
}

/// Reads the sensor until nobody listens. Without one, nothing ever comes.
pub(crate) fn watch(sensor: Option<&Path>) -> mpsc::Receiver<Motion> {
    let (sender, receiver) = mpsc::channel(1);
    if let Some(path) = sensor {
        tokio::spawn(keep_reading(path.to_owned(), sender));
    }
    receiver
}

async fn keep_reading(path: PathBuf, to: mpsc::Sender<Motion>) {
    let mut beat = interval(READ_EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<Instant> = None;
    let mut unreadable = false;
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = to.closed() => return,
        }
        let motion = match moves(&path).await {
            Ok(moves) => {
                unreadable = false;
                let due = told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
                (moves && due).then_some(Motion::Seen)
            }
            Err(error) => {
                let first = !std::mem::replace(&mut unreadable, true);
                first.then(|| Motion::Unreadable(format!("{}: {error}", path.display())))
            }
        };
        let Some(motion) = motion else { continue };
        if matches!(motion, Motion::Seen) {
            told = Some(Instant::now());
        }
        if to.send(motion).await.is_err() {
            return;
        }
    }
}

/// The first sign of the file says it.
async fn moves(path: &Path) -> io::Result<bool> {
    let mut sign = [0];
    let there = File::open(path).await?.read(&mut sign).await?;
    match sign[..there] {
        [b'1'] => Ok(true),
        // Whoever writes the file anew has emptied it for a moment.
        [] | [b'0'] => Ok(false),
        _ => Err(io::Error::other("a motion sensor says 0 or 1")),
    }
}

impl Device {
    pub(crate) fn sensed(&self, motion: Motion) {
        match motion {
            Motion::Seen => self.something_moved(),
            Motion::Unreadable(text) => {
                let text = format!("the motion sensor can't be read: {text}");
                self.report.tell(&Told::Warning { text });
            }
        }
    }

    /// As a camera: what is covered or switched off, or may not say it, says nothing.
    fn something_moved(&self) {
        let settings = self.client.device_settings();
        let says = settings.is_some_and(|settings| {
            settings.recently_active && settings.switches.camera == CameraSwitch::On
        });
        if !says {
            return;
        }
        let client = self.client.clone();
        tokio::spawn(async move {
            if let Err(error) = client.report_activity(Activity::Motion).await {
                tracing::debug!(%error, "that something moved was not told");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_moves_is_told_every_ten_seconds_and_what_can_not_be_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("value");
        let mut sensor = watch(Some(&file));
        assert!(matches!(sensor.recv().await, Some(Motion::Unreadable(_))));
        std::fs::write(&file, "1\n").unwrap();
        assert!(matches!(sensor.recv().await, Some(Motion::Seen)));
        let first = Instant::now();
        assert!(matches!(sensor.recv().await, Some(Motion::Seen)));
        assert!(first.elapsed() >= TELL_EVERY);
        std::fs::write(&file, "0\n").unwrap();
        let quiet = Duration::from_secs(60);
        assert!(tokio::time::timeout(quiet, sensor.recv()).await.is_err());
        std::fs::write(&file, "maybe").unwrap();
        assert!(matches!(sensor.recv().await, Some(Motion::Unreadable(_))));
        assert!(tokio::time::timeout(quiet, sensor.recv()).await.is_err());
    }

    #[tokio::test]
    async fn without_a_sensor_nothing_comes() {
        assert!(watch(None).recv().await.is_none());
    }
}
