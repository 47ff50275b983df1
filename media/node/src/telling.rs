//! What a worker tells signaling: at once when there is room, else in order as soon as there is.

use std::collections::VecDeque;

use homeline_protocol::media_control::MediaEvent;
use tokio::sync::mpsc;

/// A worker's words. Of those that wait, a newer one drops the older that it replaces, so that there are at most a
/// few for each room, peer and track.
pub(crate) struct Telling {
    events: mpsc::Sender<MediaEvent>,
    waiting: VecDeque<MediaEvent>,
}

impl Telling {
    pub(crate) const fn new(events: mpsc::Sender<MediaEvent>) -> Self {
        Self {
            events,
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn tell(&mut self, event: MediaEvent) {
        if !self.waiting.is_empty() {
            self.wait(event);
            return;
        }
        match self.events.try_send(event) {
            Err(mpsc::error::TrySendError::Full(event)) => self.wait(event),
            // Without a listener there is nobody to tell.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    /// Whether something waits; [`Self::retry`] then has to be called again.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Tells what waits, as far as there is room.
    pub(crate) fn retry(&mut self) {
        while !self.waiting.is_empty()
            && let Ok(permit) = self.events.try_reserve()
            && let Some(event) = self.waiting.pop_front()
        {
            permit.send(event);
        }
    }

    fn wait(&mut self, event: MediaEvent) {
        self.waiting.retain(|old| !replaces(&event, old));
        self.waiting.push_back(event);
    }
}

/// Whether who reads the newer event needs the older no more.
fn replaces(newer: &MediaEvent, older: &MediaEvent) -> bool {
    use MediaEvent::{LayersWanted, PeerConnected, PeerSilent, Speakers};
    match (newer, older) {
        (Speakers { room, .. }, Speakers { room: of, .. }) => room == of,
        (
            LayersWanted { room, track, .. },
            LayersWanted {
                room: of,
                track: old,
                ..
            },
        ) => (room, track) == (of, old),
        (
            PeerConnected { room, peer } | PeerSilent { room, peer },
            PeerConnected {
                room: of,
                peer: old,
            }
            | PeerSilent {
                room: of,
                peer: old,
            },
        ) => (room, peer) == (of, old),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use homeline_protocol::id::{PeerId, RoomId};

    use super::*;

    #[test]
    fn what_waits_is_told_in_order_and_only_the_newest_of_a_kind() {
        let (events, mut told) = mpsc::channel(1);
        let mut telling = Telling::new(events);
        let (room, other) = (RoomId([1; 16]), RoomId([2; 16]));
        let (peer, second) = (PeerId([1; 16]), PeerId([2; 16]));
        let speakers = |room, peers: &[PeerId]| MediaEvent::Speakers {
            room,
            peers: peers.to_vec(),
        };
        telling.tell(speakers(room, &[]));
        telling.tell(MediaEvent::PeerConnected { room, peer });
        telling.tell(MediaEvent::PeerClosed { room, peer: second });
        for turn in 0..1_000 {
            telling.tell(speakers(room, &[peer]));
            telling.tell(MediaEvent::PeerSilent { room, peer });
            if turn == 0 {
                telling.tell(speakers(other, &[peer]));
            }
        }
        let mut all = Vec::new();
        while telling.waits() {
            all.push(told.try_recv().unwrap());
            telling.retry();
        }
        all.push(told.try_recv().unwrap());
        let expected = [
            speakers(room, &[]),
            MediaEvent::PeerClosed { room, peer: second },
            speakers(other, &[peer]),
            speakers(room, &[peer]),
            MediaEvent::PeerSilent { room, peer },
        ];
        assert_eq!(all, expected);
    }
}
