//! The task that keeps a session alive: connects, resumes, reconnects, and the handle to it.

use std::time::Duration;

use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    ApiError, ClientFrame, ErrorCode, Event, Outcome, Reply, Request, ServerFrame,
};
use homeline_protocol::{PROTOCOL_VERSION, Secret};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::connection::{Connection, ConnectionError};
use super::ledger::{Arrival, Ledger};
use crate::server::Server;

/// Events that may wait for the program. When they do, the session stops reading, and the server's
/// outbox holds the rest.
pub const EVENTS_MAX: usize = 1024;

/// Requests on their way to the session's task.
const REQUESTS_MAX: usize = 64;

/// How long connecting and `hello` may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// Waits between tries: a moment, for a server that restarts; at most this, for one that is away.
const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Acknowledgements are gathered for this long.
const ACK_INTERVAL: Duration = Duration::from_millis(250);

/// Who speaks in a session, as the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaker {
    pub account: AccountId,
    pub device: Option<DeviceId>,
    pub household: Option<HouseholdId>,
}

/// What a session tells by itself.
#[derive(Debug)]
pub enum SessionEvent {
    /// Connected. Unless `resumed`, ask for the state anew (`get_home`, `list_calls`).
    Connected { resumed: bool, speaker: Speaker },
    /// The connection is lost; the session tries again by itself.
    Lost,
    /// Something happened on the server.
    Event(Box<Event>),
    /// The session is over for good, and why.
    Ended(ApiError),
}

/// Why a session can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the server can't be reached: {0}")]
    Unreachable(String),
    #[error("{0}")]
    Refused(ApiError),
}

/// Why a request has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("{0}")]
    Refused(ApiError),
    #[error("the connection was lost and it is unknown whether this was done")]
    Unknown,
    #[error("too much is under way at once")]
    TooMany,
    #[error("the session is over")]
    Ended,
    #[error("the server's reply does not fit the request")]
    WrongReply,
}

impl RequestError {
    /// The server's stable code, when it refused.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.code),
            _ => None,
        }
    }
}

type Waiter = oneshot::Sender<Result<Reply, RequestError>>;

/// The handle to a session. Cheap to clone; the session ends when the last one is dropped.
#[derive(Clone)]
pub struct Session {
    requests: mpsc::Sender<(Request, Waiter)>,
    server: Server,
}

/// What a session tells by itself, in order.
pub type Events = mpsc::Receiver<SessionEvent>;

impl Session {
    /// Opens a session and keeps it open.
    ///
    /// # Errors
    /// When the first try fails; later losses are mended without a word but `SessionEvent::Lost`.
    pub async fn open(server: Server, token: Secret) -> Result<(Self, Events), OpenError> {
        let (requests, incoming) = mpsc::channel(REQUESTS_MAX);
        let (events, outgoing) = mpsc::channel(EVENTS_MAX);
        let reached = server.clone();
        let mut run = Run {
            server,
            token,
            ledger: Ledger::new(),
            incoming,
            events,
        };
        let line = match run.connect().await {
            Ok(line) => line,
            Err(Ending::Lost(why)) => return Err(OpenError::Unreachable(why)),
            Err(Ending::Over(error)) => return Err(OpenError::Refused(error)),
            Err(Ending::Dropped) => unreachable!("connecting takes no requests"),
        };
        tokio::spawn(run.keep(line));
        let session = Self {
            requests,
            server: reached,
        };
        Ok((session, outgoing))
    }

    /// The server, as it is reached.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Asks for something and waits for the reply, over lost connections if need be.
    ///
    /// # Errors
    /// When the server refuses, or it can't be known whether it was done.
    pub async fn request(&self, request: Request) -> Result<Reply, RequestError> {
        self.begin(request).await?.await
    }

    /// Puts a request into the session's queue, so that requests leave in the order of these calls;
    /// the future it gives waits for the reply.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn begin(
        &self,
        request: Request,
    ) -> Result<impl Future<Output = Result<Reply, RequestError>> + Send + use<>, RequestError>
    {
        let (waiter, reply) = oneshot::channel();
        self.requests
            .send((request, waiter))
            .await
            .map_err(|_| RequestError::Ended)?;
        Ok(async move { reply.await.unwrap_or(Err(RequestError::Ended)) })
    }

    /// Asks for something that is answered by `done`.
    ///
    /// # Errors
    /// As [`Session::request`].
    pub async fn done(&self, request: Request) -> Result<(), RequestError> {
        match self.request(request).await? {
            Reply::Done => Ok(()),
            _ => Err(RequestError::WrongReply),
        }
    }
}

/// A connection after `welcome`.
struct Line {
    connection: Connection,
    heartbeat: Duration,
}

/// Why a connection is no more.
enum Ending {
    /// Try again.
    Lost(String),
    /// Not to be tried again.
    Over(ApiError),
    /// The program dropped the session.
    Dropped,
}

impl From<ConnectionError> for Ending {
    fn from(error: ConnectionError) -> Self {
        Self::Lost(error.to_string())
    }
}

struct Run {
    server: Server,
    token: Secret,
    ledger: Ledger<Waiter>,
    incoming: mpsc::Receiver<(Request, Waiter)>,
    events: mpsc::Sender<SessionEvent>,
}

impl Run {
    async fn keep(mut self, mut line: Line) {
        loop {
            let ending = self.serve(&mut line).await;
            line.connection.close().await;
            let over = match ending {
                Ending::Lost(why) => {
                    tracing::info!(why, "session connection lost");
                    self.tell(SessionEvent::Lost).await;
                    match self.reconnect().await {
                        Ok(next) => {
                            line = next;
                            continue;
                        }
                        Err(over) => over,
                    }
                }
                Ending::Over(error) => Some(error),
                Ending::Dropped => None,
            };
            for waiter in self.ledger.drain() {
                // A waiter that gave up needs no answer.
                waiter.send(Err(RequestError::Ended)).ok();
            }
            if let Some(error) = over {
                self.tell(SessionEvent::Ended(error)).await;
            }
            return;
        }
    }

    async fn connect(&mut self) -> Result<Line, Ending> {
        tokio::time::timeout(CONNECT_TIME_MAX, self.greet())
            .await
            .unwrap_or_else(|_| Err(Ending::Lost("no answer in time".to_owned())))
    }

    async fn greet(&mut self) -> Result<Line, Ending> {
        let mut connection = Connection::open(&self.server).await?;
        let token = self.token.clone();
        let resume = self.ledger.resume();
        connection
            .send(&ClientFrame::Hello {
                protocol: PROTOCOL_VERSION,
                token,
                resume,
            })
            .await?;
        match connection.receive().await? {
            ServerFrame::Welcome {
                session,
                resumed,
                heartbeat_secs,
                account,
                device,
                household,
                ..
            } => {
                let (again, unknown) = self.ledger.connected(session, resumed);
                for waiter in unknown {
                    waiter.send(Err(RequestError::Unknown)).ok();
                }
                let speaker = Speaker {
                    account,
                    device,
                    household,
                };
                self.tell(SessionEvent::Connected { resumed, speaker })
                    .await;
                for id in again {
                    if let Some(frame) = self.ledger.frame(id) {
                        connection.send(&frame).await?;
                    }
                }
                let heartbeat = Duration::from_secs(u64::from(heartbeat_secs.clamp(1, 300)));
                Ok(Line {
                    connection,
                    heartbeat,
                })
            }
            ServerFrame::Goodbye { error } => Err(self.farewell(error)),
            _ => Err(Ending::Lost("the server did not say welcome".to_owned())),
        }
    }

    /// Tries until it works. `None`: the program dropped the session meanwhile.
    async fn reconnect(&mut self) -> Result<Line, Option<ApiError>> {
        let mut backoff = BACKOFF_MIN;
        loop {
            // Half of it by chance, so that a house full of devices does not come back as one.
            let wait = backoff.mul_f64(0.5 + rand::random::<f64>() / 2.0);
            let until = Instant::now() + wait;
            loop {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => break,
                    request = self.incoming.recv() => match request {
                        Some(request) => self.hold(request),
                        None => return Err(None),
                    },
                }
            }
            match self.connect().await {
                Ok(line) => return Ok(line),
                Err(Ending::Lost(_)) => backoff = (backoff * 2).min(BACKOFF_MAX),
                Err(Ending::Over(error)) => return Err(Some(error)),
                Err(Ending::Dropped) => return Err(None),
            }
        }
    }

    async fn serve(&mut self, line: &mut Line) -> Ending {
        let mut heard = Instant::now();
        let mut beat = tokio::time::interval_at(heard + line.heartbeat, line.heartbeat);
        let mut ack = tokio::time::interval(ACK_INTERVAL);
        loop {
            let step = tokio::select! {
                frame = line.connection.receive() => match frame {
                    Ok(frame) => {
                        heard = Instant::now();
                        self.arrived(frame).await
                    }
                    Err(error) => Err(error.into()),
                },
                request = self.incoming.recv() => match request {
                    Some(request) => match self.take_in(request) {
                        Some(frame) => line.connection.send(&frame).await.map_err(Ending::from),
                        None => Ok(()),
                    },
                    None => Err(Ending::Dropped),
                },
                _ = ack.tick() => match self.ledger.ack() {
                    Some(frame) => line.connection.send(&frame).await.map_err(Ending::from),
                    None => Ok(()),
                },
                _ = beat.tick() => {
                    line.connection.send(&ClientFrame::Ping).await.map_err(Ending::from)
                }
                () = tokio::time::sleep_until(heard + 2 * line.heartbeat) => {
                    Err(Ending::Lost("the server fell silent".to_owned()))
                }
            };
            if let Err(ending) = step {
                return ending;
            }
        }
    }

    /// Without a connection: kept, and sent with the next one.
    fn hold(&mut self, (request, waiter): (Request, Waiter)) {
        if let Err(waiter) = self.ledger.add(request, waiter) {
            waiter.send(Err(RequestError::TooMany)).ok();
        }
    }

    fn take_in(&mut self, (request, waiter): (Request, Waiter)) -> Option<ClientFrame> {
        match self.ledger.add(request, waiter) {
            Ok(id) => self.ledger.frame(id),
            Err(waiter) => {
                waiter.send(Err(RequestError::TooMany)).ok();
                None
            }
        }
    }

    async fn arrived(&mut self, frame: ServerFrame) -> Result<(), Ending> {
        match frame {
            ServerFrame::Reply { id, result } => {
                if let Some((waiter, outcome)) = self.ledger.reply(id, result) {
                    let result = match outcome {
                        Outcome::Ok(reply) => Ok(*reply),
                        Outcome::Error(error) => Err(RequestError::Refused(error)),
                    };
                    waiter.send(result).ok();
                }
                Ok(())
            }
            ServerFrame::Event { seq, body } => match self.ledger.event(seq) {
                Arrival::Next => {
                    self.tell(SessionEvent::Event(body)).await;
                    Ok(())
                }
                Arrival::Repeated => Ok(()),
                Arrival::Gap => Err(Ending::Lost("an event is missing".to_owned())),
            },
            ServerFrame::Pong => Ok(()),
            ServerFrame::Goodbye { error } => Err(self.farewell(error)),
            ServerFrame::Welcome { .. } => Err(Ending::Lost("a second welcome".to_owned())),
        }
    }

    /// Which goodbyes are for good.
    fn farewell(&mut self, error: ApiError) -> Ending {
        match error.code {
            ErrorCode::Unauthorized
            | ErrorCode::ProtocolVersion
            | ErrorCode::DeviceRevoked
            | ErrorCode::SessionReplaced
            | ErrorCode::Forbidden => Ending::Over(error),
            ErrorCode::OutboxFull => {
                self.ledger.forget_session();
                Ending::Lost(error.message)
            }
            _ => Ending::Lost(error.message),
        }
    }

    async fn tell(&self, event: SessionEvent) {
        // A program that stopped listening still makes requests.
        self.events.send(event).await.ok();
    }
}
