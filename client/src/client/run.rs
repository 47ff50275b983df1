//! The client's task: events of the session to the household, to calls, and to the program.

use std::sync::Arc;

use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{DropInGrant, Event, Home, Reply, Request, RunningCall};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::event::ClientEvent;
use super::renew::RENEW_EVERY;
use super::shared::{Shared, State};
use crate::announcements::{hear, settle, take_after_quiet_times, told_live};
use crate::call::{Asked, Input, Invited, receive};
use crate::drop_in::DeskInput;
use crate::home::{HomeError, Household};
use crate::session::{Events, RequestError, Session, SessionEvent};
use crate::time::now;

pub(super) async fn home(session: &Session) -> Result<Home, RequestError> {
    match session.request(Request::GetHome).await? {
        Reply::Home(home) => Ok(*home),
        _ => Err(RequestError::WrongReply),
    }
}

async fn calls(session: &Session) -> Result<Vec<RunningCall>, RequestError> {
    match session.request(Request::ListCalls).await? {
        Reply::Calls { calls } => Ok(calls),
        _ => Err(RequestError::WrongReply),
    }
}

pub(super) struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) events: mpsc::Sender<ClientEvent>,
    /// The household did. Dropped with the client.
    pub(super) changed: watch::Sender<()>,
}

/// The client's task is over.
struct Over;

impl Run {
    pub(super) async fn run(
        self,
        news: Events,
        gone: mpsc::Receiver<()>,
        grants: Vec<DropInGrant>,
    ) {
        self.renew().await;
        self.renew_grants(&grants).await;
        self.serve(news, gone).await;
        self.shared.to_desk(DeskInput::Stop).await;
    }

    async fn serve(&self, mut news: Events, mut gone: mpsc::Receiver<()>) {
        self.settle();
        let (shared, events) = (self.shared.clone(), self.events.clone());
        let changed = self.changed.subscribe();
        tokio::spawn(take_after_quiet_times(shared, events, changed));
        let mut renewal = tokio::time::interval_at(Instant::now() + RENEW_EVERY, RENEW_EVERY);
        let mut leaving = false;
        loop {
            let event = tokio::select! {
                event = news.recv() => event,
                _ = gone.recv(), if !leaving => {
                    leaving = true;
                    continue;
                }
                () = self.shared.calls_over(), if leaving => return,
                _ = renewal.tick() => {
                    self.renew_all().await;
                    continue;
                }
            };
            let Some(event) = event else { return };
            if self.step(event).await.is_err() {
                return;
            }
        }
    }

    async fn step(&self, event: SessionEvent) -> Result<(), Over> {
        match event {
            SessionEvent::Connected { resumed, .. } => {
                if !resumed {
                    // Whoever still waits is told again.
                    let before = self.shared.knocks().end_all();
                    for knock in before {
                        self.tell(ClientEvent::KnockGone(knock)).await;
                    }
                    self.begin_anew().await?;
                }
                self.tell(ClientEvent::Connection(true)).await;
            }
            SessionEvent::Lost => self.tell(ClientEvent::Connection(false)).await,
            SessionEvent::Event(event) => self.event(*event).await?,
            SessionEvent::Ended(error) => {
                self.tell(ClientEvent::Ended(error)).await;
                return Err(Over);
            }
        }
        Ok(())
    }

    /// A new session knows nothing of the old one: the household and the calls are asked for.
    async fn begin_anew(&self) -> Result<(), Over> {
        let Ok(home) = home(self.shared.session()).await else {
            return Ok(());
        };
        let opened = {
            let mut state = self.shared.state();
            let State {
                identity,
                household,
            } = &mut *state;
            Household::open(&home, identity, now()).map(|opened| *household = opened)
        };
        self.check(opened.map(|()| true)).await?;
        self.settle();
        self.renew_grants(&home.drop_in_grants).await;
        self.shared
            .to_desk(DeskInput::Home(home.drop_in_grants))
            .await;
        // A call that begins meanwhile is missing from the list, and well.
        let before = self.shared.calls();
        let Ok(running) = calls(self.shared.session()).await else {
            return Ok(());
        };
        for (id, call) in before {
            let running = running
                .iter()
                .any(|running| running.call == id && running.here);
            // A call that is over by itself takes no more.
            call.send(Input::SessionAnew { running }).await.ok();
        }
        Ok(())
    }

    async fn event(&self, event: Event) -> Result<(), Over> {
        if is_for_desk(&event) {
            self.drop_in_event(event).await;
            return Ok(());
        }
        if let Some(id) = call_of(&event) {
            match self.shared.call(id) {
                Some(call) => drop(call.send(Input::Event(Box::new(event))).await),
                None => self.incoming(event).await,
            }
            return Ok(());
        }
        if is_of_pairing(&event) {
            if let Some(listener) = self.shared.adding() {
                // Whoever stopped listening has left "Add a device".
                listener.send(event).await.ok();
            }
            return Ok(());
        }
        match event {
            Event::CallMissed(call) => {
                self.tell(ClientEvent::Missed(Box::new(call))).await;
                return Ok(());
            }
            Event::MissedSeen { until_ms } => {
                self.tell(ClientEvent::MissedSeen { until_ms }).await;
                return Ok(());
            }
            Event::GuestKnocked { .. } | Event::GuestGone { .. } | Event::CallLinkEnded { .. } => {
                if let Some(told) = self.shared.guest_event(&event) {
                    self.tell(told).await;
                }
                return Ok(());
            }
            event @ (Event::Announced(_)
            | Event::LiveAnnouncement { .. }
            | Event::AnnouncementHeard { .. }) => {
                self.announcement(event).await;
                return Ok(());
            }
            _ => {}
        }
        let may_hear = may_hear_again(&event, self.shared.device());
        let grew = matches!(event, Event::RosterGrew { .. });
        let applied = {
            let mut state = self.shared.state();
            let State {
                identity,
                household,
            } = &mut *state;
            household.apply(&event, identity, now())
        };
        self.check(applied).await?;
        if may_hear {
            self.settle();
        }
        if grew {
            self.adopt().await;
            for (_, call) in self.shared.calls() {
                call.send(Input::RosterGrew).await.ok();
            }
        }
        Ok(())
    }

    async fn drop_in_event(&self, event: Event) {
        if let Event::DropInGrantPut(grant) = &event {
            // An adult's app knows the newest revision from now on.
            self.renew_grants(std::slice::from_ref(grant)).await;
        }
        self.shared.to_desk(DeskInput::Event(Box::new(event))).await;
    }

    async fn announcement(&self, event: Event) {
        match event {
            Event::Announced(told) => {
                // Fetching it takes a while, and calls ring meanwhile.
                tokio::spawn(hear(self.shared.clone(), told, self.events.clone()));
            }
            Event::LiveAnnouncement {
                call,
                device,
                statement,
            } => {
                let told = told_live(&self.shared, (call, device), &statement).await;
                self.tell(told).await;
            }
            Event::AnnouncementHeard {
                announcement: id,
                device,
                heard,
            } => {
                self.tell(ClientEvent::AnnouncementHeard { id, device, heard })
                    .await;
            }
            _ => {}
        }
    }

    /// What waits to be heard here is asked for beside everything else.
    fn settle(&self) {
        tokio::spawn(settle(self.shared.clone(), self.events.clone()));
    }

    /// After a change of the household: written down, told, or an alarm.
    async fn check(&self, applied: Result<bool, HomeError>) -> Result<(), Over> {
        match applied {
            Ok(false) => Ok(()),
            Ok(true) => {
                self.shared.save();
                self.changed.send_replace(());
                self.shared.to_desk(DeskInput::Household).await;
                self.renew().await;
                self.tell(ClientEvent::HomeChanged).await;
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the household does not hold");
                self.tell(ClientEvent::Alarm(error)).await;
                Err(Over)
            }
        }
    }

    async fn incoming(&self, event: Event) {
        let Some(invited) = Invited::of(event) else {
            return;
        };
        let (call, asked) = (invited.call, invited.asked);
        match receive(self.shared.clone(), invited).await {
            Ok(incoming) => {
                let incoming = Box::new(incoming);
                let event = match asked {
                    Asked::Called => ClientEvent::Incoming(incoming),
                    Asked::Waits => ClientEvent::Waiting(incoming),
                    Asked::Moves => ClientEvent::Moving(incoming),
                };
                self.tell(event).await;
            }
            Err(because) => {
                tracing::warn!(%because, "an invitation was refused");
                let refused = self
                    .shared
                    .session()
                    .done(Request::RefuseInvitation { call })
                    .await;
                if let Err(error) = refused {
                    tracing::info!(%error, "the refusal was not taken");
                }
                self.tell(ClientEvent::CallRefused { call, because }).await;
            }
        }
    }

    async fn tell(&self, event: ClientEvent) {
        // A program that only makes calls may not listen.
        self.events.send(event).await.ok();
    }
}

/// Whether do not disturb ended here, or may have.
fn may_hear_again(event: &Event, own: DeviceId) -> bool {
    match event {
        Event::DeviceSettingsChanged {
            device, settings, ..
        } => *device == own && !settings.do_not_disturb,
        Event::DoNotDisturbChanged(now) => !now.everywhere,
        _ => false,
    }
}

fn call_of(event: &Event) -> Option<CallId> {
    match event {
        Event::IncomingCall { call, .. }
        | Event::DeviceRinging { call, .. }
        | Event::CallAnswered { call, .. }
        | Event::CallEnded { call, .. }
        | Event::Participants { call, .. }
        | Event::Tracks { call, .. }
        | Event::ParticipantConnection { call, .. }
        | Event::MediaRestart { call }
        | Event::GroupCommit { call, .. }
        | Event::GroupWelcome { call, .. }
        | Event::EpochExecute { call, .. }
        | Event::GroupMessage { call, .. }
        | Event::AddingRinging { call, .. }
        | Event::AddingAnswered { call, .. }
        | Event::AddingEnded { call, .. }
        | Event::MemberLeft { call, .. }
        | Event::MoveOffered { call, .. }
        | Event::MoveWanted { call, .. }
        | Event::MoveAccepted { call, .. }
        | Event::MoveEnded { call, .. }
        | Event::CallWaiting { call, .. }
        | Event::DropInOpened { call, .. }
        | Event::DropInStage { call, .. }
        | Event::DropInRefused { call, .. }
        | Event::LiveDeclined { call, .. } => Some(*call),
        _ => None,
    }
}

/// About drop-ins on this device. An app has no desk: nobody drops in on one, whatever a server says.
fn is_for_desk(event: &Event) -> bool {
    matches!(
        event,
        Event::DropInAsked { .. }
            | Event::DropInEnded { .. }
            | Event::DropInGrantPut(_)
            | Event::DropInGrantEnded { .. }
    )
}

fn is_of_pairing(event: &Event) -> bool {
    matches!(
        event,
        Event::PairingOffered { .. } | Event::PairingRevealed { .. } | Event::PairingEnded { .. }
    )
}
