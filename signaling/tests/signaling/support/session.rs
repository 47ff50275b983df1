//! A session as a client holds it.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use homeline_protocol::session::{
    ApiError, ClientFrame, ErrorCode, Event, Home, Outcome, Reply, Request, ServerFrame,
};
use homeline_protocol::{PROTOCOL_VERSION, Secret};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a scenario waits for what must come. Long, so that a busy machine does not fail it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    events: Vec<Event>,
}

impl Session {
    /// Says hello; the error is the server's goodbye.
    pub(crate) async fn open(address: SocketAddr, token: &Secret) -> Result<Self, ApiError> {
        let (socket, _) = connect_async(format!("ws://{address}/v1/session"))
            .await
            .unwrap();
        let mut session = Self {
            socket,
            next_id: 1,
            events: vec![],
        };
        let hello = ClientFrame::Hello {
            protocol: PROTOCOL_VERSION,
            token: token.clone(),
            resume: None,
        };
        session.send(&hello).await;
        match session.frame().await {
            ServerFrame::Welcome { .. } => Ok(session),
            ServerFrame::Goodbye { error } => Err(error),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn request(&mut self, body: Request) -> Result<Reply, ApiError> {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&ClientFrame::Request {
            id,
            body: Box::new(body),
        })
        .await;
        loop {
            match self.frame().await {
                ServerFrame::Reply { id: of, result } if of == id => {
                    return match result {
                        Outcome::Ok(reply) => Ok(*reply),
                        Outcome::Error(error) => Err(error),
                    };
                }
                ServerFrame::Event { body, .. } => self.events.push(*body),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Asks for something that ends this session: the answer may or may not come before the end.
    pub(crate) async fn send_only(&mut self, body: Request) {
        let id = self.next_id;
        self.next_id += 1;
        let body = Box::new(body);
        self.send(&ClientFrame::Request { id, body }).await;
    }

    #[track_caller]
    pub(crate) fn done(&mut self, body: Request) -> impl Future<Output = ()> + use<'_> {
        let caller = std::panic::Location::caller();
        async move {
            let reply = self.request(body).await;
            assert_eq!(reply, Ok(Reply::Done), "at {caller}");
        }
    }

    /// Asks for what must be refused, and says how.
    pub(crate) async fn refused(&mut self, body: Request) -> ErrorCode {
        self.request(body)
            .await
            .expect_err("this should be refused")
            .code
    }

    pub(crate) async fn home(&mut self) -> Home {
        match self.request(Request::GetHome).await {
            Ok(Reply::Home(home)) => *home,
            other => panic!("{other:?}"),
        }
    }

    /// The first event that `pick` takes; others are kept for later.
    pub(crate) async fn event<T>(&mut self, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let found = self.events.iter().position(|event| pick(event).is_some());
            if let Some(at) = found
                && let Some(taken) = pick(&self.events.remove(at))
            {
                return taken;
            }
            match self.frame().await {
                ServerFrame::Event { body, .. } => self.events.push(*body),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for the server's goodbye.
    pub(crate) async fn goodbye(mut self) -> ErrorCode {
        loop {
            match self.frame().await {
                ServerFrame::Goodbye { error } => return error.code,
                ServerFrame::Event { .. } | ServerFrame::Reply { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Whether an event of this kind has come by now: asks the server something in between, so
    /// that everything before the answer has arrived.
    pub(crate) async fn has_seen(&mut self, is_it: impl Fn(&Event) -> bool) -> bool {
        self.home().await;
        self.events.iter().any(is_it)
    }

    async fn send(&mut self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).unwrap();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn frame(&mut self) -> ServerFrame {
        loop {
            let message = timeout(PATIENCE, self.socket.next())
                .await
                .expect("a frame in time");
            let message = message.expect("the connection stands").unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}
