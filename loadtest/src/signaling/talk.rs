//! Two people, one of whom calls the other: with sessions alone, or with whole clients.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use homeline_client::media::{Heard, Sound};
use homeline_client::session::{Events, RequestError, Session, SessionEvent};
use homeline_client::sound::{HEARD_MAX, tone};
use homeline_client::{CallEvent, Client, ClientEvent, Outgoing, Server};
use homeline_protocol::id::CallId;
use homeline_protocol::session::{Callee, EndReason, Event, MediaState, Request};
use homeline_protocol::{Blob, Handle};
use tokio::sync::mpsc;

use super::people::Person;
use super::presence::request_error;
use super::tally::{PATIENCE, Tally};

/// A signed invitation with its chain of certificates has about as many bytes, and a key package too.
const INVITATION_BYTES: usize = 1_500;
const KEY_PACKAGE_BYTES: usize = 700;

/// A caller and a callee who are free.
pub(super) enum Pair {
    /// Rings and answers only.
    Short(Short),
    /// With keys and sound.
    Whole(Whole),
}

impl Pair {
    /// One call. The kind of the error where it fails.
    pub(super) async fn call(
        &mut self,
        intended: Instant,
        hold: Duration,
        tally: &Tally,
    ) -> Result<(), String> {
        let calling = async {
            match self {
                Self::Short(short) => short.call(intended, hold, tally).await,
                Self::Whole(whole) => whole.call(intended, hold, tally).await,
            }
        };
        let called = tokio::time::timeout(PATIENCE + hold, calling).await;
        called.unwrap_or_else(|_| Err("call: not done in time".to_owned()))
    }
}

/// Sessions that ring and answer, with bytes for what the server passes on unread.
pub(super) struct Short {
    caller: Session,
    events: Events,
    callee: Handle,
    // The callee answers by itself as long as its session is held.
    _callee: Session,
}

impl Short {
    pub(super) async fn connect(server: &Server, caller: Person, callee: Person) -> Result<Self> {
        let (caller, events) = open(server, caller).await?;
        let handle = callee.handle.parse().context("a handle")?;
        let (callee, asked) = open(server, callee).await?;
        tokio::spawn(answer_all(callee.clone(), asked));
        Ok(Self {
            caller,
            events,
            callee: handle,
            _callee: callee,
        })
    }

    async fn call(
        &mut self,
        intended: Instant,
        hold: Duration,
        tally: &Tally,
    ) -> Result<(), String> {
        let call = CallId(rand::random());
        let start = Request::StartCall {
            call,
            to: Callee::Person {
                handle: self.callee.clone(),
            },
            video: false,
            invitation: Blob(vec![7; INVITATION_BYTES]),
        };
        self.ask(start).await?;
        loop {
            match self.events.recv().await {
                Some(SessionEvent::Event(event)) => match *event {
                    Event::DeviceRinging { call: of, .. } if of == call => {
                        tally.took("ring", false, intended);
                    }
                    Event::CallAnswered { call: of, .. } if of == call => break,
                    Event::CallEnded {
                        call: of, reason, ..
                    } if of == call => {
                        return Err(ended(reason));
                    }
                    _ => {}
                },
                Some(_) => {}
                None => return Err("session over".to_owned()),
            }
        }
        tally.took("latency", true, intended);
        tally.done();
        tokio::time::sleep(hold).await;
        let reason = EndReason::HungUp;
        self.ask(Request::HangUp { call, reason }).await
    }

    async fn ask(&self, request: Request) -> Result<(), String> {
        self.caller
            .request(request)
            .await
            .map(drop)
            .map_err(|error| request_error(&error))
    }
}

async fn open(server: &Server, person: Person) -> Result<(Session, Events)> {
    let opened = Session::open(server.clone(), person.identity.token).await;
    opened.context("connecting somebody")
}

/// Lets every call ring and answers it.
async fn answer_all(session: Session, mut events: Events) {
    while let Some(event) = events.recv().await {
        if let SessionEvent::Event(event) = event
            && let Event::IncomingCall { call, .. } = *event
        {
            // A caller who hears nothing counts that.
            answer(&session, call).await.ok();
        }
    }
}

async fn answer(session: &Session, call: CallId) -> Result<(), RequestError> {
    let ringing = Request::Ringing {
        call,
        key_package: Blob(vec![8; KEY_PACKAGE_BYTES]),
        statement: Blob(vec![9; 64]),
    };
    session.request(ringing).await?;
    let media = MediaState {
        microphone: true,
        camera: false,
    };
    session
        .request(Request::Answer { call, media })
        .await
        .map(drop)
}

/// Whole clients.
pub(super) struct Whole {
    caller: Client,
    callee: String,
    // What the caller is told beside its calls, read so that it never waits.
    _reading: tokio::task::JoinHandle<()>,
    _callee: Client,
}

impl Whole {
    pub(super) async fn connect(server: &Server, caller: Person, callee: Person) -> Result<Self> {
        let connect = async |person: Person| {
            let connected = Client::connect(server.clone(), person.identity, None).await;
            connected.context("connecting somebody")
        };
        let handle = callee.handle.clone();
        let (caller, mut told) = connect(caller).await?;
        let (callee, asked) = connect(callee).await?;
        tokio::spawn(talk_back(asked));
        Ok(Self {
            caller,
            callee: handle,
            _reading: tokio::spawn(async move { while told.recv().await.is_some() {} }),
            _callee: callee,
        })
    }

    async fn call(
        &mut self,
        intended: Instant,
        hold: Duration,
        tally: &Tally,
    ) -> Result<(), String> {
        let (with, mut heard) = sound(1_000.0);
        let called = self.caller.call(&self.callee, with).await;
        let mut call = called.map_err(|error| format!("call: {error}"))?;
        loop {
            let event = tokio::select! {
                // What led to the sound is told before it.
                biased;
                event = call.next() => event,
                Some(_) = heard.recv() => break,
            };
            match event {
                Some(CallEvent::Ringing) => tally.took("ring", false, intended),
                Some(CallEvent::Answered) => tally.took("answer", false, intended),
                Some(CallEvent::Secured { .. }) => tally.took("keys", false, intended),
                Some(CallEvent::Ended(reason)) => return Err(ended(reason)),
                Some(CallEvent::Refused(_)) => return Err("call: keys refused".to_owned()),
                Some(_) => {}
                None => return Err("call: gone".to_owned()),
            }
        }
        tally.took("latency", true, intended);
        tally.done();
        // What is heard is read, as a speaker does.
        let listening = async { while heard.recv().await.is_some() {} };
        tokio::time::timeout(hold, listening).await.ok();
        call.hang_up().await;
        call.ended().await;
        Ok(())
    }
}

/// Answers every call with a tone, until the caller hangs up.
async fn talk_back(mut asked: mpsc::Receiver<ClientEvent>) {
    while let Some(event) = asked.recv().await {
        if let ClientEvent::Incoming(incoming) = event {
            tokio::spawn(async move {
                let (with, mut heard) = sound(1_500.0);
                let mut call = incoming.answer(with).await;
                loop {
                    tokio::select! {
                        Some(_) = heard.recv() => {}
                        _ = call.ended() => return,
                    }
                }
            });
        }
    }
}

/// A tone to send, and what is heard of the other side.
pub(super) fn sound(hertz: f64) -> (Outgoing, mpsc::Receiver<Heard>) {
    let (speaker, heard) = mpsc::channel(HEARD_MAX);
    let sound = Sound {
        microphone: tone(hertz),
        speaker,
    };
    let with = Outgoing {
        sound,
        camera: None,
        screen: None,
    };
    (with, heard)
}

fn ended(reason: EndReason) -> String {
    format!("call ended: {reason:?}")
}
