//! A stand-in for the media node: answers offers and keeps a list of what it was told. It carries no
//! media; the real node is tested with real calls at the root.

use std::sync::{Arc, Mutex};

use homeline_protocol::id::{PeerId, RoomId};
use homeline_protocol::media_control::{
    MediaCommand, MediaError, MediaEvent, MediaReply, PeerStatistics,
};
use homeline_signaling::gateway::{Media, MediaExchange};
use tokio::sync::{Notify, mpsc};

type MediaReplyTo = tokio::sync::oneshot::Sender<Result<MediaReply, MediaError>>;
type Answer = fn(&MediaCommand) -> Result<MediaReply, MediaError>;

pub(crate) struct Node {
    state: Arc<State>,
    events: Mutex<Option<mpsc::Sender<MediaEvent>>>,
}

struct State {
    told: Mutex<Vec<MediaCommand>>,
    changed: Notify,
    answer: Mutex<Answer>,
    /// What it answers to whoever asks for figures.
    figures: Mutex<Vec<PeerStatistics>>,
    /// Whether replies are held back, and those that were.
    held: Mutex<Option<Vec<MediaReplyTo>>>,
}

impl Node {
    pub(crate) fn start() -> (Self, Media, mpsc::Receiver<MediaEvent>) {
        let (commands, inbox) = mpsc::channel::<MediaExchange>(64);
        let (events, events_out) = mpsc::channel(64);
        let state = Arc::new(State {
            told: Mutex::default(),
            changed: Notify::new(),
            answer: Mutex::new(usual_answer),
            figures: Mutex::default(),
            held: Mutex::new(None),
        });
        tokio::spawn(serve(Arc::clone(&state), inbox));
        let node = Self {
            state,
            events: Mutex::new(Some(events)),
        };
        (node, Media::Local(commands), events_out)
    }

    /// Answers differently from now on.
    pub(crate) fn answer_with(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// Has these figures from now on, in whatever room.
    pub(crate) fn measures(&self, figures: Vec<PeerStatistics>) {
        *self.state.figures.lock().unwrap() = figures;
    }

    /// Takes commands and answers none.
    pub(crate) fn hang(&self) {
        *self.state.held.lock().unwrap() = Some(Vec::new());
    }

    /// Says something by itself.
    pub(crate) async fn say(&self, event: MediaEvent) {
        let events = self.events.lock().unwrap().clone().unwrap();
        events.send(event).await.unwrap();
    }

    /// The node dies.
    pub(crate) fn die(&self) {
        self.events.lock().unwrap().take();
    }

    /// Waits until it was told this.
    pub(crate) async fn was_told(&self, command: &MediaCommand) {
        self.was_told_such(|told| told == command).await;
    }

    /// Waits until it was told something like this.
    pub(crate) async fn was_told_such(&self, matches: impl Fn(&MediaCommand) -> bool) {
        let wait = async {
            loop {
                let changed = self.state.changed.notified();
                if self.state.told.lock().unwrap().iter().any(&matches) {
                    return;
                }
                changed.await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(10), wait).await;
        assert!(waited.is_ok(), "the node was told only {:?}", self.told());
    }

    pub(crate) fn told(&self) -> Vec<MediaCommand> {
        self.state.told.lock().unwrap().clone()
    }

    /// Whether a peer's media may flow, by what it was told last.
    pub(crate) fn forwards(&self, room: RoomId, peer: PeerId) -> bool {
        let last = self
            .told()
            .into_iter()
            .rev()
            .find_map(|command| match command {
                MediaCommand::SetForwarding {
                    room: in_room,
                    peer: whose,
                    on,
                } => (in_room == room && whose == peer).then_some(on),
                MediaCommand::RemovePeer {
                    room: in_room,
                    peer: whose,
                } => (in_room == room && whose == peer).then_some(false),
                _ => None,
            });
        last == Some(true)
    }
}

async fn serve(state: Arc<State>, mut inbox: mpsc::Receiver<MediaExchange>) {
    while let Some((command, reply)) = inbox.recv().await {
        let answer = *state.answer.lock().unwrap();
        let result = match answer(&command) {
            Ok(MediaReply::Statistics(_)) => Ok(MediaReply::Statistics(
                state.figures.lock().unwrap().clone(),
            )),
            other => other,
        };
        state.told.lock().unwrap().push(command);
        state.changed.notify_waiters();
        match &mut *state.held.lock().unwrap() {
            Some(held) => held.push(reply),
            None => drop(reply.send(result)),
        }
    }
}

pub(crate) fn usual_answer(command: &MediaCommand) -> Result<MediaReply, MediaError> {
    match command {
        MediaCommand::Negotiate { offer, .. } => Ok(MediaReply::Answer {
            sdp: format!("answer to {offer}"),
        }),
        MediaCommand::Statistics { .. } => Ok(MediaReply::Statistics(Vec::<PeerStatistics>::new())),
        _ => Ok(MediaReply::Done),
    }
}
