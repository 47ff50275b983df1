//! Somebody drops in: tone and light before anything opens, and what somebody at the device can do. And
//! dropping in from here.

use std::time::Duration;

use homeline_client::drop_in::EndedBy;
use homeline_client::{Outgoing, Visit, VisitEvent};
use homeline_protocol::session::{Activity, DropInRefusal, DropInStage};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::arguments::Outlet;
use crate::chime::chime;
use crate::led::Light;
use crate::output::{self, Listener};
use crate::picture;
use crate::report::{Told, trust};
use crate::run::{Device, State};

/// That somebody is near is told this often at most; what others see of it is rounded to five minutes.
const NEAR_EVERY: Duration = Duration::from_secs(60);

/// A drop-in on this device.
pub(crate) struct Visited {
    visit: Visit,
    stage: Option<DropInStage>,
    /// Whether the stage lets the microphone be open; what captures sound goes by it.
    heard: watch::Sender<bool>,
    /// The tone, while it plays.
    tone: Option<JoinHandle<bool>>,
}

pub(crate) enum VisitedEvent {
    /// The tone has played to its end, or could not.
    Tone(bool),
    Visit(Option<VisitEvent>),
}

impl Visited {
    pub(crate) async fn next(&mut self) -> VisitedEvent {
        let Some(tone) = &mut self.tone else {
            return VisitedEvent::Visit(self.visit.next().await);
        };
        tokio::select! {
            played = tone => {
                self.tone = None;
                VisitedEvent::Tone(played.unwrap_or(false))
            }
            event = self.visit.next() => VisitedEvent::Visit(event),
        }
    }

    pub(crate) async fn end(&self) {
        self.visit.end().await;
    }

    pub(crate) async fn video(&self, on: bool) {
        self.visit.video(on).await;
    }

    pub(crate) async fn yes(&self) {
        self.visit.yes().await;
    }

    pub(crate) async fn no(&self) {
        self.visit.no().await;
    }

    /// One press hushes it, another one ends that.
    pub(crate) async fn hush(&self) {
        let hushed = self.stage == Some(DropInStage::Hushed);
        self.visit.hush(!hushed).await;
    }

    /// Ends it and waits until everything is shut.
    pub(crate) async fn leave(&mut self) -> &'static str {
        self.visit.end().await;
        while let Some(event) = self.visit.next().await {
            if let VisitEvent::Over(by) = event {
                return words(by);
            }
        }
        words(EndedBy::Connection)
    }
}

impl Drop for Visited {
    fn drop(&mut self) {
        if let Some(tone) = &self.tone {
            tone.abort();
        }
    }
}

impl Device {
    /// The light goes on and the tone plays; only after both is anything opened.
    pub(crate) async fn is_visited(&mut self, visit: Box<Visit>) {
        if !matches!(self.state, State::Idle) {
            // A call that came in the same moment was first.
            return visit.not_signalled().await;
        }
        let from = visit.from();
        self.report.tell(&Told::DropIn {
            from: from.name.clone(),
            trust: trust(from),
            picture: visit.picture(),
            knocks: visit.knocks(),
        });
        let lit = self.indicator.show(Light::Green);
        // A device without a speaker can't be heard to be dropped in on.
        let audible = self.options.sound_out != Outlet::None;
        let (output, knocks) = (self.output.clone(), visit.knocks());
        let tone = tokio::spawn(async move { lit && audible && chime(knocks, &output).await });
        self.enter(State::Visited(Box::new(Visited {
            visit: *visit,
            stage: None,
            heard: watch::Sender::new(false),
            tone: Some(tone),
        })));
    }

    pub(crate) async fn visited_event(&mut self, event: VisitedEvent) -> anyhow::Result<()> {
        let State::Visited(visited) = &mut self.state else {
            return Ok(());
        };
        match event {
            VisitedEvent::Tone(true) => self.signalled().await,
            VisitedEvent::Tone(false) => visited.visit.not_signalled().await,
            VisitedEvent::Visit(Some(VisitEvent::Stage(stage))) => {
                visited.stage = Some(stage);
                let heard = matches!(stage, DropInStage::Frosted | DropInStage::Clear);
                visited.heard.send_replace(heard);
                self.report.tell(&Told::DropInStage { stage });
            }
            VisitedEvent::Visit(Some(VisitEvent::Remind)) => {
                self.company.knock();
                self.report.tell(&Told::DropInGoesOn);
            }
            VisitedEvent::Visit(Some(VisitEvent::Call(event))) => {
                self.call_event(Some(event)).await?;
            }
            VisitedEvent::Visit(Some(VisitEvent::Refused(refusal))) => {
                self.report.tell(&Told::DropInRefused {
                    from: Some(visited.visit.from().name.clone()),
                    refusal,
                });
            }
            VisitedEvent::Visit(Some(VisitEvent::Over(by))) => self.visit_over(by).await?,
            VisitedEvent::Visit(None) => self.visit_over(EndedBy::Connection).await?,
        }
        Ok(())
    }

    async fn visit_over(&mut self, by: EndedBy) -> anyhow::Result<()> {
        self.report.tell(&Told::DropInEnded { by: words(by) });
        self.goes_idle().await
    }

    /// What it is opened with: made now, after tone and light.
    async fn signalled(&mut self) {
        let with = self.with_visit();
        let State::Visited(visited) = &self.state else {
            return;
        };
        match with {
            Ok(with) => visited.visit.signalled(with).await,
            Err(error) => {
                let text = format!("the drop-in can't open: {error:#}");
                self.report.tell(&Told::Warning { text });
                visited.visit.not_signalled().await;
            }
        }
    }

    fn with_visit(&self) -> anyhow::Result<Outgoing> {
        let State::Visited(visited) = &self.state else {
            anyhow::bail!("nobody drops in");
        };
        let options = &self.options;
        let on = both(self.microphone.subscribe(), visited.heard.subscribe());
        let listener = Listener::new(options.listen_for.clone(), self.report);
        let (output, knocks) = (self.output.clone(), self.company.knocks());
        let sound = output::sound(&options.sound_in, on, output, knocks, listener)?;
        let (mut camera, mut screen) = (None, None);
        if let Some(picture) = &options.picture {
            if visited.visit.picture() {
                camera = Some(picture::frosted_camera(picture, visited.visit.frosted())?);
            }
            screen = Some(picture::screen(self.report)?);
        }
        Ok(Outgoing {
            sound,
            camera,
            screen,
        })
    }

    /// Drops in from here.
    pub(crate) async fn drop_in(&mut self, name: &str) -> anyhow::Result<()> {
        self.leave_live().await;
        let with = self.with(true)?;
        match self.client.drop_in(name, with).await {
            Ok(call) => {
                self.report.tell(&Told::DroppingIn {
                    to: name.to_owned(),
                });
                self.enter(State::InCall(Box::new(call)));
            }
            Err(error) => self.warn(&error),
        }
        Ok(())
    }

    pub(crate) async fn allow_drop_in(&mut self, on: bool) {
        let stored = self.client.allow_drop_in(on).await;
        self.report.tell(&Told::DropInAllowed { on });
        self.warn_unless(stored);
    }

    pub(crate) async fn everyone_out(&mut self) {
        let stored = self.client.everyone_out().await;
        self.report.tell(&Told::EveryoneOut);
        self.warn_unless(stored);
    }

    fn warn_unless(&self, stored: bool) {
        if !stored {
            let text = "it could not be stored, and counts only until this device is restarted; make room on its disk".to_owned();
            self.report.tell(&Told::Warning { text });
        }
    }

    /// Somebody has said something to the device, or pressed a button.
    pub(crate) fn somebody_is_here(&mut self) {
        let told = self.near_told.is_some_and(|at| at.elapsed() < NEAR_EVERY);
        if told {
            return;
        }
        self.near_told = Some(Instant::now());
        let client = self.client.clone();
        tokio::spawn(async move {
            if let Err(error) = client.report_activity(Activity::Interaction).await {
                tracing::debug!(%error, "that somebody is near was not told");
            }
        });
    }
}

/// On while both are.
fn both(mut one: watch::Receiver<bool>, mut other: watch::Receiver<bool>) -> watch::Receiver<bool> {
    let (on, both) = watch::channel(*one.borrow() && *other.borrow());
    tokio::spawn(async move {
        loop {
            let changed = tokio::select! {
                changed = one.changed() => changed,
                changed = other.changed() => changed,
                () = on.closed() => return,
            };
            if changed.is_err() {
                // The device or its drop-in is gone, and nothing is open any more.
                on.send_replace(false);
                return;
            }
            on.send_replace(*one.borrow_and_update() && *other.borrow_and_update());
        }
    });
    both
}

fn words(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Target => "here",
        EndedBy::Initiator => "there",
        EndedBy::Grant => "permission",
        EndedBy::EveryonePutOut => "put_out",
        EndedBy::Connection => "connection",
    }
}

/// What people read about drop-ins.
pub(crate) fn sentence(told: &Told) -> String {
    match told {
        Told::DropIn {
            from, knocks: true, ..
        } => format!("{from} knocks, and would drop in."),
        Told::DropIn { from, picture, .. } => format!(
            "{from} drops in{}. (hang up, hush, video off)",
            if *picture { ", and will see" } else { "" }
        ),
        Told::DropInStage { stage } => match stage {
            DropInStage::Knocking => "It has knocked. (yes, no)".to_owned(),
            DropInStage::Frosted => "It is open; the picture is frosted.".to_owned(),
            DropInStage::Clear => "It is open.".to_owned(),
            DropInStage::Hushed => "It is hushed. (hush ends that)".to_owned(),
        },
        Told::DropInGoesOn => "The drop-in still goes on.".to_owned(),
        Told::DropInRefused { from, refusal } => {
            let who = from.as_deref().unwrap_or("Somebody");
            format!("{who} is not let in: {}.", why(*refusal))
        }
        Told::DropInEnded { by } => format!(
            "The drop-in is over: {}.",
            match *by {
                "here" => "ended here",
                "there" => "they ended it",
                "permission" => "it is not permitted any more",
                "put_out" => "everyone was put out, or drop-in was switched off",
                _ => "the connection was lost",
            }
        ),
        Told::DroppingIn { to } => format!("Dropping in on {to}."),
        Told::DroppedIn { room } => format!("You are in: {room}."),
        Told::DropInAllowed { on: true } => "Those who may drop in here again.".to_owned(),
        Told::DropInAllowed { on: false } => "Nobody drops in here.".to_owned(),
        Told::EveryoneOut => {
            "Everyone is out. Nobody drops in here until an adult lets them anew.".to_owned()
        }
        _ => String::new(),
    }
}

fn why(refusal: DropInRefusal) -> &'static str {
    match refusal {
        DropInRefusal::Off => "drop-in is switched off",
        DropInRefusal::Initiator => "who it is could not be verified",
        DropInRefusal::NotInHousehold => "they are not in the household any more",
        DropInRefusal::NoGrant => "nobody has permitted it",
        DropInRefusal::Forged => "the permission that was shown is forged",
        DropInRefusal::OtherHousehold => "the permission is another household's",
        DropInRefusal::SignerMayNot => "whoever permitted it may not any more",
        DropInRefusal::Replayed => "the permission is an old one",
        DropInRefusal::Revoked => "the permission was taken back",
        DropInRefusal::EndedHere => "it was ended at this device",
        DropInRefusal::NotYet => "the permission is from the future",
        DropInRefusal::Expired => "the permission has run out",
        DropInRefusal::NotAContact => "they are no contact any more",
        DropInRefusal::OtherDevice => "it is permitted at other devices",
        DropInRefusal::OutsideHours => "it is permitted at other hours",
        DropInRefusal::SoundOnly => "only sound is permitted",
        DropInRefusal::Busy => "a call is on",
        DropInRefusal::Quiet => "the device is on do not disturb",
        DropInRefusal::TurnedAway => "somebody said no, or nobody said yes",
        DropInRefusal::NoSignal => "tone or light could not be given",
        DropInRefusal::Unavailable => "the device can't be reached",
        DropInRefusal::NewMember => {
            "they are new in that household, and nobody has agreed to them yet"
        }
    }
}
