//! Images at the pace of a camera.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::IMAGES_MAX;
use super::image::Image;

/// What `next` gives, one in each `every`, until it gives nothing or nobody looks any more.
pub(super) fn paced(
    every: Duration,
    mut next: impl FnMut() -> Option<Image> + Send + 'static,
) -> mpsc::Receiver<Image> {
    let (sender, receiver) = mpsc::channel(IMAGES_MAX);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        // A picture that is late is worth nothing: a machine that was busy goes on from where it is.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(image) = next() else { return };
            if sender.send(image).await.is_err() {
                return;
            }
        }
    });
    receiver
}
