//! Announcements that others make: played one after the other when nothing else is on, offered when they
//! came during do not disturb. No microphone is opened for any.

use std::collections::VecDeque;

use homeline_client::announcements::{Content, IncomingAnnouncement, decode};
use homeline_client::media::Pcm;
use homeline_protocol::session::AnnouncementHeard;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::report::{Report, Told};
use crate::ring::play;
use crate::run::{Device, State};
use crate::voice::Voice;

/// Announcements that wait to be played, and as many that are offered. A further one is put aside.
const WAITING_MAX: usize = 16;

/// What is announced at this device.
#[derive(Default)]
pub(crate) struct Announcements {
    queue: VecDeque<IncomingAnnouncement>,
    offered: VecDeque<IncomingAnnouncement>,
    playing: Option<Playing>,
    /// The last one, for an answer.
    last: Option<IncomingAnnouncement>,
}

struct Playing {
    incoming: IncomingAnnouncement,
    task: JoinHandle<AnnouncementHeard>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Announcements {
    /// Returns when the one that plays is over, and what was made of it.
    pub(crate) async fn finished(&mut self) -> AnnouncementHeard {
        match &mut self.playing {
            Some(playing) => {
                let ended = (&mut playing.task).await;
                ended.unwrap_or(AnnouncementHeard::PutAside)
            }
            None => std::future::pending().await,
        }
    }
}

impl Device {
    /// One has come.
    pub(crate) async fn announced(&mut self, incoming: IncomingAnnouncement) {
        let quiet = self.client.device_settings();
        let quiet = quiet.is_some_and(|settings| settings.do_not_disturb);
        let (list, told) = if incoming.play && !quiet {
            let from = incoming.from.clone();
            (&mut self.announcements.queue, Told::Announcement { from })
        } else {
            let from = incoming.from.clone();
            (
                &mut self.announcements.offered,
                Told::AnnouncementOffered { from },
            )
        };
        let now = Instant::now();
        let (fresh, stale) = list.drain(..).partition(|one| one.fresh_until > now);
        *list = fresh;
        let full = list.len() >= WAITING_MAX;
        if !full {
            list.push_back(incoming);
            self.report.tell(&told);
        } else {
            put_aside(self.report, incoming).await;
        }
        let stale: VecDeque<IncomingAnnouncement> = stale;
        for one in stale {
            put_aside(self.report, one).await;
        }
    }

    /// Begins the next one if nothing else is on. What a call or a live announcement interrupts is played anew
    /// after it.
    pub(crate) async fn play_next(&mut self) {
        if !matches!(self.state, State::Idle) || self.live.is_on() {
            if let Some(playing) = self.announcements.playing.take() {
                playing.task.abort();
                // The task is gone with its place; the announcement goes back to the front.
                self.announcements.queue.push_front(playing.into_incoming());
            }
            return;
        }
        while self.announcements.playing.is_none() {
            let Some(incoming) = self.announcements.queue.pop_front() else {
                return;
            };
            if incoming.fresh_until <= Instant::now() {
                put_aside(self.report, incoming).await;
                continue;
            }
            let what = (incoming.content.clone(), incoming.from.clone());
            let (output, voice) = (self.output.clone(), self.voice());
            let task = tokio::spawn(say(what, incoming.begin, output, voice, self.report));
            self.announcements.playing = Some(Playing { incoming, task });
        }
    }

    /// The one that played is over.
    pub(crate) async fn announcement_over(&mut self, heard: AnnouncementHeard) {
        let Some(playing) = self.announcements.playing.take() else {
            return;
        };
        let incoming = playing.into_incoming();
        if let Err(error) = incoming.heard(heard).await {
            self.warn(&error);
        }
        self.announcements.last = Some(incoming);
    }

    /// Somebody wants to hear what came during do not disturb.
    pub(crate) fn play_offered(&mut self) {
        let offered = std::mem::take(&mut self.announcements.offered);
        self.announcements.queue.extend(offered);
    }

    /// Somebody does not.
    pub(crate) async fn put_offered_aside(&mut self) {
        for one in std::mem::take(&mut self.announcements.offered) {
            put_aside(self.report, one).await;
        }
    }

    /// Answers the last one that was heard.
    pub(crate) async fn answer_announcement(&mut self, text: String) {
        let Some(last) = &self.announcements.last else {
            let text = "nothing was announced that could be answered".to_owned();
            self.report.tell(&Told::Warning { text });
            return;
        };
        let answered = last.reply(Content::Text(text)).await;
        self.tell_announced(answered);
    }
}

impl Playing {
    fn into_incoming(self) -> IncomingAnnouncement {
        self.task.abort();
        self.incoming.clone()
    }
}

async fn put_aside(report: Report, one: IncomingAnnouncement) {
    let from = one.from.clone();
    report.tell(&Told::AnnouncementPutAside { from });
    if let Err(error) = one.heard(AnnouncementHeard::PutAside).await {
        tracing::info!(%error, "that an announcement was put aside was not told");
    }
}

/// Plays one when all begin. Text is shown, and spoken where there is a voice.
async fn say(
    (content, from): (Content, String),
    begin: Instant,
    output: mpsc::Sender<Pcm>,
    voice: Option<Voice>,
    report: Report,
) -> AnnouncementHeard {
    let samples = match &content {
        Content::Sound { ogg, .. } => {
            let ogg = ogg.clone();
            match tokio::task::spawn_blocking(move || decode(&ogg)).await {
                Ok(Ok(samples)) => Some(samples),
                _ => return AnnouncementHeard::PutAside,
            }
        }
        Content::Text(text) => match &voice {
            Some(voice) => spoken(voice, &format!("{from} says: {text}")).await,
            None => None,
        },
    };
    sleep_until(begin).await;
    if let Content::Text(text) = content {
        let from = from.clone();
        report.tell(&Told::AnnouncementText { from, text });
    }
    let Some(samples) = samples else {
        return AnnouncementHeard::Shown;
    };
    report.tell(&Told::AnnouncementPlays { from: from.clone() });
    play(&samples, &output).await;
    report.tell(&Told::AnnouncementPlayed { from });
    AnnouncementHeard::Played
}

/// A long text is spoken piece by piece, since the voice takes a few words at a time.
async fn spoken(voice: &Voice, text: &str) -> Option<Vec<i16>> {
    let mut samples = Vec::new();
    for piece in pieces(text) {
        match voice.say(&piece).await {
            Ok(more) => samples.extend(more),
            Err(error) => {
                tracing::warn!(%error, "an announcement can't be spoken");
                return None;
            }
        }
    }
    (!samples.is_empty()).then_some(samples)
}

/// Words together, each piece short enough for the voice.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match pieces.last_mut() {
            Some(last) if last.chars().count() + word.chars().count() < Voice::CHARACTERS_MAX => {
                last.push(' ');
                last.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_loses_no_word() {
        let text = "Dinner is ready in five minutes. ".repeat(30);
        let pieces = pieces(&text);
        assert!(
            pieces
                .iter()
                .all(|one| one.chars().count() <= Voice::CHARACTERS_MAX)
        );
        assert_eq!(pieces.join(" "), text.trim());
    }
}
