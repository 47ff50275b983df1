//! One call from ringing or dialling to its end.

use homeline_client::sound::echo;
use homeline_client::{Call, CallEvent, IncomingCall, Outgoing};
use homeline_e2ee::policy::Mode;
use homeline_protocol::session::{AnnouncementFate, EndReason};

use crate::Ending;
use crate::announcing::label_of;
use crate::arguments::CallOptions;
use crate::company::Second;
use crate::output::{self, Listener};
use crate::picture;
use crate::report::{Told, trust};
use crate::ring::Ringing;
use crate::run::{Device, State};

impl Device {
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
        let ringing = Ringing::start(text, self.voice(), self.output.clone(), self.report);
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
    pub(crate) async fn answered_here(&mut self) -> anyhow::Result<()> {
        if let State::Ringing { incoming, .. } = &self.state {
            self.answer(self.with(incoming.video())?).await;
        }
        Ok(())
    }

    pub(crate) async fn answer(&mut self, with: Outgoing) {
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
            Some(CallEvent::LiveDeclined { device }) => Told::LiveDeclined {
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
}

fn with_sound(sound: homeline_client::media::Sound) -> Outgoing {
    Outgoing {
        sound,
        camera: None,
        screen: None,
    }
}
