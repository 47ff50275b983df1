//! The client's task: events of the session to the household, to calls, and to the program.

use std::path::PathBuf;
use std::sync::Arc;

use homeline_protocol::id::{AnnouncementId, CallId, DeviceId};
use homeline_protocol::session::{
    AnnouncementHeard, ApiError, DropInRefusal, Event, Home, PastCall, Reply, Request, RunningCall,
};
use tokio::sync::mpsc;

use super::shared::{Shared, State};
use crate::announcements::{
    IncomingAnnouncement, IncomingLive, LiveRefused, NotTaken, SteadyClock, hear, settle, told_live,
};
use crate::call::{
    Asked, Call, CallError, Callable, IncomingCall, Input, InvitationRefused, Invited, Outgoing,
    receive, start,
};
use crate::drop_in::{DeskInput, Visit, begin};
use crate::guest::Knock;
use crate::home::{HomeError, Household, Person};
use crate::server::Server;
use crate::session::{Events, OpenError, RequestError, Session, SessionEvent};
use crate::store::{Identity, StoreError};
use crate::time::now;

/// Events that may wait for the program; beyond that the client waits for it.
const EVENTS_MAX: usize = 256;

/// A client that is signed in. Cheap to clone; ends when the last one is dropped and the last call is over.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    /// Dropped with the last clone, which ends the task.
    _alive: Arc<mpsc::Sender<()>>,
}

/// What a client tells by itself.
pub enum ClientEvent {
    /// A call rings here.
    Incoming(Box<IncomingCall>),
    /// Another call rings while this device is in one. Answering it ends the first here.
    Waiting(Box<IncomingCall>),
    /// A call of the household would go on here: answered, it does. `from` is the other end.
    Moving(Box<IncomingCall>),
    /// Somebody called and was not answered.
    Missed(Box<PastCall>),
    /// Missed calls were seen on some device of this person: those that began until then.
    MissedSeen { until_ms: u64 },
    /// A call was not let ring: its invitation was forged, old, or by the wrong household.
    CallRefused {
        call: CallId,
        because: InvitationRefused,
    },
    /// A guest knocks at a call link of this app's: chain and proof hold.
    Knock(Knock),
    /// They knock no more: let in, sent away, or gone.
    KnockGone(Knock),
    /// Something is announced at this device.
    Announcement(Box<IncomingAnnouncement>),
    /// An announcement was not taken: forged, old, or by somebody who is none of the household.
    AnnouncementRefused {
        id: AnnouncementId,
        because: NotTaken,
    },
    /// What another device made of an announcement of this one's.
    AnnouncementHeard {
        id: AnnouncementId,
        device: DeviceId,
        heard: AnnouncementHeard,
    },
    /// Something is announced at this device while it is spoken. It is for the program to give its sign, and to
    /// hear it or not.
    Live(Box<IncomingLive>),
    /// A live announcement was not taken: forged, old, repeated, not for this device, or by somebody who is
    /// none of the household.
    LiveRefused { call: CallId, because: LiveRefused },
    /// Somebody who may drops in on this home device. It is for the program to give tone and light now.
    DropIn(Box<Visit>),
    /// Somebody wanted to drop in on this home device, and may not: nothing was heard or seen. `from` is who
    /// it was, as far as that could be verified.
    DropInRefused {
        call: CallId,
        from: Option<Person>,
        because: DropInRefusal,
    },
    /// The server shows another record of drop-ins on this device than the device has written. It goes on
    /// from there, and says so in it: to be shown loudly.
    LedgerDiffers,
    /// Contacts, members, devices or settings changed.
    HomeChanged,
    /// The connection is lost (`false`) or back.
    Connection(bool),
    /// The server shows something that contradicts what was pinned. The client ends: to be shown loudly.
    Alarm(HomeError),
    /// The session is over for good.
    Ended(ApiError),
}

/// Why a client can't begin.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Client {
    /// Connects and verifies the household. `path`: where the identity's pins are kept up to date.
    ///
    /// # Errors
    /// When the server can't be reached or refuses, or shows another household than the one pinned.
    pub async fn connect(
        server: Server,
        mut identity: Identity,
        path: Option<PathBuf>,
    ) -> Result<(Self, mpsc::Receiver<ClientEvent>), ConnectError> {
        let (session, mut news) = Session::open(server.clone(), identity.token.clone()).await?;
        // The first word is "connected"; what a new session needs is asked for right here.
        news.recv().await;
        let home = home(&session).await?;
        let household = Household::open(&home, &mut identity, now())?;
        let state = State {
            identity,
            household,
        };
        let shared = Arc::new(Shared::new(server, session, state, path.clone()));
        shared.save();
        let (events, told) = mpsc::channel(EVENTS_MAX);
        begin(&shared, path.as_deref(), &events)?;
        shared.to_desk(DeskInput::Home(home.drop_in_grants)).await;
        let (alive, gone) = mpsc::channel(1);
        let run = Run {
            shared: shared.clone(),
            events,
        };
        tokio::spawn(run.run(news, gone));
        Ok((
            Self {
                shared,
                _alive: Arc::new(alive),
            },
            told,
        ))
    }

    /// Calls a contact by the family's name for them, or anybody by handle.
    ///
    /// # Errors
    /// When the name is unknown, or no media socket can be opened. All else is told by the call.
    pub async fn call(&self, to: &str, with: Outgoing) -> Result<Call, CallError> {
        start(self.shared.clone(), Callable::Named(to), with).await
    }

    /// The household as it is now.
    #[must_use]
    pub fn household(&self) -> Household {
        self.shared.state().household.clone()
    }

    /// This device in it.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.shared.device()
    }

    /// Fetches the household again and verifies it, when waiting for the news of a change is too late.
    ///
    /// # Errors
    /// When the server does not answer. A household that does not hold is told as an alarm.
    pub async fn refresh(&self) -> Result<(), RequestError> {
        let home = home(self.shared.session()).await?;
        let mut state = self.shared.state();
        let State {
            identity,
            household,
        } = &mut *state;
        match Household::open(&home, identity, now()) {
            Ok(opened) => *household = opened,
            Err(error) => tracing::error!(%error, "the household does not hold"),
        }
        Ok(())
    }

    /// Hears announcements by another clock than this machine's: one that is wrong, for a measurement.
    pub fn set_clock(&self, clock: SteadyClock) {
        self.shared.hearing().clock = clock;
    }

    /// Puts the calls that begin from now on under a test's control.
    #[cfg(feature = "plaintext-control")]
    pub fn set_control(&self, control: crate::media::Control) {
        self.shared.set_control(control);
    }

    /// The session, for requests that the SDK has no verb for.
    #[must_use]
    pub fn session(&self) -> &Session {
        self.shared.session()
    }
}

async fn home(session: &Session) -> Result<Home, RequestError> {
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

struct Run {
    shared: Arc<Shared>,
    events: mpsc::Sender<ClientEvent>,
}

/// The client's task is over.
struct Over;

impl Run {
    async fn run(self, news: Events, gone: mpsc::Receiver<()>) {
        self.serve(news, gone).await;
        self.shared.to_desk(DeskInput::Stop).await;
    }

    async fn serve(&self, mut news: Events, mut gone: mpsc::Receiver<()>) {
        self.renew().await;
        self.settle();
        let mut leaving = false;
        while !leaving || !self.shared.calls().is_empty() {
            let event = tokio::select! {
                event = news.recv() => event,
                _ = gone.recv(), if !leaving => {
                    leaving = true;
                    continue;
                }
                () = self.shared.call_over() => continue,
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
            self.shared.to_desk(DeskInput::Event(Box::new(event))).await;
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

    /// Signs the cards of somebody who was removed anew, if this is an adult's app.
    async fn adopt(&self) {
        let cards = self.shared.state().orphaned_cards();
        for request in cards {
            // Another adult's app may have been first, which is as good.
            if let Err(error) = self.shared.session().done(request).await {
                tracing::info!(%error, "a card was not signed anew");
            }
        }
    }

    /// Renews certificates of the household that end soon or no longer hold, if this is an adult's app.
    async fn renew(&self) {
        let renewals = {
            let state = self.shared.state();
            state.household.renewals(&state.identity, now())
        };
        for (device, chain) in renewals {
            // Another adult's app may have been first, which is as good.
            let request = Request::RenewCertificate { device, chain };
            if let Err(error) = self.shared.session().done(request).await {
                tracing::info!(%error, "a certificate was not renewed");
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
        | Event::DropInRefused { call, .. } => Some(*call),
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
