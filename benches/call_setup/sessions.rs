//! A device's session, and what all of them together were told of the calls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Callee, ClientFrame, Event, Outcome, Request, ServerFrame};
use homeline_protocol::{Blob, Handle, PROTOCOL_VERSION, Secret};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::people::INVITATION_BYTES;
use super::server::Server;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One device that is connected.
pub(crate) struct Session {
    sink: SplitSink<Socket, Message>,
    /// The last event that was read.
    seen: Arc<Mutex<u64>>,
    next_id: u64,
}

/// What was told of each call, by all sessions. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Rung(Arc<Told>);

#[derive(Default)]
struct Told {
    /// When each device was told to ring.
    rings: Mutex<HashMap<CallId, Vec<Instant>>>,
    /// Callers who were told of the end.
    ended: Mutex<usize>,
    news: Notify,
}

impl Session {
    pub(crate) async fn open(server: &Server, token: &Secret, rung: &Rung) -> Self {
        let url = format!("ws://127.0.0.1:{}/v1/session", server.port());
        let (socket, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("the server listens");
        let (sink, mut stream) = socket.split();
        let seen = Arc::default();
        let mut session = Self {
            sink,
            seen: Arc::clone(&seen),
            next_id: 1,
        };
        let token = token.clone();
        session
            .send(&ClientFrame::Hello {
                protocol: PROTOCOL_VERSION,
                token,
                resume: None,
            })
            .await;
        let welcome = stream.next().await.expect("a frame").expect("a frame");
        let welcome: ServerFrame = read(&welcome).expect("a frame");
        assert!(
            matches!(welcome, ServerFrame::Welcome { .. }),
            "{welcome:?}"
        );
        tokio::spawn(listen(stream, seen, rung.clone()));
        session
    }

    pub(crate) async fn call(&mut self, call: CallId, handle: Handle) {
        let invitation = Blob(vec![7; INVITATION_BYTES]);
        let to = Callee::Person { handle };
        self.ask(Request::StartCall {
            call,
            to,
            video: false,
            invitation,
        })
        .await;
    }

    pub(crate) async fn cancel(&mut self, call: CallId) {
        self.ask(Request::Cancel { call }).await;
    }

    /// Lets the server forget what was read.
    pub(crate) async fn acknowledge(&mut self) {
        let event = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = self.next_id - 1;
        self.send(&ClientFrame::Ack { event, reply }).await;
    }

    async fn ask(&mut self, body: Request) {
        let (id, body) = (self.next_id, Box::new(body));
        self.next_id += 1;
        self.send(&ClientFrame::Request { id, body }).await;
    }

    async fn send(&mut self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).expect("a frame is JSON");
        let sent = self.sink.send(Message::text(text)).await;
        sent.expect("the server reads");
    }
}

impl Rung {
    /// Waits until each call rings on so many devices. How long that took, from when it was due.
    pub(crate) async fn all(
        &self,
        due: &[(CallId, Instant)],
        devices: usize,
        patience: Duration,
    ) -> Vec<Duration> {
        let times = || {
            let rings = self.0.rings.lock().unwrap_or_else(PoisonError::into_inner);
            let last = |(call, due): &(CallId, Instant)| {
                let told = rings.get(call).filter(|told| told.len() == devices)?;
                Some(told.iter().max()?.saturating_duration_since(*due))
            };
            due.iter().map(last).collect::<Option<Vec<_>>>()
        };
        self.wait(patience, times).await
    }

    /// Waits until so many callers were told of the end of their calls, then forgets them all.
    pub(crate) async fn ended(&self, count: usize, patience: Duration) {
        let over = || {
            let ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
            (*ended >= count).then_some(())
        };
        self.wait(patience, over).await;
        *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) = 0;
        let mut rings = self.0.rings.lock().unwrap_or_else(PoisonError::into_inner);
        rings.clear();
    }

    async fn wait<T>(&self, patience: Duration, holds: impl Fn() -> Option<T>) -> T {
        let waiting = async {
            loop {
                let news = self.0.news.notified();
                if let Some(found) = holds() {
                    return found;
                }
                news.await;
            }
        };
        let found = tokio::time::timeout(patience, waiting).await;
        found.expect("every call rings, and ends")
    }

    fn note(&self, event: &Event, at: Instant, cancelled_here: bool) {
        match event {
            Event::IncomingCall { call, .. } => {
                let mut rings = self.0.rings.lock().unwrap_or_else(PoisonError::into_inner);
                rings.entry(*call).or_default().push(at);
            }
            Event::CallEnded { .. } if cancelled_here => {
                *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            }
            _ => return,
        }
        self.0.news.notify_one();
    }
}

/// Takes in what a session is told, until its connection is gone.
async fn listen(mut stream: SplitStream<Socket>, seen: Arc<Mutex<u64>>, rung: Rung) {
    let mut called = false;
    while let Some(Ok(message)) = stream.next().await {
        let at = Instant::now();
        match read(&message) {
            Some(ServerFrame::Event { seq, body }) => {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = seq;
                rung.note(&body, at, called);
            }
            Some(ServerFrame::Reply { result, .. }) => {
                // Only callers ask for anything.
                called = true;
                assert!(matches!(result, Outcome::Ok(_)), "refused: {result:?}");
            }
            _ => {}
        }
    }
}

fn read(message: &Message) -> Option<ServerFrame> {
    let text = message.to_text().ok().filter(|_| message.is_text())?;
    serde_json::from_str(text).ok()
}
