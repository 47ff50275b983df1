//! More than two in a call, a call that moves, and a second call: what somebody at the device can do about them.

use std::collections::BTreeMap;
use std::time::Duration;

use homeline_client::{Call, CallEvent, IncomingCall};
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{CallPhase, EndReason};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::report::{Told, trust};
use crate::run::{Device, State};

/// From the wish to take a call over until it is offered. A later offer rings, as one that nobody asked for.
const OFFERED_WITHIN: Duration = Duration::from_secs(10);

/// How often a second call knocks.
const KNOCK_EVERY: Duration = Duration::from_secs(5);

/// A second call.
pub(crate) enum Second {
    Rings(Box<IncomingCall>),
    /// Answered; the first goes on until the server has taken the answer.
    Answered(Box<Call>),
}

/// Something about the second call.
pub(crate) enum SecondEvent {
    Call(Option<CallEvent>),
    Knock,
}

/// Who else is in the call, who is asked, and who waits.
pub(crate) struct Company {
    present: BTreeMap<DeviceId, String>,
    adding: Option<String>,
    moving: Option<String>,
    wanted: Option<(CallId, Instant)>,
    second: Option<Second>,
    knock_at: Instant,
    /// Counted up for each knock; the sound of the call plays it.
    knocks: watch::Sender<u32>,
}

impl Default for Company {
    fn default() -> Self {
        Self {
            present: BTreeMap::new(),
            adding: None,
            moving: None,
            wanted: None,
            second: None,
            knock_at: Instant::now(),
            knocks: watch::Sender::new(0),
        }
    }
}

impl Company {
    pub(crate) fn knocks(&self) -> watch::Receiver<u32> {
        self.knocks.subscribe()
    }

    /// The first call is over.
    pub(crate) fn clear(&mut self) {
        self.present.clear();
        self.adding = None;
        self.moving = None;
    }

    pub(crate) fn take_second(&mut self) -> Option<Second> {
        self.second.take()
    }

    /// Waits for the second call's news, and for the next knock.
    pub(crate) async fn next(&mut self) -> SecondEvent {
        match &mut self.second {
            None => std::future::pending().await,
            Some(Second::Answered(call)) => SecondEvent::Call(call.next().await),
            Some(Second::Rings(incoming)) => tokio::select! {
                event = incoming.next() => SecondEvent::Call(event),
                () = tokio::time::sleep_until(self.knock_at) => SecondEvent::Knock,
            },
        }
    }

    /// A soft sound over the call.
    pub(crate) fn knock(&mut self) {
        self.knock_at = Instant::now() + KNOCK_EVERY;
        self.knocks
            .send_modify(|knocks| *knocks = knocks.wrapping_add(1));
    }
}

impl Device {
    /// Somebody calls while a call is on: a soft knock, and a line to read. A third one rings on elsewhere.
    pub(crate) async fn waits(&mut self, incoming: Box<IncomingCall>) -> anyhow::Result<()> {
        if matches!(self.state, State::Idle) {
            // The first call ended while this one was on its way.
            return self.rings(incoming, false).await;
        }
        let on = matches!(self.state, State::InCall(_) | State::Visited(_));
        if self.company.second.is_some() || !on {
            return Ok(());
        }
        let from = incoming.from();
        self.report.tell(&Told::Waiting {
            from: from.name.clone(),
            trust: trust(from),
            video: incoming.video(),
        });
        self.company.second = Some(Second::Rings(incoming));
        self.company.knock();
        Ok(())
    }

    pub(crate) async fn second_event(&mut self, event: SecondEvent) -> anyhow::Result<()> {
        match event {
            SecondEvent::Knock => self.company.knock(),
            SecondEvent::Call(Some(CallEvent::Ended(reason))) => self.second_over(reason),
            SecondEvent::Call(None) => self.second_over(EndReason::DeviceLost),
            // The server ends the first call with the answer, and tells it as that call's end.
            SecondEvent::Call(Some(_)) => {}
        }
        Ok(())
    }

    fn second_over(&mut self, reason: EndReason) {
        self.company.second = None;
        self.report.tell(&Told::WaitingEnded { reason });
    }

    /// Answers the second call, which ends the first for this device.
    pub(crate) async fn answer_second(&mut self) -> anyhow::Result<()> {
        match self.company.take_second() {
            Some(Second::Rings(incoming)) => {
                let with = self.with(incoming.video())?;
                let call = incoming.answer(with).await;
                self.company.second = Some(Second::Answered(Box::new(call)));
            }
            other => self.company.second = other,
        }
        Ok(())
    }

    pub(crate) async fn decline_second(&mut self) {
        match self.company.take_second() {
            Some(Second::Rings(incoming)) => {
                let reason = incoming.decline().await;
                self.report.tell(&Told::WaitingEnded { reason });
            }
            other => self.company.second = other,
        }
    }

    pub(crate) async fn add(&mut self, name: &str) {
        let State::InCall(call) = &self.state else {
            return;
        };
        if let Some(adding) = &self.company.adding {
            let text = format!("{adding} is being added; wait for them, or cancel adding");
            return self.report.tell(&Told::Warning { text });
        }
        self.company.adding = Some(name.to_owned());
        self.report.tell(&Told::Adding {
            name: name.to_owned(),
        });
        call.add(name).await;
    }

    /// To a device of the household by its label, as people say it.
    pub(crate) async fn move_to(&mut self, label: &str) {
        let household = self.client.household();
        let here = self.client.device();
        let named = household.devices().iter().find(|device| {
            device.id != here && device.label.to_lowercase() == label.to_lowercase()
        });
        let (State::InCall(call), Some(device)) = (&self.state, named) else {
            let text = format!("the household has no other device called {label}");
            return self.report.tell(&Told::Warning { text });
        };
        let to = device.label.clone();
        self.company.moving = Some(to.clone());
        self.report.tell(&Told::Moving { to });
        call.move_to(device.id).await;
    }

    /// Asks for this person's call that runs at another device.
    pub(crate) async fn take_over(&mut self) {
        let running = match self.client.running().await {
            Ok(running) => running,
            Err(error) => return self.warn(&error),
        };
        let elsewhere = |one: &&homeline_protocol::session::RunningCall| {
            !one.here && one.phase == CallPhase::Answered
        };
        let Some(call) = running.iter().find(elsewhere) else {
            let text = "no call of yours is on at another device".to_owned();
            return self.report.tell(&Told::Warning { text });
        };
        self.company.wanted = Some((call.call, Instant::now() + OFFERED_WITHIN));
        self.report.tell(&Told::TakingOver {
            from: call.party.display_name.clone(),
        });
        if let Err(error) = self.client.take_over(call.call).await {
            self.company.wanted = None;
            self.warn(&error);
        }
    }

    /// A call of the household would go on here: at once if somebody at this device has asked for it.
    pub(crate) async fn moves_here(&mut self, incoming: Box<IncomingCall>) -> anyhow::Result<()> {
        let asked = self
            .company
            .wanted
            .take_if(|(call, _)| *call == incoming.id());
        let in_time = asked.is_some_and(|(_, until)| Instant::now() < until);
        if !in_time || !matches!(self.state, State::Idle) {
            return self.rings(incoming, true).await;
        }
        let with = self.with(false)?;
        let call = incoming.answer(with).await;
        self.goes_on_here(Box::new(call));
        Ok(())
    }

    /// Who comes and goes, and what becomes of those who were asked.
    pub(crate) fn company_event(&mut self, event: CallEvent) {
        let told = match event {
            CallEvent::Joined { device, party } => {
                let name = party.name;
                self.company.present.insert(device, name.clone());
                // Between two it is told who answered, and by their certificates.
                if self.company.present.len() < 2 {
                    return;
                }
                self.company.adding = None;
                Told::Joined { name }
            }
            CallEvent::Left { device } => {
                let gone = self.company.present.remove(&device);
                // The last other one is gone by moving, or by ending the call, which is told as that.
                let Some(name) = gone.filter(|_| !self.company.present.is_empty()) else {
                    return;
                };
                Told::Left { name }
            }
            CallEvent::AddingRings => Told::AddingRings {
                name: self.company.adding.clone().unwrap_or_default(),
            },
            CallEvent::Denied { words } => Told::Warning { text: words },
            CallEvent::NotAdded(reason) => Told::NotAdded {
                name: self.company.adding.take().unwrap_or_default(),
                reason,
            },
            CallEvent::NotMoved { reason, .. } => Told::NotMoved {
                to: self.company.moving.take().unwrap_or_default(),
                reason,
            },
            // For a screen: with which switches they are there. The rest is told before it comes here.
            _ => return,
        };
        self.report.tell(&told);
    }
}
