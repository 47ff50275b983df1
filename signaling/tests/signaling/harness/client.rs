//! A client that speaks the session's JSON by hand, so that the tests see the wire as it is.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use homeline_protocol::id::{CallId, PeerId, SessionId};
use homeline_protocol::session::{
    ApiError, Callee, ClientFrame, ErrorCode, Event, MediaState, Outcome, PublishSection, Reply,
    Request, Resume, ServerFrame, Source,
};
use homeline_protocol::{Blob, PROTOCOL_VERSION, Secret};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Person, Seat, Server, fresh};

/// Far longer than anything takes: a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Client {
    pub(crate) seat: Seat,
    pub(crate) session: SessionId,
    pub(crate) resumed: bool,
    pub(crate) last_event: u64,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    events: VecDeque<Event>,
    replies: VecDeque<(u64, Outcome)>,
}

pub(crate) fn blob(text: &str) -> Blob {
    Blob(text.as_bytes().to_vec())
}

pub(crate) fn hello(token: &Secret, resume: Option<Resume>) -> ClientFrame {
    ClientFrame::Hello {
        protocol: PROTOCOL_VERSION,
        token: token.clone(),
        resume,
    }
}

/// Opens a socket and says one thing. What comes back first, and the socket.
pub(crate) async fn greet(
    server: &Server,
    first: &str,
) -> (ServerFrame, WebSocketStream<MaybeTlsStream<TcpStream>>) {
    let url = format!("ws://{}/v1/session", server.address);
    let request = url.into_client_request().unwrap();
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send(Message::text(first)).await.unwrap();
    (next_frame(&mut socket).await.unwrap(), socket)
}

/// The next frame; none when the connection was closed.
async fn next_frame(
    socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>,
) -> Option<ServerFrame> {
    loop {
        match timeout(PATIENCE, socket.next())
            .await
            .expect("the server said nothing")
        {
            Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

/// A client whose connection is gone.
pub(crate) struct Away {
    seat: Seat,
    next_id: u64,
    resume: Resume,
}

impl Away {
    /// Connects again and takes the session up where it left off.
    pub(crate) async fn back(self, server: &Server) -> Client {
        let client = Client::open(server, &self.seat, Some(self.resume)).await;
        let next_id = if client.resumed { self.next_id } else { 1 };
        Client { next_id, ..client }
    }
}

impl Client {
    pub(crate) async fn connect(server: &Server, seat: &Seat) -> Self {
        Self::open(server, seat, None).await
    }

    /// The connection is gone, without a word.
    pub(crate) fn away(self) -> Away {
        let resume = Resume {
            session: self.session,
            last_event: self.last_event,
        };
        Away {
            seat: self.seat,
            next_id: self.next_id,
            resume,
        }
    }

    pub(crate) async fn open(server: &Server, seat: &Seat, resume: Option<Resume>) -> Self {
        let last_event = resume.as_ref().map_or(0, |resume| resume.last_event);
        let first = serde_json::to_string(&hello(&seat.token, resume)).unwrap();
        let (frame, socket) = greet(server, &first).await;
        let ServerFrame::Welcome {
            session,
            resumed,
            account,
            device,
            ..
        } = frame
        else {
            panic!("no welcome: {frame:?}");
        };
        assert_eq!((account, device), (seat.account, Some(seat.device)));
        Self {
            seat: seat.clone(),
            session,
            resumed,
            last_event: if resumed { last_event } else { 0 },
            socket,
            next_id: 1,
            events: VecDeque::new(),
            replies: VecDeque::new(),
        }
    }

    pub(crate) async fn send(&mut self, frame: &ClientFrame) {
        self.send_text(&serde_json::to_string(frame).unwrap()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends what the server may refuse to read to its end.
    pub(crate) async fn send_in_vain(&mut self, text: &str) {
        drop(self.socket.send(Message::text(text)).await);
    }

    pub(crate) async fn send_binary(&mut self) {
        self.socket.send(Message::binary(vec![1])).await.unwrap();
    }

    /// Sends a request without waiting for its reply.
    pub(crate) async fn ask(&mut self, body: Request) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&ClientFrame::Request {
            id,
            body: Box::new(body),
        })
        .await;
        id
    }

    /// The id of a request that the test writes by hand.
    pub(crate) fn skip_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Requests whose replies have arrived and were not asked for.
    pub(crate) fn replies_so_far(&self) -> Vec<u64> {
        self.replies.iter().map(|(id, _)| *id).collect()
    }

    /// Sends a request of an id that was used before.
    pub(crate) async fn repeat(&mut self, id: u64, body: Request) {
        self.send(&ClientFrame::Request {
            id,
            body: Box::new(body),
        })
        .await;
    }

    pub(crate) async fn reply(&mut self, id: u64) -> Outcome {
        loop {
            if let Some(place) = self.replies.iter().position(|(replied, _)| *replied == id) {
                return self.replies.remove(place).unwrap().1;
            }
            self.read().await;
        }
    }

    pub(crate) async fn outcome(&mut self, body: Request) -> Outcome {
        let id = self.ask(body).await;
        self.reply(id).await
    }

    pub(crate) async fn ok(&mut self, body: Request) -> Reply {
        match self.outcome(body.clone()).await {
            Outcome::Ok(reply) => *reply,
            Outcome::Error(error) => panic!("{body:?} failed: {error:?}"),
        }
    }

    pub(crate) async fn err(&mut self, body: Request) -> ErrorCode {
        match self.outcome(body.clone()).await {
            Outcome::Ok(reply) => panic!("{body:?} did not fail: {reply:?}"),
            Outcome::Error(error) => error.code,
        }
    }

    /// The next event, whatever it is.
    pub(crate) async fn event(&mut self) -> Event {
        while self.events.is_empty() {
            self.read().await;
        }
        self.events.pop_front().unwrap()
    }

    /// The next event that this recognises; those before it are skipped.
    pub(crate) async fn event_of<T>(&mut self, recognise: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let event = self.event().await;
            if let Some(found) = recognise(&event) {
                return found;
            }
        }
    }

    /// Events that have arrived when the reply to a fresh request has: all that was sent before it.
    pub(crate) async fn events_so_far(&mut self) -> Vec<Event> {
        self.ok(Request::ListCalls).await;
        self.events.drain(..).collect()
    }

    pub(crate) async fn ack(&mut self, reply: u64) {
        let event = self.last_event;
        self.send(&ClientFrame::Ack { event, reply }).await;
    }

    pub(crate) async fn pong(&mut self) {
        self.send(&ClientFrame::Ping).await;
        loop {
            match next_frame(&mut self.socket).await.expect("closed") {
                ServerFrame::Pong => return,
                other => self.sort(other),
            }
        }
    }

    /// Waits for the last word of the server and for the end of the connection.
    pub(crate) async fn goodbye(&mut self) -> ApiError {
        loop {
            match next_frame(&mut self.socket)
                .await
                .expect("closed without a word")
            {
                ServerFrame::Goodbye { error } => {
                    assert_eq!(next_frame(&mut self.socket).await, None, "not closed");
                    return error;
                }
                other => self.sort(other),
            }
        }
    }

    /// Waits for the connection to be closed without a word.
    pub(crate) async fn closed(&mut self) {
        while let Some(frame) = next_frame(&mut self.socket).await {
            assert!(!matches!(frame, ServerFrame::Goodbye { .. }), "{frame:?}");
            self.sort(frame);
        }
    }

    async fn read(&mut self) {
        let frame = next_frame(&mut self.socket)
            .await
            .expect("the server closed the connection");
        self.sort(frame);
    }

    fn sort(&mut self, frame: ServerFrame) {
        match frame {
            ServerFrame::Event { seq, body } => {
                assert_eq!(
                    seq,
                    self.last_event + 1,
                    "events have no gaps and no repetitions"
                );
                self.last_event = seq;
                self.events.push_back(*body);
            }
            ServerFrame::Reply { id, result } => self.replies.push_back((id, result)),
            ServerFrame::Pong => {}
            ServerFrame::Welcome { .. } | ServerFrame::Goodbye { .. } => panic!("{frame:?}"),
        }
    }

    // ---- what calls are made of ----

    pub(crate) async fn call(&mut self, whom: &Person) -> CallId {
        let call = CallId(fresh());
        self.ok(start_call(call, whom.handle.as_str())).await;
        call
    }

    /// Rings for the next incoming call.
    pub(crate) async fn ring(&mut self) -> CallId {
        let call = self.incoming().await;
        self.ok(ringing(call)).await;
        call
    }

    pub(crate) async fn incoming(&mut self) -> CallId {
        self.event_of(|event| match event {
            Event::IncomingCall { call, .. } => Some(*call),
            _ => None,
        })
        .await
    }

    pub(crate) async fn answer(&mut self, call: CallId) {
        self.ok(answer(call)).await;
    }

    pub(crate) async fn ended(&mut self, call: CallId) -> homeline_protocol::session::EndReason {
        self.event_of(|event| match event {
            Event::CallEnded {
                call: ended,
                reason,
            } if *ended == call => Some(*reason),
            _ => None,
        })
        .await
    }

    /// Its peer at the media node.
    pub(crate) const fn peer(&self) -> PeerId {
        PeerId(self.seat.device.0)
    }

    /// Offers a microphone.
    pub(crate) async fn offer(&mut self, call: CallId) -> Reply {
        self.ok(offer(call)).await
    }
}

pub(crate) const SWITCHES: MediaState = MediaState {
    microphone: true,
    camera: false,
};

pub(crate) fn start_call(call: CallId, handle: &str) -> Request {
    let to = Callee::Person {
        handle: handle.parse().unwrap(),
    };
    Request::StartCall {
        call,
        to,
        video: false,
        invitation: blob("invitation"),
    }
}

pub(crate) fn ringing(call: CallId) -> Request {
    Request::Ringing {
        call,
        key_package: blob("key package"),
        statement: blob("statement"),
    }
}

pub(crate) fn answer(call: CallId) -> Request {
    Request::Answer {
        call,
        media: SWITCHES,
    }
}

/// Offers a microphone.
pub(crate) fn offer(call: CallId) -> Request {
    offer_of(call, &[Source::Microphone])
}

/// Offers a microphone and a camera.
pub(crate) fn offer_with_camera(call: CallId) -> Request {
    offer_of(call, &[Source::Microphone, Source::Camera])
}

fn offer_of(call: CallId, sources: &[Source]) -> Request {
    let section = |(mid, source): (usize, &Source)| PublishSection {
        mid: mid.to_string(),
        source: *source,
    };
    Request::OfferMedia {
        call,
        sdp: "offer".to_owned(),
        publish: sources.iter().enumerate().map(section).collect(),
        subscribe: vec![],
    }
}
