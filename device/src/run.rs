//! `run` and `call`: one call at a time, from ringing or dialling to its end, with the light that goes with it.

use std::time::Duration;

use anyhow::Context as _;
use homeline_client::media::Pcm;
use homeline_client::sound::echo;
use homeline_client::{Call, CallEvent, Client, ClientEvent, IncomingCall, Outgoing};
use homeline_e2ee::policy::Mode;
use homeline_protocol::session::{AnnouncementFate, Capabilities, EndReason};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::Ending;
use crate::announcing::{Recording, label_of};
use crate::arguments::{CallOptions, Common, Input};
use crate::company::{Company, Second};
use crate::control::{self, Command};
use crate::drop_in::{Visited, VisitedEvent};
use crate::hearing::Announcements;
use crate::led::{Indicator, Light};
use crate::live::Live;
use crate::output::Listener;
use crate::report::{Report, Told, trust};
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
    once: bool,
    pub(crate) secured: bool,
    /// What others announce here.
    pub(crate) announcements: Announcements,
    /// What is announced live here.
    pub(crate) live: Live,
    /// What is being recorded, to be announced.
    pub(crate) recording: Option<Recording>,
    ending: Option<Ending>,
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
        device.turn(&mut events, &mut commands).await?;
    }
    device.leave().await;
    Ok(device.ending.unwrap_or(Ending::Done))
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
            signal = tokio::signal::ctrl_c() => {
                signal?;
                self.ending = Some(Ending::Done);
            }
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

    /// `moves`: it is the household's own call, which would go on here.
    pub(crate) async fn rings(
        &mut self,
        incoming: Box<IncomingCall>,
        moves: bool,
    ) -> anyhow::Result<()> {
        if !matches!(self.state, State::Idle) {
            // One call at a time; the person's other devices ring on.
            return Ok(());
        }
        let from = incoming.from().clone();
        let (name, video) = (from.name.clone(), incoming.video());
        self.report.tell(&Told::Ringing {
            from: name.clone(),
            trust: trust(&from),
            video,
            moves,
        });
        let mode = incoming.mode();
        let text = match moves {
            true => format!("Your call with {name} would go on here"),
            false => format!("Incoming call from {name}"),
        };
        let ringing = Ringing::start(text, self.voice.clone(), self.output.clone(), self.report);
        self.enter(State::Ringing {
            incoming,
            _ringing: ringing,
        });
        match mode {
            None => {}
            // Nobody in the room has agreed to be seen: a picture needs a press, as in the browser.
            Some(Mode::Auto) => self.answer(self.with(false)?).await,
            Some(Mode::Echo) => self.answer(with_sound(echo())).await,
        }
        Ok(())
    }

    /// Somebody at the device answers.
    async fn answered_here(&mut self) -> anyhow::Result<()> {
        if let State::Ringing { incoming, .. } = &self.state {
            self.answer(self.with(incoming.video())?).await;
        }
        Ok(())
    }

    async fn answer(&mut self, with: Outgoing) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        match state {
            State::Ringing { incoming, .. } => {
                let call = incoming.answer(with).await;
                self.report.tell(&Told::Answered);
                self.enter(State::InCall(Box::new(call)));
            }
            other => self.state = other,
        }
    }

    pub(crate) async fn dial(&mut self, name: &str) -> anyhow::Result<()> {
        let with = self.with(true)?;
        match self.client.call(name, with).await {
            Ok(call) => {
                self.report.tell(&Told::Calling {
                    to: name.to_owned(),
                });
                self.enter(State::InCall(Box::new(call)));
            }
            Err(error) if self.once => return Err(error.into()),
            Err(error) => self.report.tell(&Told::Warning {
                text: error.to_string(),
            }),
        }
        Ok(())
    }

    /// A call that was asked for here, or that has waited, is the call now.
    pub(crate) fn goes_on_here(&mut self, call: Box<Call>) {
        self.report.tell(&Told::Answered);
        self.secured = false;
        self.enter(State::InCall(call));
    }

    /// What a call is made with; a picture only where the call has video.
    pub(crate) fn with(&self, video: bool) -> anyhow::Result<Outgoing> {
        let CallOptions {
            sound_in,
            listen_for,
            picture,
            ..
        } = &self.options;
        let on = self.microphone.subscribe();
        let output = self.output.clone();
        let listener = Listener::new(listen_for.clone(), self.report);
        let sound = output::sound(sound_in, on, output, self.company.knocks(), listener)?;
        let mut with = with_sound(sound);
        if let Some(picture) = picture {
            with.camera = match video {
                true => Some(picture::camera(picture)?),
                false => None,
            };
            // The other side may switch its picture on later.
            with.screen = Some(picture::screen(self.report)?);
        }
        Ok(with)
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

    pub(crate) async fn call_event(&mut self, event: Option<CallEvent>) -> anyhow::Result<()> {
        let told = match event {
            Some(CallEvent::Ringing) => Told::RingsThere,
            Some(CallEvent::Answered) => Told::Answered,
            Some(CallEvent::Secured { code, with }) => {
                self.secured = true;
                Told::Secured {
                    code,
                    trust: trust(&with),
                    with: with.name,
                }
            }
            Some(CallEvent::Media { connected }) => Told::Media { connected },
            Some(CallEvent::NoWay { troubles }) => Told::Warning {
                text: match troubles.is_empty() {
                    true => "media finds no way to the server".to_owned(),
                    false => format!("media finds no way to the server: {}", troubles.join("; ")),
                },
            },
            Some(CallEvent::PartyConnection { connected, .. }) => {
                Told::PartyConnection { connected }
            }
            Some(CallEvent::Warning(warning)) => Told::Warning {
                text: warning.to_string(),
            },
            Some(CallEvent::Refused(because)) => {
                self.ending = self.once.then_some(Ending::Refused);
                Told::Refused {
                    text: because.to_string(),
                }
            }
            Some(CallEvent::FramesLost { total }) => Told::Warning {
                text: format!("{total} frames did not decrypt"),
            },
            Some(CallEvent::Ended(reason)) => return self.over(reason).await,
            None => return self.over(EndReason::DeviceLost).await,
            Some(CallEvent::Announced { receivers }) => Told::AnnouncingLive {
                devices: receivers
                    .iter()
                    .filter(|one| one.fate == AnnouncementFate::Told)
                    .count(),
            },
            Some(CallEvent::Joined { device, .. }) if self.live.speaks => Told::LiveHeard {
                at: label_of(&self.client, device),
            },
            Some(CallEvent::Left { device }) if self.live.speaks => Told::LiveLeft {
                at: label_of(&self.client, device),
            },
            Some(CallEvent::DropInOpened { label, .. }) => Told::DroppedIn { room: label },
            Some(CallEvent::DropInStage(stage)) => Told::DropInStage { stage },
            Some(CallEvent::DropInRefused(refusal)) => Told::DropInRefused {
                from: None,
                refusal,
            },
            Some(event) => {
                self.company_event(event);
                return Ok(());
            }
        };
        self.report.tell(&told);
        Ok(())
    }

    /// A second call that waits rings now, or is the call if it was answered.
    async fn over(&mut self, reason: EndReason) -> anyhow::Result<()> {
        self.report.tell(&Told::Ended { reason });
        self.goes_idle().await
    }

    /// What comes after a call or a visit.
    pub(crate) async fn goes_idle(&mut self) -> anyhow::Result<()> {
        self.company.clear();
        self.live.speaks = false;
        match self.company.take_second() {
            Some(Second::Answered(call)) => {
                self.goes_on_here(call);
                return Ok(());
            }
            Some(Second::Rings(incoming)) => {
                self.enter(State::Idle);
                return self.rings(incoming, false).await;
            }
            None => self.enter(State::Idle),
        }
        if self.once {
            let ending = if self.secured {
                Ending::Done
            } else {
                Ending::NotConnected
            };
            self.ending.get_or_insert(ending);
        }
        self.secured = false;
        Ok(())
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

fn with_sound(sound: homeline_client::media::Sound) -> Outgoing {
    Outgoing {
        sound,
        camera: None,
        screen: None,
    }
}
