//! `run` and `call`: what comes from the server, the buttons and the sensor, one by one, and the light that goes with it.

use std::time::Duration;

use anyhow::Context as _;
use homeline_client::media::Pcm;
use homeline_client::{Call, CallEvent, Client, ClientEvent, IncomingCall};
use homeline_protocol::session::Capabilities;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::Ending;
use crate::announcing::{Recording, label_of};
use crate::arguments::{CallOptions, Common, Input};
use crate::company::Company;
use crate::control::{self, Command};
use crate::drop_in::{Visited, VisitedEvent};
use crate::hearing::Announcements;
use crate::led::{Indicator, Light};
use crate::live::Live;
use crate::motion::{self, Motion};
use crate::report::{Report, Told};
use crate::ring::Ringing;
use crate::vibrator::Vibrator;
use crate::voice::Voice;
use crate::{folder, output, picture};

/// What a device of this kind can do: it shows nothing, and is seen only if it was given a picture.
const fn capabilities(picture: bool) -> Capabilities {
    Capabilities {
        microphone: true,
        speaker: true,
        screen: false,
        camera: picture,
    }
}

/// What the device is doing.
pub(crate) enum State {
    Idle,
    Ringing {
        incoming: Box<IncomingCall>,
        _ringing: Ringing,
    },
    InCall(Box<Call>),
    /// Somebody drops in here.
    Visited(Box<Visited>),
}

/// Something about the call, or the visit.
enum StateEvent {
    Call(Option<CallEvent>),
    Visit(VisitedEvent),
}

pub(crate) struct Device {
    pub(crate) client: Client,
    pub(crate) options: CallOptions,
    pub(crate) output: mpsc::Sender<Pcm>,
    voice: Option<Voice>,
    pub(crate) report: Report,
    pub(crate) indicator: Indicator,
    pub(crate) vibrator: Vibrator,
    /// Where the microphone's switch stands.
    pub(crate) microphone: watch::Sender<bool>,
    pub(crate) state: State,
    /// Who else is in the call, and a second call.
    pub(crate) company: Company,
    /// Ends with its first call.
    pub(crate) once: bool,
    pub(crate) secured: bool,
    /// What others announce here.
    pub(crate) announcements: Announcements,
    /// What is announced live here.
    pub(crate) live: Live,
    /// What is being recorded, to be announced.
    pub(crate) recording: Option<Recording>,
    pub(crate) ending: Option<Ending>,
    /// SIGTERM, by which a service is stopped.
    terminated: Signal,
    /// When it was last told that somebody is near.
    pub(crate) near_told: Option<Instant>,
}

pub(crate) async fn run(
    common: &Common,
    options: CallOptions,
    dial: Option<String>,
) -> anyhow::Result<Ending> {
    let report = Report::new(common.json);
    if let Some(picture) = &options.picture {
        // A file that can't be used is told now and not when somebody calls.
        picture::camera(picture).context("the picture")?;
    }
    let server = folder::server(common)?;
    let identity = folder::identity(common)?;
    let path = folder::identity_path(common);
    let (client, mut events) = Client::connect(server, identity, Some(path)).await?;
    let household = client.household().roster().name().to_owned();
    let mut commands = control::listen(options.control.as_deref())?;
    let mut sensor = motion::watch(options.motion.as_deref());
    let voice = Voice::find();
    // A device that was started anew stands where its switch stood.
    let settings = client.device_settings();
    let microphone_on = settings.is_none_or(|settings| settings.switches.microphone);
    let mut device = Device {
        microphone: watch::Sender::new(microphone_on),
        output: output::open(&options.sound_out)?,
        indicator: Indicator::new(report, options.led.as_deref()),
        vibrator: Vibrator::new(options.vibrator.as_deref()),
        client,
        options,
        voice,
        report,
        state: State::Idle,
        company: Company::default(),
        once: dial.is_some(),
        secured: false,
        announcements: Announcements::default(),
        live: Live::default(),
        recording: None,
        ending: None,
        terminated: signal(SignalKind::terminate())?,
        near_told: None,
    };
    let able = capabilities(device.options.picture.is_some());
    device.client.set_capabilities(able).await?;
    let frosted = Duration::from_secs(device.options.frosted);
    device.client.set_frosted(frosted).await;
    if !microphone_on {
        device.indicator.microphone_off(true);
    }
    report.tell(&Told::Ready { household });
    if device.voice.is_none() {
        report.tell(&Told::NoVoice);
    }
    if let Some(name) = dial {
        device.dial(&name).await?;
    }
    while device.ending.is_none() {
        device.turn(&mut events, &mut commands, &mut sensor).await?;
    }
    device.leave().await;
    let ending = device.ending.unwrap_or(Ending::Done);
    let client = device.client.clone();
    // With whatever still rings.
    drop(device);
    client.close().await;
    Ok(ending)
}

impl State {
    async fn next(&mut self) -> StateEvent {
        match self {
            Self::Idle => std::future::pending().await,
            Self::Ringing { incoming, .. } => StateEvent::Call(incoming.next().await),
            Self::InCall(call) => StateEvent::Call(call.next().await),
            Self::Visited(visited) => StateEvent::Visit(visited.next().await),
        }
    }

    fn light(&self) -> Light {
        match self {
            Self::Idle => Light::Off,
            Self::Ringing { .. } => Light::PulsingGreen,
            Self::InCall(_) | Self::Visited(_) => Light::Green,
        }
    }
}

impl Device {
    /// The next thing that happens, whatever it is.
    async fn turn(
        &mut self,
        events: &mut mpsc::Receiver<ClientEvent>,
        commands: &mut mpsc::Receiver<Command>,
        sensor: &mut mpsc::Receiver<Motion>,
    ) -> anyhow::Result<()> {
        self.keep_live();
        self.play_next().await;
        tokio::select! {
            event = self.live.next() => self.live_event(event),
            heard = self.announcements.finished() => self.announcement_over(heard).await,
            event = events.recv() => self.client_event(event).await?,
            event = self.state.next() => match event {
                StateEvent::Call(event) => self.call_event(event).await?,
                StateEvent::Visit(event) => self.visited_event(event).await?,
            },
            event = self.company.next() => self.second_event(event).await?,
            Some(command) = commands.recv() => {
                self.somebody_is_here();
                self.command(command).await?;
            }
            Some(motion) = sensor.recv() => self.sensed(motion),
            signal = tokio::signal::ctrl_c() => {
                signal?;
                self.ending = Some(Ending::Done);
            }
            Some(()) = self.terminated.recv() => self.ending = Some(Ending::Done),
        }
        Ok(())
    }

    pub(crate) fn enter(&mut self, state: State) {
        self.state = state;
        // A light that fails is no reason to end a call.
        self.indicator.show(self.state.light());
    }

    async fn client_event(&mut self, event: Option<ClientEvent>) -> anyhow::Result<()> {
        match event {
            Some(ClientEvent::Incoming(incoming)) => self.rings(incoming, false).await?,
            Some(ClientEvent::Moving(incoming)) => self.moves_here(incoming).await?,
            Some(ClientEvent::Waiting(incoming)) => self.waits(incoming).await?,
            // Missed calls are shown where there is a screen.
            Some(ClientEvent::Missed(_) | ClientEvent::MissedSeen { .. }) => {}
            Some(ClientEvent::CallRefused { because, .. }) => {
                self.report.tell(&Told::Refused {
                    text: because.to_string(),
                });
            }
            Some(ClientEvent::Connection(connected)) => {
                self.report.tell(&Told::Connection { connected });
            }
            Some(ClientEvent::HomeChanged) => self.keep_quiet(),
            Some(ClientEvent::Live(incoming)) => self.live(*incoming).await?,
            Some(ClientEvent::LiveRefused { because, .. }) => self.warn(&because),
            Some(ClientEvent::Announcement(incoming)) => self.announced(*incoming).await,
            Some(ClientEvent::AnnouncementRefused { because, .. }) => {
                let text = because.to_string();
                self.report.tell(&Told::Warning { text });
            }
            Some(ClientEvent::AnnouncementHeard { device, heard, .. }) => {
                let at = label_of(&self.client, device);
                self.report.tell(&Told::AnnouncementHeard { at, heard });
            }
            Some(ClientEvent::DropIn(visit)) => self.is_visited(visit).await,
            Some(ClientEvent::DropInRefused { from, because, .. }) => {
                self.report.tell(&Told::DropInRefused {
                    from: from.map(|from| from.name),
                    refusal: because,
                });
            }
            Some(ClientEvent::LedgerDiffers) => {
                let text = "the server shows another record of drop-ins here than this device has written; it goes on from there, and says so in it".to_owned();
                self.report.tell(&Told::Warning { text });
            }
            // Guests knock at apps, and a device is none.
            Some(ClientEvent::Knock(_) | ClientEvent::KnockGone(_)) => {}
            Some(ClientEvent::Alarm(error)) => {
                self.report.tell(&Told::Refused {
                    text: error.to_string(),
                });
                self.ending = Some(Ending::Refused);
            }
            Some(ClientEvent::Ended(error)) => anyhow::bail!("{}", error.message),
            None => anyhow::bail!("the connection to the server ended"),
        }
        Ok(())
    }

    async fn command(&mut self, command: Command) -> anyhow::Result<()> {
        match (command, &self.state) {
            (Command::Answer, State::Ringing { .. }) => self.answered_here().await?,
            (Command::Decline, State::Ringing { .. }) => {
                let state = std::mem::replace(&mut self.state, State::Idle);
                self.indicator.show(Light::Off);
                if let State::Ringing { incoming, .. } = state {
                    let reason = incoming.decline().await;
                    self.report.tell(&Told::Ended { reason });
                }
            }
            (Command::Answer, State::InCall(_)) => self.answer_second().await?,
            (Command::Decline, State::InCall(_)) => self.decline_second().await,
            (Command::Add(name), State::InCall(_)) => self.add(&name).await,
            (Command::CancelAdding, State::InCall(call)) => call.stop_adding().await,
            (Command::MoveTo(label), State::InCall(_)) => self.move_to(&label).await,
            (Command::EndForEveryone, State::InCall(call)) => call.end_for_everyone().await,
            (Command::TakeOver, State::Idle) => self.take_over().await,
            (Command::HangUp | Command::Press, State::Visited(visited)) => visited.end().await,
            (Command::HangUp | Command::Press, State::Idle) => self.stop_live(),
            (Command::HangUp, State::InCall(call)) => call.hang_up().await,
            (Command::Mute(muted), State::InCall(call)) => call.mute(muted).await,
            (Command::Answer, State::Visited(_)) => self.answer_second().await?,
            (Command::Decline, State::Visited(_)) => self.decline_second().await,
            (Command::Video(on), State::Visited(visited)) => visited.video(on).await,
            (Command::Yes, State::Visited(visited)) => visited.yes().await,
            (Command::No, State::Visited(visited)) => visited.no().await,
            (Command::Hush, State::Visited(visited)) => visited.hush().await,
            (Command::EveryoneOut, _) => self.everyone_out().await,
            (Command::AllowDropIn(on), _) => self.allow_drop_in(on).await,
            (Command::DropIn(name), State::Idle) => self.drop_in(&name).await?,
            (Command::Video(true), State::InCall(_)) if self.options.picture.is_none() => {
                let text = "this device has no picture; start it with --picture".to_owned();
                self.report.tell(&Told::Warning { text });
            }
            (Command::Video(on), State::InCall(call)) => call.video(on).await,
            // The one thing that a press can mean: take what rings, end what is on.
            (Command::Press, State::Ringing { .. }) => self.answered_here().await?,
            (Command::Press, State::InCall(call)) => call.hang_up().await,
            (Command::DoublePress, State::Idle) => self.call_top_contact().await?,
            (Command::Microphone(on), _) => self.switch_microphone(on).await,
            (Command::DoNotDisturb(on), _) => self.do_not_disturb(on, false).await,
            (Command::DoNotDisturbEverywhere(on), _) => self.do_not_disturb(on, true).await,
            (Command::Call(name), State::Idle) => self.dial(&name).await?,
            (Command::Announce { room, text }, _) => self.announce_text(room, text).await,
            (Command::AnnounceLive(room), State::Idle) => self.announce_live(room).await?,
            (Command::RecordAnnouncement(room), State::Idle) => self.record(room)?,
            (Command::SendAnnouncement, _) => self.send_recording().await,
            (Command::AnswerAnnouncement(text), _) => self.answer_announcement(text).await,
            (Command::PlayAnnouncements, _) => self.play_offered(),
            (Command::PutAnnouncementsAside, _) => self.put_offered_aside().await,
            (Command::Quit, _) => self.ending = Some(Ending::Done),
            (Command::Unknown(command), _) => self.report.tell(&Told::Unknown { command }),
            // What makes no sense now is said out of habit; nothing happens.
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn voice(&self) -> Option<Voice> {
        self.voice.clone()
    }

    pub(crate) fn sound_in(&self) -> &Input {
        &self.options.sound_in
    }

    pub(crate) fn warn(&self, error: &dyn std::error::Error) {
        let text = error.to_string();
        self.report.tell(&Told::Warning { text });
    }

    /// Hangs up and waits until that is told; the light goes out.
    async fn leave(&mut self) {
        self.stop_live();
        if let State::InCall(call) = &mut self.state {
            call.hang_up().await;
            let reason = call.ended().await;
            self.report.tell(&Told::Ended { reason });
        }
        if let State::Visited(visited) = &mut self.state {
            let by = visited.leave().await;
            self.report.tell(&Told::DropInEnded { by });
        }
        self.enter(State::Idle);
    }
}
