//! Announcements that are heard while they are spoken: heard here without any microphone, or spoken here.

use homeline_client::announcements::IncomingLive;
use homeline_client::{Call, CallEvent};
use tokio::sync::watch;

use crate::announcing::to;
use crate::output::{self, Listener};
use crate::report::{Report, Told};
use crate::run::{Device, State};

/// What is heard here now, beside whatever else the device does, since it is no call of this device's; and
/// what is spoken here, which is.
#[derive(Default)]
pub(crate) struct Live {
    hearing: Option<Hearing>,
    /// Whether the call of this device is one in which it speaks live.
    pub(crate) speaks: bool,
}

struct Hearing {
    call: Box<Call>,
    from: String,
    /// Whether it is played: not while somebody rings.
    plays: watch::Sender<bool>,
}

impl Live {
    pub(crate) fn is_on(&self) -> bool {
        self.hearing.is_some()
    }

    /// The next thing that happens to the one that is heard.
    pub(crate) async fn next(&mut self) -> Option<CallEvent> {
        match &mut self.hearing {
            Some(hearing) => hearing.call.next().await,
            None => std::future::pending().await,
        }
    }

    /// Ends it here; the others hear on. Dropping a call hangs up.
    fn stop(&mut self, report: Report) {
        if let Some(Hearing { from, .. }) = self.hearing.take() {
            report.tell(&Told::LiveOver { from });
        }
    }
}

impl Device {
    /// Somebody announces live. It is heard where nothing else is on and nobody wants quiet.
    pub(crate) async fn live(&mut self, incoming: IncomingLive) -> anyhow::Result<()> {
        let free = matches!(self.state, State::Idle) && !self.live.is_on();
        if self.is_quiet() || !free || self.recording.is_some() {
            incoming.decline().await;
            return Ok(());
        }
        let from = incoming.from.clone();
        self.report.tell(&Told::Live { from: from.clone() });
        let plays = watch::Sender::new(true);
        let listen_for = self.options.listen_for.clone();
        let listener = Listener::new(listen_for, self.report);
        let speaker = output::heard(self.output.clone(), plays.subscribe(), listener);
        match incoming.hear(speaker).await {
            Ok(call) => {
                let call = Box::new(call);
                self.live.hearing = Some(Hearing { call, from, plays });
            }
            Err(error) => self.warn(&error),
        }
        Ok(())
    }

    pub(crate) fn live_event(&mut self, event: Option<CallEvent>) {
        match event {
            Some(CallEvent::Refused(because)) => self.report.tell(&Told::Refused {
                text: because.to_string(),
            }),
            Some(CallEvent::Warning(warning)) => self.warn(&warning),
            Some(CallEvent::Ended(_)) | None => self.stop_live(),
            Some(_) => {}
        }
    }

    /// A call that rings is heard before it, and one that is taken ends it here.
    pub(crate) fn keep_live(&mut self) {
        match (&self.state, &self.live.hearing) {
            (State::Idle | State::Ringing { .. }, Some(hearing)) => {
                let plays = matches!(self.state, State::Idle);
                hearing.plays.send_replace(plays);
            }
            (State::InCall(_) | State::Visited(_), Some(_)) => self.stop_live(),
            (_, None) => {}
        }
    }

    /// The household's settings changed: where do not disturb begins, it is heard no more.
    pub(crate) fn keep_quiet(&mut self) {
        if self.is_quiet() {
            self.stop_live();
        }
    }

    /// On do not disturb, this device or everything of its person's.
    fn is_quiet(&self) -> bool {
        let settings = self.client.device_settings();
        let everywhere = self.client.household().settings().do_not_disturb.everywhere;
        everywhere || settings.is_some_and(|settings| settings.do_not_disturb)
    }

    pub(crate) fn stop_live(&mut self) {
        self.live.stop(self.report);
    }

    /// Ends it here, and waits until the server was told: a device that hears is busy for drop-ins.
    pub(crate) async fn leave_live(&mut self) {
        if let Some(hearing) = &mut self.live.hearing {
            hearing.call.hang_up().await;
            hearing.call.ended().await;
        }
        self.stop_live();
    }

    /// Speaks to every home device, or those of a room, until somebody hangs up: a minute at most.
    pub(crate) async fn announce_live(&mut self, room: Option<String>) -> anyhow::Result<()> {
        if !*self.microphone.borrow() {
            let text = "the microphone is switched off".to_owned();
            self.report.tell(&Told::Warning { text });
            return Ok(());
        }
        self.stop_live();
        let microphone = output::switched(self.sound_in(), self.microphone.subscribe())?;
        match self.client.announce_live(to(room), microphone).await {
            Ok(call) => {
                self.live.speaks = true;
                self.enter(State::InCall(Box::new(call)));
            }
            Err(error) => self.warn(&error),
        }
        Ok(())
    }
}
