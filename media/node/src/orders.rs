//! What the router tells a worker, and how answers come back: one from each worker that was asked, made into one.

use std::sync::{Arc, Mutex, PoisonError};

use homeline_media_engine::EngineId;
use homeline_protocol::id::{PeerId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaReply, PeerStatistics};
use tokio::sync::oneshot;

type Answer = Result<MediaReply, MediaError>;

/// Something for a worker to do.
pub(crate) enum Order {
    /// Carry out a command.
    Command(MediaCommand, ReplyTo),
    /// Have a part of a room beside those of other workers. What is commanded of it next waits until they have told of
    /// theirs.
    Extend { room: RoomId, with: Vec<EngineId> },
}

pub(crate) const fn room_of(command: &MediaCommand) -> RoomId {
    match command {
        MediaCommand::CreateRoom { room }
        | MediaCommand::CloseRoom { room }
        | MediaCommand::Negotiate { room, .. }
        | MediaCommand::SetForwarding { room, .. }
        | MediaCommand::SetTrackForwarding { room, .. }
        | MediaCommand::RemovePeer { room, .. }
        | MediaCommand::RequestKeyFrames { room }
        | MediaCommand::SetView { room, .. }
        | MediaCommand::Statistics { room } => *room,
    }
}

/// Who waits for an answer.
pub(crate) enum ReplyTo {
    One(oneshot::Sender<Answer>),
    /// An answer of several workers.
    Part(Arc<Gathering>),
    Nobody,
}

impl ReplyTo {
    /// Answers. Whoever asked may have gone away meanwhile.
    pub(crate) fn send(self, answer: Answer) {
        match self {
            Self::One(reply) => drop(reply.send(answer)),
            Self::Part(gathering) => gathering.add(answer),
            Self::Nobody => {}
        }
    }
}

/// Answers that are to become one. A worker that is gone leaves its own out: then the last drops the reply, which
/// says so.
pub(crate) struct Gathering(Mutex<Gathered>);

struct Gathered {
    missing: usize,
    statistics: Vec<PeerStatistics>,
    other: Option<Answer>,
    reply: Option<oneshot::Sender<Answer>>,
}

impl Gathering {
    pub(crate) fn new(workers: usize, reply: oneshot::Sender<Answer>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Gathered {
            missing: workers,
            statistics: Vec::new(),
            other: None,
            reply: Some(reply),
        })))
    }

    fn add(&self, answer: Answer) {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(MediaReply::Statistics(more)) => gathered.statistics.extend(more),
            // One that failed is the answer of all.
            answer if answer.is_err() || gathered.other.is_none() => gathered.other = Some(answer),
            _ => {}
        }
        gathered.missing = gathered.missing.saturating_sub(1);
        if gathered.missing == 0
            && let Some(reply) = gathered.reply.take()
        {
            let statistics = std::mem::take(&mut gathered.statistics);
            let whole = gathered.other.take();
            let whole = whole.unwrap_or(Ok(MediaReply::Statistics(statistics)));
            drop(reply.send(whole));
        }
    }
}

/// What the router does not find out by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// A peer was refused by a worker where the router had placed it.
    Peer(RoomId, PeerId, usize),
    /// A worker's part of a room failed and was dropped.
    Room(RoomId, usize),
}

/// Where workers leave losses for the router, which takes them before every command. At most one for each room and
/// worker, and one for each offer that is under way.
#[derive(Default)]
pub(crate) struct Losses(Mutex<Vec<Loss>>);

impl Losses {
    pub(crate) fn add(&self, loss: Loss) {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        losses.retain(|known| *known != loss);
        losses.push(loss);
    }

    /// It is there after all.
    pub(crate) fn take_back(&self, loss: Loss) {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        losses.retain(|known| *known != loss);
    }

    pub(crate) fn take(&self) -> Vec<Loss> {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *losses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(answers: Vec<Answer>) -> Option<Answer> {
        let (reply, mut answer) = oneshot::channel();
        let gathering = Gathering::new(2, reply);
        for answer in answers {
            ReplyTo::Part(Arc::clone(&gathering)).send(answer);
        }
        answer.try_recv().ok()
    }

    #[test]
    fn answers_of_several_workers_become_one() {
        let done = || Ok(MediaReply::Done);
        let none = || Ok(MediaReply::Statistics(Vec::new()));
        assert_eq!(gather(vec![done(), done()]), Some(done()));
        assert_eq!(gather(vec![none(), none()]), Some(none()));
        let failed = || Err(MediaError::NoRoom);
        assert_eq!(gather(vec![failed(), done()]), Some(failed()));
        assert_eq!(gather(vec![none(), failed()]), Some(failed()));
        assert_eq!(gather(vec![done()]), None, "one is missing");
    }

    #[test]
    fn a_loss_is_told_once_and_can_be_taken_back() {
        let losses = Losses::default();
        let (room, peer) = (RoomId([1; 16]), PeerId([2; 16]));
        losses.add(Loss::Peer(room, peer, 0));
        losses.add(Loss::Peer(room, peer, 0));
        losses.add(Loss::Room(room, 1));
        losses.take_back(Loss::Peer(room, peer, 0));
        assert_eq!(losses.take(), [Loss::Room(room, 1)]);
        assert!(losses.take().is_empty());
    }
}
