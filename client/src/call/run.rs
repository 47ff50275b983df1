//! The task of one call: what comes from the server, the program, the media and the clock, one by one.

use std::collections::BTreeSet;
use std::time::Duration;

use homeline_e2ee::key::PublicKey;
use homeline_e2ee::member;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{EndReason, ErrorCode, Event, MediaState, Reply, Request};
use tokio::sync::{mpsc, watch};

use super::event::{CallEvent, RefusedBecause};
use super::group::Adding;
use super::owner::Owner;
use super::side::Side;
use super::transport::Transport;
use crate::guest::Knock;
use crate::home::Person;
use crate::media::{Camera, Frames, Seen, Sound};
use crate::session::RequestError;
use crate::time::now;

/// Events that may wait for the program. What comes beyond is dropped, but never the end.
pub(super) const EVENTS_MAX: usize = 256;

/// Commands, and replies, on their way to the task.
pub(crate) const INPUTS_MAX: usize = 64;

/// What the client's task sends here.
pub(crate) enum Input {
    Event(Box<Event>),
    /// The session is a new one, and the call goes on there, or not.
    SessionAnew {
        running: bool,
    },
    /// Expectations changed: the roster grew.
    RosterGrew,
}

pub(super) enum Command {
    Answer(Box<Answer>),
    Decline,
    HangUp,
    Microphone(bool),
    Camera(bool),
    Add(String),
    LetIn(Knock),
    StopAdding,
    MoveTo(DeviceId),
    EndForEveryone,
    /// What a drop-in's stage says of the sound.
    Heard(bool),
    /// A drop-in is over at its target; `tell`: the server does not know yet.
    Close {
        tell: bool,
    },
}

pub(super) struct Answer {
    pub(super) sound: Sound,
    pub(super) camera: Option<Camera>,
    pub(super) screen: Option<mpsc::Sender<Seen>>,
}

/// What came of a request of this call.
pub(super) enum Replied {
    /// A drop-in was asked for.
    DroppedIn(Result<Reply, RequestError>),
    /// A live announcement was begun.
    Announced(Result<Reply, RequestError>),
    /// This device hears one.
    Hears(Result<Reply, RequestError>),
    Started(Result<Reply, RequestError>),
    Answered(Result<Reply, RequestError>),
    Offered {
        generation: u32,
        result: Result<Reply, RequestError>,
    },
    /// The question after the relays, asked when nothing was heard of media.
    Reached {
        generation: u32,
        result: Result<Reply, RequestError>,
    },
    Added(Result<Reply, RequestError>),
    Moving {
        device: DeviceId,
        result: Result<Reply, RequestError>,
    },
    Committed {
        epoch: u64,
        adding: Option<DeviceId>,
        result: Result<Reply, RequestError>,
    },
}

/// Which side this is, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The caller, before an answer.
    Calling,
    /// Rings here.
    Ringing,
    /// Answered here; the server has not said yet whether first.
    Answering,
    Answered,
    Over(EndReason),
}

pub(super) struct Run {
    pub(super) owner: Owner,
    pub(super) id: CallId,
    pub(super) phase: Phase,
    pub(super) party: Person,
    /// The household at the other end: pinned, met before, or the first that rang.
    pub(super) expected: Option<PublicKey>,
    /// Guests that this device lets in: exactly these, each by its own key.
    pub(super) guests: BTreeSet<PublicKey>,
    /// Further ones in the call, households or guests: those that the invitation named.
    pub(super) households: BTreeSet<PublicKey>,
    /// The households that this device brought in, and under which handles.
    pub(super) brought: Vec<(String, PublicKey)>,
    pub(super) adding: Option<Adding>,
    /// The other participants, as last told.
    pub(super) present: BTreeSet<DeviceId>,
    pub(super) video: bool,
    pub(super) frames: Frames,
    pub(super) transport: Transport,
    pub(super) media: MediaState,
    pub(super) microphone: watch::Sender<bool>,
    pub(super) camera: watch::Sender<bool>,
    pub(super) inputs: mpsc::Receiver<Input>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) replies: (mpsc::Sender<Replied>, mpsc::Receiver<Replied>),
    pub(super) events: mpsc::Sender<CallEvent>,
    /// Which side of a drop-in or a live announcement it is, if any.
    pub(super) side: Option<Side>,
    /// Whether the microphone may be open at all, and others are played: false while a drop-in knocks or is
    /// hushed here.
    pub(super) heard: bool,
}

impl Run {
    pub(super) async fn run(mut self) {
        while !self.is_over() {
            let wake = self.wake();
            tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(input) => self.input(input).await,
                    None => self.over(EndReason::DeviceLost),
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command).await,
                    // The handle was dropped.
                    None => self.leave().await,
                },
                Some(replied) = self.replies.1.recv() => self.replied(replied).await,
                event = self.transport.next_event() => self.peer(event).await,
                () = wake => self.keys(member::Input::Tick).await,
            }
        }
        self.end().await;
    }

    /// When the keys' machine wants to be woken.
    fn wake(&self) -> impl Future<Output = ()> + use<> {
        let due = self.frames.crypto().next_timeout();
        async move {
            match due {
                Some(due) => tokio::time::sleep(Duration::from_millis(due.since(now()))).await,
                None => std::future::pending().await,
            }
        }
    }

    async fn end(mut self) {
        let Phase::Over(reason) = self.phase else {
            return;
        };
        self.frames.crypto().step(now(), member::Input::Leave);
        self.frames.set_sending(None);
        self.owner.forget_call(self.id);
        self.transport.close().await;
        // The last word is waited for; a program that stopped listening has dropped the other end.
        self.events.send(CallEvent::Ended(reason)).await.ok();
    }

    async fn input(&mut self, input: Input) {
        match input {
            Input::Event(event) => self.event(*event).await,
            Input::SessionAnew { running: false } => self.over(EndReason::ServerRestarted),
            Input::SessionAnew { running: true } => self.renew().await,
            Input::RosterGrew => {
                let expect = self.expect();
                self.keys(member::Input::Expect(Box::new(expect))).await;
            }
        }
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::DeviceRinging {
                key_package,
                statement,
                ..
            } => {
                self.device_rings(&key_package, &statement).await;
            }
            Event::CallAnswered {
                key_package,
                statement,
                ..
            } => {
                self.answered_there(key_package, statement).await;
            }
            Event::CallEnded { reason, .. } => self.over(reason),
            Event::Participants { participants, .. } => self.participants(&participants),
            Event::Tracks { tracks, .. } => self.tracks(tracks).await,
            Event::ParticipantConnection {
                device, connected, ..
            } => {
                self.say(CallEvent::PartyConnection { device, connected });
                self.keys(member::Input::Connection { device, connected })
                    .await;
            }
            Event::MediaRestart { .. } => self.renew().await,
            Event::LiveDeclined { device, .. } => self.say(CallEvent::LiveDeclined { device }),
            Event::GroupCommit { epoch, commit, .. } => {
                self.keys(member::Input::Commit {
                    epoch,
                    commit: commit.0,
                })
                .await;
            }
            Event::GroupWelcome {
                welcome,
                participants,
                ..
            } => {
                self.participants(&participants);
                self.keys(member::Input::Welcome { welcome: welcome.0 })
                    .await;
            }
            Event::EpochExecute { epoch, .. } => self.keys(member::Input::Execute { epoch }).await,
            Event::GroupMessage { message, .. } => {
                self.keys(member::Input::Message { message: message.0 })
                    .await;
            }
            event @ (Event::DropInOpened { .. }
            | Event::DropInStage { .. }
            | Event::DropInRefused { .. }) => self.drop_in_event(event).await,
            other => self.group_event(other).await,
        }
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Answer(answer) => self.answer(*answer).await,
            Command::Decline => {
                self.tell(Request::Decline { call: self.id }).await;
                self.over(EndReason::Declined);
            }
            Command::HangUp => self.leave().await,
            Command::Microphone(on) => {
                self.microphone.send_replace(on && self.heard);
                self.media.microphone = on;
                self.tell_media().await;
            }
            // Others must not be told of a picture that can't come.
            Command::Camera(_) if !self.transport.has_camera() => {}
            Command::Camera(on) => {
                self.camera.send_replace(on);
                self.media.camera = on;
                self.tell_media().await;
            }
            Command::Heard(heard) => self.set_heard(heard),
            Command::Close { tell: true } => self.hang_up(EndReason::HungUp).await,
            Command::Close { tell: false } => self.over(EndReason::HungUp),
            Command::Add(_) | Command::LetIn(_) | Command::MoveTo(_) if self.side.is_some() => {
                let words = "nobody is added here, nor does it move".to_owned();
                self.say(CallEvent::Denied { words });
            }
            Command::Add(to) => self.add(&to).await,
            Command::LetIn(knock) => self.add_guest(&knock).await,
            Command::StopAdding => self.stop_adding().await,
            Command::MoveTo(device) => self.move_to(device).await,
            Command::EndForEveryone => self.tell(Request::EndForEveryone { call: self.id }).await,
        }
    }

    async fn replied(&mut self, replied: Replied) {
        match replied {
            // What comes of it is told by events.
            Replied::DroppedIn(Ok(_) | Err(RequestError::Unknown)) => {}
            Replied::DroppedIn(Err(error)) => {
                self.denied(&error);
                self.failed(&error);
            }
            Replied::Announced(result) => self.announced(result).await,
            // Media is offered when there is a track.
            Replied::Hears(Ok(_) | Err(RequestError::Unknown)) => {}
            Replied::Hears(Err(error)) => self.failed(&error),
            Replied::Started(Ok(_)) => self.offer().await,
            // The server went away meanwhile. Whether the call is there is told with the new session.
            Replied::Started(Err(RequestError::Unknown)) => {}
            Replied::Answered(Ok(_) | Err(RequestError::Unknown)) => self.phase = Phase::Answered,
            Replied::Started(Err(error)) | Replied::Answered(Err(error)) => self.failed(&error),
            Replied::Offered { generation, result }
                if generation == self.transport.generation() =>
            {
                self.offered(result).await;
            }
            Replied::Reached { generation, result }
                if generation == self.transport.generation() =>
            {
                self.reached(result).await;
            }
            Replied::Offered { .. } | Replied::Reached { .. } | Replied::Added(Ok(_)) => {}
            Replied::Added(Err(error)) => {
                tracing::info!(%error, "nobody is added");
                self.denied(&error);
                self.not_added(EndReason::Unreachable);
            }
            Replied::Moving { result: Ok(_), .. } => {}
            Replied::Moving {
                device,
                result: Err(error),
            } => {
                tracing::info!(%error, "the call does not move");
                self.denied(&error);
                let reason = EndReason::Unreachable;
                self.say(CallEvent::NotMoved { device, reason });
            }
            Replied::Committed {
                epoch,
                adding,
                result,
            } => self.committed(epoch, adding, result).await,
        }
    }

    /// A call that can't be started or answered is over, by the reason that fits.
    pub(super) fn failed(&mut self, error: &RequestError) {
        let reason = match error.code() {
            Some(ErrorCode::AnsweredElsewhere) => EndReason::AnsweredElsewhere,
            Some(ErrorCode::CallEnded) => EndReason::Cancelled,
            Some(ErrorCode::AlreadyInCall) => EndReason::Busy,
            Some(_) => EndReason::Unreachable,
            None => EndReason::DeviceLost,
        };
        tracing::info!(%error, "the call was not made");
        self.over(reason);
    }

    /// The person hangs up, or the handle was dropped.
    async fn leave(&mut self) {
        match self.phase {
            Phase::Calling if self.side.is_some() => self.hang_up(EndReason::HungUp).await,
            Phase::Calling => {
                self.tell(Request::Cancel { call: self.id }).await;
                self.over(EndReason::Cancelled);
            }
            // The other devices of the person may ring on.
            Phase::Ringing => {
                self.tell(Request::RefuseInvitation { call: self.id }).await;
                self.over(EndReason::Declined);
            }
            Phase::Answering | Phase::Answered => self.hang_up(EndReason::HungUp).await,
            Phase::Over(_) => {}
        }
    }

    pub(super) async fn hang_up(&mut self, reason: EndReason) {
        let call = self.id;
        let request = match self.phase {
            // Before an answer there is nothing to hang up but the ringing here.
            Phase::Ringing => Request::RefuseInvitation { call },
            _ => Request::HangUp { call, reason },
        };
        self.tell(request).await;
        self.over(reason);
    }

    async fn tell_media(&mut self) {
        if self.phase == Phase::Answered {
            self.tell(Request::SetMedia {
                call: self.id,
                media: self.media,
            })
            .await;
        }
    }

    pub(super) async fn refuse_changed_key(&mut self) {
        self.refuse(RefusedBecause::KeyChanged).await;
    }

    pub(super) fn over(&mut self, reason: EndReason) {
        if !self.is_over() {
            self.phase = Phase::Over(reason);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    pub(super) fn say(&self, event: CallEvent) {
        self.events.try_send(event).ok();
    }

    /// Sends a request whose reply matters; it comes back as a `Replied`.
    pub(super) async fn ask(
        &self,
        request: Request,
        replied: impl FnOnce(Result<Reply, RequestError>) -> Replied + Send + 'static,
    ) {
        let replies = self.replies.0.clone();
        match self.owner.session().begin(request).await {
            Ok(reply) => {
                tokio::spawn(async move { replies.send(replied(reply.await)).await.ok() });
            }
            // The session's end is told to the client's task, which drops the call.
            Err(error) => {
                tokio::spawn(async move { replies.send(replied(Err(error))).await.ok() });
            }
        }
    }

    /// Sends a request whose failure changes nothing here.
    pub(super) async fn tell(&self, request: Request) {
        if let Ok(reply) = self.owner.session().begin(request).await {
            tokio::spawn(async move {
                if let Err(error) = reply.await {
                    tracing::info!(%error, "a request of a call was refused");
                }
            });
        }
    }
}
