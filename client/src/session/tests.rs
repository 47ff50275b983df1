//! The session against a small server in the test: losses, resumes, goodbyes.

use futures_util::{SinkExt as _, StreamExt as _};
use homeline_protocol::Secret;
use homeline_protocol::id::{AccountId, CallId, SessionId};
use homeline_protocol::session::{
    ApiError, ClientFrame, EndReason, ErrorCode, Event, Outcome, Reply, Request, ServerFrame,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::server::Server;

const SESSION: SessionId = SessionId([7; 16]);

struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        Self(tokio_tungstenite::accept_async(stream).await.unwrap())
    }

    /// The next frame that is neither an acknowledgement nor a heartbeat.
    async fn receive(&mut self) -> ClientFrame {
        loop {
            match self.any().await {
                ClientFrame::Ack { .. } | ClientFrame::Ping => {}
                frame => return frame,
            }
        }
    }

    async fn any(&mut self) -> ClientFrame {
        let message = self.0.next().await.unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    async fn send(&mut self, frame: &ServerFrame) {
        let text = serde_json::to_string(frame).unwrap();
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn welcome(&mut self, resumed: bool, heartbeat_secs: u32) {
        let welcome = ServerFrame::Welcome {
            protocol: 1,
            session: SESSION,
            resumed,
            heartbeat_secs,
            server_time_ms: 0,
            account: AccountId([1; 16]),
            device: None,
            household: None,
        };
        self.send(&welcome).await;
    }

    async fn event(&mut self, seq: u64) {
        let body = Event::CallEnded {
            call: CallId([seq as u8; 16]),
            reason: EndReason::HungUp,
        };
        self.send(&ServerFrame::Event {
            seq,
            body: Box::new(body),
        })
        .await;
    }

    async fn done(&mut self, id: u64) {
        let result = Outcome::Ok(Box::new(Reply::Done));
        self.send(&ServerFrame::Reply { id, result }).await;
    }
}

async fn listen() -> (TcpListener, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, Server::new(&address).unwrap())
}

async fn open(listener: &TcpListener, server: Server) -> (Session, Events, Peer) {
    let opening = tokio::spawn(Session::open(server, Secret::new("token")));
    let mut peer = Peer::accept(listener).await;
    assert!(matches!(
        peer.receive().await,
        ClientFrame::Hello { resume: None, .. }
    ));
    peer.welcome(false, 60).await;
    let (session, mut events) = opening.await.unwrap().unwrap();
    let first = events.recv().await.unwrap();
    assert!(matches!(
        first,
        SessionEvent::Connected { resumed: false, .. }
    ));
    (session, events, peer)
}

fn seen(event: &SessionEvent) -> Option<u8> {
    match event {
        SessionEvent::Event(event) => match **event {
            Event::CallEnded { call, .. } => Some(call.0[0]),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test]
async fn a_lost_connection_is_resumed_with_nothing_lost_or_repeated() {
    let (listener, server) = listen().await;
    let (session, mut events, mut peer) = open(&listener, server).await;
    peer.event(1).await;
    assert_eq!(seen(&events.recv().await.unwrap()), Some(1));
    let asking = tokio::spawn({
        let session = session.clone();
        async move { session.done(Request::GetHome).await }
    });
    assert!(matches!(
        peer.receive().await,
        ClientFrame::Request { id: 1, .. }
    ));
    drop(peer);
    assert!(matches!(events.recv().await, Some(SessionEvent::Lost)));

    let mut peer = Peer::accept(&listener).await;
    let ClientFrame::Hello {
        resume: Some(resume),
        ..
    } = peer.receive().await
    else {
        panic!("the client resumes")
    };
    assert_eq!((resume.session, resume.last_event), (SESSION, 1));
    peer.welcome(true, 60).await;
    peer.event(1).await;
    peer.event(2).await;
    assert!(matches!(
        peer.receive().await,
        ClientFrame::Request { id: 1, .. }
    ));
    peer.done(1).await;
    assert_eq!(asking.await.unwrap(), Ok(()));
    assert!(matches!(
        events.recv().await,
        Some(SessionEvent::Connected { resumed: true, .. })
    ));
    assert_eq!(seen(&events.recv().await.unwrap()), Some(2));
    // Acknowledgements come in steps; the last says that all is taken in.
    while !matches!(peer.any().await, ClientFrame::Ack { event: 2, reply: 1 }) {}
}

#[tokio::test]
async fn a_program_that_exits_can_wait_until_its_last_word_arrived() {
    let (listener, server) = listen().await;
    let (session, _events, mut peer) = open(&listener, server).await;
    session.settled().await;
    // Nobody waits for the reply.
    drop(session.begin(Request::GetHome).await);
    let mut settled = Box::pin(session.settled());
    tokio::select! {
        () = &mut settled => panic!("it is not answered"),
        frame = peer.receive() => assert!(matches!(frame, ClientFrame::Request { id: 1, .. })),
    }
    drop(peer);
    let mut peer = tokio::select! {
        () = &mut settled => panic!("it is not answered"),
        peer = Peer::accept(&listener) => peer,
    };
    peer.receive().await;
    peer.welcome(true, 60).await;
    peer.receive().await;
    peer.done(1).await;
    settled.await;
}

#[tokio::test]
async fn a_session_that_is_gone_leaves_requests_with_an_unknown_fate() {
    let (listener, server) = listen().await;
    let (session, mut events, mut peer) = open(&listener, server).await;
    let asking = tokio::spawn(async move { session.done(Request::GetHome).await });
    peer.receive().await;
    drop(peer);
    let mut peer = Peer::accept(&listener).await;
    peer.receive().await;
    peer.welcome(false, 60).await;
    assert_eq!(asking.await.unwrap(), Err(RequestError::Unknown));
    assert!(matches!(events.recv().await, Some(SessionEvent::Lost)));
    assert!(matches!(
        events.recv().await,
        Some(SessionEvent::Connected { resumed: false, .. })
    ));
}

#[tokio::test]
async fn a_missing_event_makes_the_client_reconnect() {
    let (listener, server) = listen().await;
    let (_session, mut events, mut peer) = open(&listener, server).await;
    peer.event(1).await;
    peer.event(3).await;
    assert_eq!(seen(&events.recv().await.unwrap()), Some(1));
    assert!(matches!(events.recv().await, Some(SessionEvent::Lost)));
    let mut peer = Peer::accept(&listener).await;
    let ClientFrame::Hello {
        resume: Some(resume),
        ..
    } = peer.receive().await
    else {
        panic!("the client resumes")
    };
    assert_eq!(resume.last_event, 1);
}

#[tokio::test]
async fn a_silent_server_is_noticed_by_its_missing_heartbeats() {
    let (listener, server) = listen().await;
    let opening = tokio::spawn(Session::open(server, Secret::new("token")));
    let mut peer = Peer::accept(&listener).await;
    peer.receive().await;
    peer.welcome(false, 1).await;
    let (_session, mut events) = opening.await.unwrap().unwrap();
    assert!(matches!(
        events.recv().await,
        Some(SessionEvent::Connected { .. })
    ));
    assert!(matches!(peer.any().await, ClientFrame::Ping));
    // The peer holds the connection open and says nothing.
    assert!(matches!(events.recv().await, Some(SessionEvent::Lost)));
}

#[tokio::test]
async fn a_goodbye_for_good_ends_the_session_in_words() {
    let (listener, server) = listen().await;
    let (session, mut events, mut peer) = open(&listener, server).await;
    let error = ApiError::new(ErrorCode::DeviceRevoked, "this device was removed");
    peer.send(&ServerFrame::Goodbye {
        error: error.clone(),
    })
    .await;
    let Some(SessionEvent::Ended(told)) = events.recv().await else {
        panic!("it has ended")
    };
    assert_eq!(told, error);
    assert_eq!(
        session.done(Request::GetHome).await,
        Err(RequestError::Ended)
    );
}

#[tokio::test]
async fn a_refused_hello_is_told_to_whoever_opens() {
    let (listener, server) = listen().await;
    let opening = tokio::spawn(Session::open(server, Secret::new("token")));
    let mut peer = Peer::accept(&listener).await;
    peer.receive().await;
    let error = ApiError::new(ErrorCode::ProtocolVersion, "update this device");
    peer.send(&ServerFrame::Goodbye { error }).await;
    let Err(OpenError::Refused(error)) = opening.await.unwrap() else {
        panic!("it is refused")
    };
    assert_eq!(error.code, ErrorCode::ProtocolVersion);
}
