//! The handle to a session: what a program asks of the server, and what it is told.

use homeline_protocol::Secret;
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{ApiError, ErrorCode, Event, Reply, Request};
use tokio::sync::{mpsc, oneshot};

use super::run::{Ending, Run};
use crate::server::Server;

/// Events that may wait for the program. When they do, the session stops reading, and the server's
/// outbox holds the rest.
pub const EVENTS_MAX: usize = 1024;

/// Requests on their way to the session's task.
const REQUESTS_MAX: usize = 64;

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

pub(super) type Waiter = oneshot::Sender<Result<Reply, RequestError>>;

/// What the handles ask of the session's task.
pub(super) enum Asked {
    Request(Request, Waiter),
    /// To be told when every request has its reply.
    Settled(oneshot::Sender<()>),
}

/// The handle to a session. Cheap to clone; the session ends when the last one is dropped.
#[derive(Clone)]
pub struct Session {
    asked: mpsc::Sender<Asked>,
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
        let (asked, incoming) = mpsc::channel(REQUESTS_MAX);
        let (events, outgoing) = mpsc::channel(EVENTS_MAX);
        let reached = server.clone();
        let mut run = Run::new(server, token, incoming, events);
        let line = match run.connect().await {
            Ok(line) => line,
            Err(Ending::Lost(why)) => return Err(OpenError::Unreachable(why)),
            Err(Ending::Over(error)) => return Err(OpenError::Refused(error)),
            Err(Ending::Dropped) => unreachable!("connecting takes no requests"),
        };
        tokio::spawn(run.keep(line));
        let session = Self {
            asked,
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
        self.asked
            .send(Asked::Request(request, waiter))
            .await
            .map_err(|_| RequestError::Ended)?;
        Ok(async move { reply.await.unwrap_or(Err(RequestError::Ended)) })
    }

    /// Waits until every request has its reply, or the session is over: what was asked without waiting
    /// for the reply may still be on its way, and does not leave a program that exits.
    pub async fn settled(&self) {
        let (waiter, settled) = oneshot::channel();
        if self.asked.send(Asked::Settled(waiter)).await.is_ok() {
            // The session's end settles everything, too.
            settled.await.ok();
        }
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
