//! Runs one session: its core, its subscription to the bus, the request in progress.
//!
//! It lives on while its connection is away, and never waits for a request: heartbeats and events
//! go on beside a slow one.

use std::sync::Arc;

use homeline_protocol::PROTOCOL_VERSION;
use homeline_protocol::id::SessionId;
use homeline_protocol::session::{ApiError, Event, Outcome, Request, ServerFrame};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep_until, timeout};

use super::core::{Core, Input, Output, is_replaced};
use super::dispatch::dispatch;
use super::figures::kind;
use super::sessions::Shared;
use super::words;
use crate::bus::{Delivery, Subscriber, Subscription};
use crate::domain::calls::SessionChange;
use crate::domain::limits::Origin;
use crate::model::Speaker;

/// What may wait for one session from its socket; the socket waits beyond, and so does its client.
pub(super) const COMMANDS_MAX: usize = 64;

/// No request may take longer. The slowest waits five seconds for the media node.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What a session is told.
#[derive(Debug)]
pub(super) enum Command {
    /// A connection wants to take the session up again. Answered by whether it can.
    Attach {
        socket: Socket,
        last_event: u64,
        accepted: oneshot::Sender<bool>,
    },
    /// A connection heard something.
    Heard { link: u64, input: Input },
    /// A connection heard something that can't be gone on from.
    Faulty { link: u64, error: ApiError },
    /// A connection is gone.
    Gone { link: u64 },
    /// The session ends.
    End(ApiError),
}

/// What a connection is told.
#[derive(Debug)]
pub(super) enum ToSocket {
    /// Send this.
    Frame(ServerFrame),
    /// Close.
    Close,
}

/// A connection as its session sees it.
#[derive(Debug, Clone)]
pub(super) struct Socket {
    /// Tells connections of one session apart.
    pub(super) link: u64,
    /// Where it comes from.
    pub(super) origin: Origin,
    /// Has room for all that a resume sends again; one that is full does not read.
    pub(super) frames: mpsc::Sender<ToSocket>,
}

/// One session at work.
#[derive(Debug)]
pub(super) struct Actor {
    id: SessionId,
    speaker: Speaker,
    core: Core,
    subscription: Subscription,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    socket: Option<Socket>,
    /// Of the newest connection: a request is carried out even if that is gone by then.
    origin: Origin,
    running: Option<(u64, &'static str, JoinHandle<Outcome>)>,
}

/// What the actor wakes up for.
enum Wake {
    Command(Option<Command>),
    Delivery(Delivery),
    Replied(u64, Outcome),
    Deadline,
}

/// Goes on, or ends with this word to the client.
type Flow = std::ops::ControlFlow<Option<ApiError>>;

impl Actor {
    pub(super) fn new(
        id: SessionId,
        speaker: Speaker,
        shared: Arc<Shared>,
        commands: mpsc::Receiver<Command>,
        socket: Socket,
    ) -> Self {
        let subscription = shared.bus.subscribe(Subscriber {
            account: speaker.account,
            device: speaker.device,
            household: speaker.household,
        });
        let core = Core::new(shared.config.clone(), Instant::now().into_std());
        let (origin, socket) = (socket.origin, Some(socket));
        Self {
            id,
            speaker,
            core,
            subscription,
            shared,
            commands,
            socket,
            origin,
            running: None,
        }
    }

    /// Until the session ends. `done` closes when nothing of it is left.
    pub(super) async fn run(mut self, done: watch::Sender<()>) {
        self.welcome(false);
        self.shared.services.presence.opened(&self.speaker);
        self.tell_calls(SessionChange::Opened).await;
        let guests = &self.shared.services.guests;
        guests.session_opened(&self.speaker).await;
        let error = loop {
            let wake = self.wait().await;
            if let Flow::Break(error) = self.take(wake).await {
                break error;
            }
        };
        self.finish(error).await;
        drop(done);
    }

    async fn wait(&mut self) -> Wake {
        let deadline = Instant::from_std(self.core.deadline());
        let running = async {
            match &mut self.running {
                Some((id, _, handle)) => (*id, handle.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            delivery = self.subscription.next() => Wake::Delivery(delivery),
            command = self.commands.recv() => Wake::Command(command),
            (id, outcome) = running => Wake::Replied(id, outcome.unwrap_or_else(|error| {
                tracing::error!(%error, "a request failed inside the server");
                Outcome::Error(words::internal())
            })),
            () = sleep_until(deadline) => Wake::Deadline,
        }
    }

    async fn take(&mut self, wake: Wake) -> Flow {
        match wake {
            Wake::Command(command) => match command {
                Some(command) => self.command(command).await,
                None => Flow::Break(Some(words::shutting_down())),
            },
            Wake::Delivery(Delivery::Event(event)) => {
                let event = self.prepare(event).await;
                self.step(Input::Event(event)).await
            }
            Wake::Delivery(Delivery::End(code)) => Flow::Break(Some(words::ending(code))),
            Wake::Replied(id, outcome) => {
                if let Some((_, kind, _)) = self.running.take() {
                    self.shared.counters.answered(kind, &outcome);
                }
                self.step(Input::Replied { id, outcome }).await
            }
            Wake::Deadline => self.step(Input::Tick).await,
        }
    }

    async fn command(&mut self, command: Command) -> Flow {
        match command {
            Command::Attach {
                socket,
                last_event,
                accepted,
            } => {
                let can = self.core.can_resume(last_event);
                if accepted.send(can).is_err() || !can {
                    return Flow::Continue(());
                }
                self.shared.counters.resumed();
                tracing::info!(session = %self.id, "a session is resumed");
                self.origin = socket.origin;
                if let Some(before) = self.socket.replace(socket) {
                    close(&before);
                }
                self.welcome(true);
                let flow = self.step(Input::Attached { last_event }).await;
                self.shared.services.presence.resumed(&self.speaker);
                self.tell_calls(SessionChange::Resumed).await;
                flow
            }
            Command::Heard { link, input } if self.is_current(link) => self.step(input).await,
            Command::Faulty { link, error } if self.is_current(link) => Flow::Break(Some(error)),
            Command::Gone { link } if self.is_current(link) => {
                self.detach().await;
                Flow::Continue(())
            }
            // Of a connection that was replaced by a newer one of this session.
            Command::Heard { .. } | Command::Faulty { .. } | Command::Gone { .. } => {
                Flow::Continue(())
            }
            Command::End(error) => Flow::Break(Some(error)),
        }
    }

    async fn step(&mut self, input: Input) -> Flow {
        let outputs = self.core.step(Instant::now().into_std(), input);
        for output in outputs {
            match output {
                Output::Send(frame) => {
                    if !self.send(frame) {
                        // It does not read: the client finds out, and resumes without loss.
                        self.detach().await;
                        return Flow::Continue(());
                    }
                }
                Output::Run(id, request) => self.start(id, request),
                Output::DropLink => self.detach().await,
                Output::End(error) => return Flow::Break(error),
            }
        }
        Flow::Continue(())
    }

    fn start(&mut self, id: u64, request: Request) {
        let shared = Arc::clone(&self.shared);
        let (speaker, origin) = (self.speaker, self.origin);
        let kind = kind(&request);
        let handle = tokio::spawn(async move {
            let work = dispatch(&shared.services, &speaker, origin, request);
            timeout(REQUEST_TIMEOUT, work).await.unwrap_or_else(|_| {
                tracing::error!(kind, "a request took too long");
                Outcome::Error(words::internal())
            })
        });
        self.running = Some((id, kind, handle));
    }

    /// Fills in what only this side of the bus knows, and follows an admission.
    async fn prepare(&mut self, event: Arc<Event>) -> Arc<Event> {
        match &*event {
            Event::RosterGrew {
                entries,
                members,
                devices,
            } => {
                let mut devices = devices.clone();
                self.shared.services.presence.fill(&mut devices);
                let (entries, members) = (entries.clone(), members.clone());
                Arc::new(Event::RosterGrew {
                    entries,
                    members,
                    devices,
                })
            }
            Event::Admitted { household, .. } => {
                match self.shared.services.accounts.refresh(&self.speaker).await {
                    Ok(speaker) => self.speaker = speaker,
                    Err(error) => tracing::warn!(%error, "an admitted speaker is not there"),
                }
                self.subscription.join_household(*household);
                event
            }
            _ => event,
        }
    }

    async fn detach(&mut self) {
        let Some(socket) = self.socket.take() else {
            return;
        };
        close(&socket);
        drop(self.core.step(Instant::now().into_std(), Input::Detached));
        self.shared.services.presence.lost(&self.speaker);
        self.tell_calls(SessionChange::Lost).await;
    }

    async fn finish(self, error: Option<ApiError>) {
        if let (Some(socket), Some(error)) = (&self.socket, &error) {
            self.send(ServerFrame::Goodbye {
                error: error.clone(),
            });
            close(socket);
        }
        if let Some(error) = &error {
            self.shared.counters.ended(error.code);
            tracing::info!(session = %self.id, code = ?error.code, "a session ends");
        }
        // A session that replaces this one speaks for the device from here on, and a server that
        // goes down has nobody to tell.
        let followed = is_replaced(error.as_ref()) || self.shared.is_closing();
        if !followed {
            self.shared.services.presence.closed(&self.speaker);
            self.tell_calls(SessionChange::Ended).await;
            let guests = &self.shared.services.guests;
            guests.session_closed(&self.speaker).await;
        }
        self.shared.forget(self.id, self.speaker.device);
    }

    async fn tell_calls(&self, change: SessionChange) {
        self.shared
            .services
            .calls
            .session_changed(&self.speaker, change)
            .await;
        let drop_ins = &self.shared.services.dropping_in;
        drop_ins.session_changed(&self.speaker, change);
    }

    fn welcome(&self, resumed: bool) {
        self.send(ServerFrame::Welcome {
            protocol: PROTOCOL_VERSION,
            session: self.id,
            resumed,
            heartbeat_secs: self.shared.config.heartbeat_secs,
            server_time_ms: self.shared.clock.now().0,
            account: self.speaker.account,
            device: self.speaker.device,
            household: self.speaker.household,
        });
    }

    fn is_current(&self, link: u64) -> bool {
        self.socket
            .as_ref()
            .is_some_and(|socket| socket.link == link)
    }

    /// False when the connection does not take it.
    fn send(&self, frame: ServerFrame) -> bool {
        let Some(socket) = &self.socket else {
            return true;
        };
        socket.frames.try_send(ToSocket::Frame(frame)).is_ok()
    }
}

/// Dropping the sender closes it too, after what waits was sent; this says it at once if it can.
fn close(socket: &Socket) {
    if socket.frames.try_send(ToSocket::Close).is_err() {
        tracing::trace!("the connection is gone already, or closes when its queue is sent");
    }
}
