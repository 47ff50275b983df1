//! The handle to a client that is signed in: how it begins, and what a program asks of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use homeline_protocol::id::DeviceId;
use tokio::sync::{mpsc, watch};

use super::event::ClientEvent;
use super::run::{Run, home};
use super::shared::{Shared, State};
use crate::announcements::SteadyClock;
use crate::call::{Call, CallError, Callable, Outgoing, start};
use crate::drop_in::{DeskInput, begin};
use crate::home::{HomeError, Household};
use crate::server::Server;
use crate::session::{OpenError, RequestError, Session};
use crate::store::{Identity, StoreError};
use crate::time::now;

/// Events that may wait for the program; beyond that the client waits for it.
const EVENTS_MAX: usize = 256;

/// How long a program that exits waits for a server that does not answer.
pub const CLOSING_TIME_MAX: Duration = Duration::from_secs(3);

/// A client that is signed in. Cheap to clone; ends when the last one is dropped and the last call is over.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    /// Dropped with the last clone, which ends the task.
    _alive: Arc<mpsc::Sender<()>>,
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
        let shared = Arc::new(Shared::new(server, session, state, path.clone())?);
        shared.save();
        let (events, told) = mpsc::channel(EVENTS_MAX);
        begin(&shared, path.as_deref(), &events)?;
        let home_grants = home.drop_in_grants.clone();
        shared.to_desk(DeskInput::Home(home.drop_in_grants)).await;
        let (alive, gone) = mpsc::channel(1);
        let run = Run {
            shared: shared.clone(),
            events,
            changed: watch::Sender::new(()),
        };
        tokio::spawn(run.run(news, gone, home_grants));
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

    /// Waits until calls that were let go are over and the server has answered all that was asked of it, a
    /// hang-up for instance; at most [`CLOSING_TIME_MAX`], for a server that is away. Before a program
    /// exits: the other side of a call would wait half a minute for a hang-up that was never sent.
    pub async fn close(&self) {
        let closing = async {
            self.shared.calls_over().await;
            self.shared.session().settled().await;
        };
        if tokio::time::timeout(CLOSING_TIME_MAX, closing)
            .await
            .is_err()
        {
            tracing::info!("the server was not told everything");
        }
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
