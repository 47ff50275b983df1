//! Announcing from this device: typed, recorded by its microphone, or a WAV file.

use std::time::Duration;

use anyhow::{Context as _, bail};
use homeline_client::announcements::{
    AnnounceError, Announcing, Content, LENGTH_MS_MAX, SoundError, encode,
};
use homeline_client::media::SAMPLE_RATE;
use homeline_client::sound::read_file;
use homeline_client::{Client, ClientEvent};
use homeline_protocol::session::AnnounceTo;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Ending;
use crate::arguments::{Announcement, Common};
use crate::report::{Report, Told};
use crate::run::Device;
use crate::{folder, output};

/// Samples of the longest recording.
const SAMPLES_MAX: usize = LENGTH_MS_MAX as usize * SAMPLE_RATE as usize / 1000;

/// A recording in progress.
pub(crate) struct Recording {
    to: AnnounceTo,
    stop: oneshot::Sender<()>,
    samples: JoinHandle<Vec<i16>>,
}

impl Device {
    /// What somebody typed, at every home device or those of a room.
    pub(crate) async fn announce_text(&self, room: Option<String>, text: String) {
        let announced = self.client.announce(to(room), Content::Text(text), None);
        self.tell_announced(announced.await);
    }

    /// Records what is said from now on: a minute at most.
    pub(crate) fn record(&mut self, room: Option<String>) -> anyhow::Result<()> {
        if !*self.microphone.borrow() {
            let text = "the microphone is switched off".to_owned();
            self.report.tell(&Told::Warning { text });
            return Ok(());
        }
        let mut microphone = output::microphone(self.sound_in())?;
        let mut switch = self.microphone.subscribe();
        let (stop, mut stopped) = oneshot::channel();
        let samples = tokio::spawn(async move {
            let mut samples: Vec<i16> = Vec::new();
            while samples.len() < SAMPLES_MAX {
                let pcm = tokio::select! {
                    _ = &mut stopped => break,
                    // Switched off in between: nothing more is captured.
                    _ = switch.changed() => break,
                    pcm = microphone.recv() => pcm,
                };
                let Some(pcm) = pcm else { break };
                samples.extend(pcm.0);
            }
            samples.truncate(SAMPLES_MAX);
            samples
        });
        self.recording = Some(Recording {
            to: to(room),
            stop,
            samples,
        });
        self.report.tell(&Told::Recording);
        Ok(())
    }

    /// Sends what was recorded.
    pub(crate) async fn send_recording(&mut self) {
        let Some(recording) = self.recording.take() else {
            let text = "nothing is being recorded".to_owned();
            self.report.tell(&Told::Warning { text });
            return;
        };
        // One that has ended by itself needs no stop.
        recording.stop.send(()).ok();
        let samples = recording.samples.await.unwrap_or_default();
        match sound(samples).await {
            Ok(content) => {
                let announced = self.client.announce(recording.to, content, None);
                self.tell_announced(announced.await);
            }
            Err(error) => self.warn(&error),
        }
    }

    pub(crate) fn tell_announced(&self, announced: Result<Announcing, AnnounceError>) {
        match announced {
            Ok(announcing) => self.report.tell(&Told::Announced {
                devices: announcing.receivers.len(),
            }),
            Err(error) => self.warn(&error),
        }
    }
}

/// `announce`: says one thing, and tells for a while who heard it.
pub(crate) async fn announce(
    common: &Common,
    announcement: Announcement,
) -> anyhow::Result<Ending> {
    let report = Report::new(common.json);
    let content = match (announcement.text, announcement.sound) {
        (Some(text), _) => Content::Text(text),
        (None, Some(file)) => {
            let read = tokio::task::spawn_blocking(move || read_file(&file)).await?;
            sound(read.context("the sound file")?).await?
        }
        (None, None) => bail!("say what is announced: --text TEXT, or --sound FILE.wav"),
    };
    let (server, identity) = (folder::server(common)?, folder::identity(common)?);
    let path = folder::identity_path(common);
    let (client, mut events) = Client::connect(server, identity, Some(path)).await?;
    let to = match announcement.at {
        Some(label) => AnnounceTo::Device {
            device: labelled(&client, &label)?,
        },
        None => to(announcement.room),
    };
    let announcing = client.announce(to, content, None).await?;
    let devices = announcing.receivers.len();
    report.tell(&Told::Announced { devices });
    let mut missing = devices;
    let patience = tokio::time::sleep(Duration::from_secs(announcement.wait));
    tokio::pin!(patience);
    while missing > 0 {
        tokio::select! {
            () = &mut patience => break,
            event = events.recv() => match event {
                Some(ClientEvent::AnnouncementHeard { id, device, heard })
                    if id == announcing.id =>
                {
                    missing -= 1;
                    let at = label_of(&client, device);
                    report.tell(&Told::AnnouncementHeard { at, heard });
                }
                Some(ClientEvent::Ended(error)) => bail!("{}", error.message),
                Some(_) => {}
                None => bail!("the connection to the server ended"),
            },
        }
    }
    Ok(Ending::Done)
}

/// Everywhere, or in a room.
pub(crate) fn to(room: Option<String>) -> AnnounceTo {
    room.map_or(AnnounceTo::Home, |room| AnnounceTo::Zone { room })
}

fn labelled(client: &Client, label: &str) -> anyhow::Result<homeline_protocol::id::DeviceId> {
    let household = client.household();
    let mut devices = household.devices().iter();
    let wanted = label.to_lowercase();
    let found = devices.find(|one| one.label.to_lowercase() == wanted);
    let found = found.with_context(|| format!("the household has no device called {label}"))?;
    Ok(found.id)
}

pub(crate) fn label_of(client: &Client, device: homeline_protocol::id::DeviceId) -> String {
    let household = client.household();
    let mut devices = household.devices().iter();
    let known = devices.find(|one| one.id == device);
    known.map_or_else(|| "a device".to_owned(), |one| one.label.clone())
}

async fn sound(samples: Vec<i16>) -> Result<Content, SoundError> {
    let encoded = tokio::task::spawn_blocking(move || encode(&samples)).await;
    let (ogg, length_ms) = encoded.unwrap_or(Err(SoundError::Empty))?;
    Ok(Content::Sound { ogg, length_ms })
}
