//! The task that keeps a session alive: connects, resumes, reconnects.

use std::time::Duration;

use homeline_protocol::session::{ApiError, ClientFrame, ErrorCode, Outcome, ServerFrame};
use homeline_protocol::{PROTOCOL_VERSION, Secret};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::connection::{Connection, ConnectionError};
use super::handle::{Asked, RequestError, SessionEvent, Speaker, Waiter};
use super::ledger::{Arrival, Ledger};
use crate::server::Server;

/// How long connecting and `hello` may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// Waits between tries: a moment, for a server that restarts; at most this, for one that is away.
const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Acknowledgements are gathered for this long.
const ACK_INTERVAL: Duration = Duration::from_millis(250);

/// A connection after `welcome`.
pub(super) struct Line {
    connection: Connection,
    heartbeat: Duration,
}

/// Why a connection is no more.
pub(super) enum Ending {
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

pub(super) struct Run {
    server: Server,
    token: Secret,
    ledger: Ledger<Waiter>,
    incoming: mpsc::Receiver<Asked>,
    events: mpsc::Sender<SessionEvent>,
    /// Who waits until every request has its reply.
    settling: Vec<oneshot::Sender<()>>,
}

impl Run {
    pub(super) fn new(
        server: Server,
        token: Secret,
        incoming: mpsc::Receiver<Asked>,
        events: mpsc::Sender<SessionEvent>,
    ) -> Self {
        Self {
            server,
            token,
            ledger: Ledger::new(),
            incoming,
            events,
            settling: Vec::new(),
        }
    }

    pub(super) async fn keep(mut self, mut line: Line) {
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

    pub(super) async fn connect(&mut self) -> Result<Line, Ending> {
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
                self.settle();
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
                    asked = self.incoming.recv() => match asked {
                        // Kept, and sent with the next connection.
                        Some(asked) => drop(self.take_in(asked)),
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
                asked = self.incoming.recv() => match asked {
                    Some(asked) => match self.take_in(asked).and_then(|id| self.ledger.frame(id)) {
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

    /// Takes in what the program asks; gives the number of a request that waits to be sent.
    fn take_in(&mut self, asked: Asked) -> Option<u64> {
        let id = match asked {
            Asked::Request(request, waiter) => match self.ledger.add(request, waiter) {
                Ok(id) => Some(id),
                Err(waiter) => {
                    waiter.send(Err(RequestError::TooMany)).ok();
                    None
                }
            },
            Asked::Settled(waiter) => {
                self.settling.push(waiter);
                None
            }
        };
        self.settle();
        id
    }

    fn settle(&mut self) {
        if self.ledger.is_settled() {
            for waiter in self.settling.drain(..) {
                waiter.send(()).ok();
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
                self.settle();
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
