//! Sends back what is heard: for trying a line alone.

use tokio::sync::mpsc;

use super::{FRAMES_MAX, HEARD_MAX};
use crate::media::{Heard, Sound};

/// A call's sound that hears itself.
#[must_use]
pub fn echo() -> Sound {
    let (speaker, mut heard) = mpsc::channel::<Heard>(HEARD_MAX);
    let (back, microphone) = mpsc::channel(FRAMES_MAX);
    tokio::spawn(async move {
        while let Some(heard) = heard.recv().await {
            if back.send(heard.pcm).await.is_err() {
                return;
            }
        }
    });
    Sound {
        microphone,
        speaker,
    }
}
