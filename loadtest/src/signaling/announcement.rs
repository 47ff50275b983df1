//! Somebody of a household announces something, and all its home devices, whose clocks are wrong, begin to
//! play it together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use homeline_client::announcements::{Content, IncomingAnnouncement, SteadyClock, decode, encode};
use homeline_client::media::SAMPLE_RATE;
use homeline_client::{Client, ClientEvent};
use homeline_protocol::id::AnnouncementId;
use homeline_protocol::session::{AnnounceTo, AnnouncementHeard, Reply, Request};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::mpsc;

use super::rooms::{connect, drain, pair};
use super::stage::Stage;
use super::tally::{Kind, PATIENCE, Tally};
use super::watch::Words;
use crate::result::RunResult;

/// How wrong clocks are: ahead or behind by so much, fast or slow by so many millionths.
const AHEAD_MS_MAX: i64 = 5_000;
const FAST_PPM_MAX: i32 = 50;

/// How long somebody speaks: a sentence.
const SPEECH_SAMPLES: usize = 2 * SAMPLE_RATE as usize;

/// Between two looks at whether all devices can be sealed to.
const LOOK: Duration = Duration::from_millis(20);

const KINDS: &[Kind] = &[
    (
        "latency",
        "Until it is heard",
        "From the end of the recording until a device begins to play it; encoding, sealing and all begin together included.",
    ),
    (
        "apart",
        "Apart",
        "How much later than the first device of all another one begins to play the same announcement.",
    ),
];

/// When the devices began, by announcement.
type Begun = Arc<Mutex<BTreeMap<AnnouncementId, Vec<Instant>>>>;

/// Runs it.
pub(super) async fn run(stage: &Stage<'_>, devices: usize, rate: f64) -> Result<RunResult> {
    let person = stage.people(1).await?.pop().context("somebody signed up")?;
    let devices = devices.max(2);
    stage
        .progress
        .phase(format!("{devices} devices are paired"));
    let (app, heard) = connect(&stage.server, &person).await?;
    // What the app is told does not matter; it is read, so that nothing waits.
    tokio::spawn(drain(heard));
    let begun = Begun::default();
    let mut chance = StdRng::seed_from_u64(stage.common.seed);
    let mut rooms = Vec::new();
    for number in 0..devices {
        let room = pair(&stage.server, &app, &person.handle, number).await?;
        let ahead = chance.random_range(-AHEAD_MS_MAX..=AHEAD_MS_MAX);
        let fast = chance.random_range(-FAST_PPM_MAX..=FAST_PPM_MAX);
        let (client, events) = room;
        client.set_clock(SteadyClock::wrong_by(ahead, fast));
        tokio::spawn(play(events, begun.clone(), stage.tally.clone()));
        rooms.push(client);
    }
    all_can_hear(&app, devices).await?;
    for room in &rooms {
        room.refresh().await?;
    }
    let rooms: Arc<[Client]> = rooms.into();
    let begin = |number: u64, intended| {
        let at = usize::try_from(number).unwrap_or(0) % rooms.len();
        let said = Said {
            others: rooms.len() - 1,
            begun: begun.clone(),
            tally: stage.tally.clone(),
            intended,
        };
        said.announce(rooms[at].clone())
    };
    let load = stage.open_loop(rate, begin);
    let seen = stage.during("announcements", load).await;
    let words = Words {
        title: format!("announcement to {}", devices - 1),
        story: format!(
            "One of {devices} home devices of a household announces a sentence, {rate} times a second, and the others \
             play it. Their clocks are wrong by up to {} seconds, and run fast or slow by up to {FAST_PPM_MAX} \
             millionths.",
            AHEAD_MS_MAX / 1000
        ),
        participants: devices as u64,
        participant: "device",
        counted: ("announcement", "announcements"),
        kinds: KINDS,
    };
    Ok(stage.result(words, seen, None, Vec::new()))
}

/// One announcement, and who began to play it.
struct Said {
    others: usize,
    begun: Begun,
    tally: Tally,
    intended: Instant,
}

impl Said {
    async fn announce(self, room: Client) {
        let content = match speech() {
            Ok(content) => content,
            Err(error) => return self.tally.error(format!("encoding: {error}")),
        };
        let announcing = match room.announce(AnnounceTo::Home, content, None).await {
            Ok(announcing) => announcing,
            Err(error) => return self.tally.error(format!("announcing: {error}")),
        };
        let until = Instant::now() + PATIENCE;
        loop {
            let begun = self.taken(announcing.id);
            if begun.len() == self.others {
                self.measure(begun);
                return self.tally.done();
            }
            if Instant::now() > until {
                return self.tally.error("not heard everywhere in time");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn taken(&self, id: AnnouncementId) -> Vec<Instant> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.get(&id).cloned().unwrap_or_default()
    }

    fn measure(&self, begun: Vec<Instant>) {
        let Some(first) = begun.iter().min().copied() else {
            return;
        };
        for moment in begun {
            let after = moment.saturating_duration_since(self.intended);
            self.tally.measured("latency", true, self.intended, after);
            let apart = moment - first;
            self.tally.measured("apart", false, self.intended, apart);
        }
    }
}

/// A sentence, as far as a load test speaks: a tone that rises.
fn speech() -> Result<Content> {
    let at = |index: usize| {
        let seconds = index as f64 / f64::from(SAMPLE_RATE);
        let turns = seconds * (200.0 + 150.0 * seconds);
        (8_000.0 * (std::f64::consts::TAU * turns).sin()) as i16
    };
    let samples: Vec<i16> = (0..SPEECH_SAMPLES).map(at).collect();
    let (ogg, length_ms) = encode(&samples)?;
    Ok(Content::Sound { ogg, length_ms })
}

async fn all_can_hear(app: &Client, devices: usize) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let asked = app.session().request(Request::GetSealingKeys).await?;
        let Reply::SealingKeys { keys } = asked else {
            bail!("the server answers something else")
        };
        if keys.len() >= devices {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("not all devices published their sealing keys")
}

/// A device: opens each announcement, and begins when all do.
async fn play(mut events: mpsc::Receiver<ClientEvent>, begun: Begun, tally: Tally) {
    while let Some(event) = events.recv().await {
        match event {
            ClientEvent::Announcement(incoming) => {
                tokio::spawn(play_one(*incoming, begun.clone(), tally.clone()));
            }
            ClientEvent::AnnouncementRefused { because, .. } => {
                tally.error(format!("not taken: {because}"));
            }
            ClientEvent::Ended(error) => tally.error(format!("session: {:?}", error.code)),
            _ => {}
        }
    }
}

async fn play_one(incoming: IncomingAnnouncement, begun: Begun, tally: Tally) {
    let Content::Sound { ogg, .. } = &incoming.content else {
        return tally.error("another kind of announcement");
    };
    if let Err(error) = decode(ogg) {
        return tally.error(format!("decoding: {error}"));
    }
    tokio::time::sleep_until(incoming.begin).await;
    let now = Instant::now();
    {
        let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.entry(incoming.id).or_default().push(now);
    }
    if let Err(error) = incoming.heard(AnnouncementHeard::Played).await {
        tally.error(super::presence::request_error(&error));
    }
}
