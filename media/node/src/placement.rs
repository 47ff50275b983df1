//! On which workers a room and its peers are.
//!
//! A room begins on one worker, its home, and stays there until more peers are in it than one worker should carry.
//! Further peers are placed on other workers, each of which then has a part of the room, until its last peer goes.

use std::collections::HashMap;

use homeline_protocol::id::{PeerId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaError};

use crate::orders::Loss;

/// What a placement must not exceed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Rooms; another one is refused.
    pub(crate) rooms_max: usize,
    /// Peers of one room; another one is refused.
    pub(crate) peers_per_room_max: usize,
    /// Peers of one room on one worker; another one goes to another worker, as long as one has fewer.
    pub(crate) room_peers_per_worker_max: usize,
}

/// Where each room is.
pub(crate) struct Placement {
    bounds: Bounds,
    rooms: HashMap<RoomId, Spread>,
    /// Rooms, or parts of them, on each worker.
    parts: Vec<usize>,
}

/// Where one room is.
struct Spread {
    /// Its home first; never empty.
    workers: Vec<usize>,
    peers: HashMap<PeerId, usize>,
}

/// Where a command goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    To(usize),
    /// To all of these, whose answers make one.
    ToAll(Vec<usize>),
    /// To the first, which gets a part of the room beforehand, beside those of the others.
    ToNew(usize, Vec<usize>),
    /// To this, whose part of the room ends afterwards.
    ToLast(usize),
}

impl Placement {
    pub(crate) fn new(workers: usize, bounds: Bounds) -> Self {
        Self {
            bounds,
            rooms: HashMap::new(),
            parts: vec![0; workers],
        }
    }

    /// The way of a command, which is carried out then.
    pub(crate) fn way(&mut self, command: &MediaCommand) -> Result<Way, MediaError> {
        match command {
            MediaCommand::CreateRoom { room } => self.create(*room).map(Way::To),
            MediaCommand::CloseRoom { room } => Ok(self.close(*room)),
            MediaCommand::Negotiate { room, peer, .. } => self.peer_way(*room, *peer),
            MediaCommand::RemovePeer { room, peer } => {
                let spread = self.rooms.get(room).ok_or(MediaError::NoRoom)?;
                let to = spread.worker_of(*peer);
                Ok(match self.remove(*room, *peer) {
                    Some(_) => Way::ToLast(to),
                    None => Way::To(to),
                })
            }
            MediaCommand::SetForwarding { room, peer, .. }
            | MediaCommand::SetView { room, peer, .. } => {
                let spread = self.rooms.get(room).ok_or(MediaError::NoRoom)?;
                Ok(Way::To(spread.worker_of(*peer)))
            }
            MediaCommand::SetTrackForwarding { room, .. }
            | MediaCommand::RequestKeyFrames { room }
            | MediaCommand::Statistics { room } => {
                let spread = self.rooms.get(room).ok_or(MediaError::NoRoom)?;
                Ok(spread.all())
            }
        }
    }

    /// Takes what was lost. Returns the workers whose parts of the room must end.
    pub(crate) fn lose(&mut self, loss: Loss) -> (RoomId, Vec<usize>) {
        match loss {
            Loss::Peer(room, peer, at) => {
                // It may have gone, and come to another worker, since.
                let there = self.rooms.get(&room);
                let there = there.is_some_and(|spread| spread.peers.get(&peer) == Some(&at));
                let left = there.then(|| self.remove(room, peer)).flatten();
                (room, left.into_iter().collect())
            }
            Loss::Room(room, failed) => {
                let Some(spread) = self.rooms.get_mut(&room) else {
                    return (room, Vec::new());
                };
                spread.peers.clear();
                let rest = spread.workers.iter().copied();
                let rest: Vec<usize> = rest.filter(|worker| *worker != failed).collect();
                for worker in spread.workers.drain(1..) {
                    self.parts[worker] -= 1;
                }
                (room, rest)
            }
        }
    }

    /// A new room goes where the fewest are.
    fn create(&mut self, room: RoomId) -> Result<usize, MediaError> {
        if let Some(spread) = self.rooms.get(&room) {
            return Ok(spread.home());
        }
        if self.rooms.len() >= self.bounds.rooms_max {
            return Err(MediaError::Limit("rooms"));
        }
        let emptiest = (0..self.parts.len()).min_by_key(|at| self.parts[*at]);
        let home = emptiest.ok_or(MediaError::Gone)?;
        self.parts[home] += 1;
        let spread = Spread {
            workers: vec![home],
            peers: HashMap::new(),
        };
        self.rooms.insert(room, spread);
        Ok(home)
    }

    fn close(&mut self, room: RoomId) -> Way {
        let Some(spread) = self.rooms.remove(&room) else {
            // Closing what is not there is done by any.
            return Way::To(0);
        };
        for worker in &spread.workers {
            self.parts[*worker] -= 1;
        }
        spread.all()
    }

    fn peer_way(&mut self, room: RoomId, peer: PeerId) -> Result<Way, MediaError> {
        let Self {
            bounds,
            rooms,
            parts,
        } = self;
        let spread = rooms.get_mut(&room).ok_or(MediaError::NoRoom)?;
        if let Some(worker) = spread.peers.get(&peer) {
            return Ok(Way::To(*worker));
        }
        if spread.peers.len() >= bounds.peers_per_room_max {
            return Err(MediaError::Limit("peers in a room"));
        }
        let worker = spread.place(bounds.room_peers_per_worker_max, parts);
        spread.peers.insert(peer, worker);
        if spread.workers.contains(&worker) {
            return Ok(Way::To(worker));
        }
        let others = spread.workers.clone();
        spread.workers.push(worker);
        parts[worker] += 1;
        Ok(Way::ToNew(worker, others))
    }

    /// Forgets a peer. Returns its worker if that has no part in the room any more.
    fn remove(&mut self, room: RoomId, peer: PeerId) -> Option<usize> {
        let spread = self.rooms.get_mut(&room)?;
        let worker = spread.peers.remove(&peer)?;
        if worker == spread.home() || spread.count(worker) > 0 {
            return None;
        }
        spread.workers.retain(|other| *other != worker);
        self.parts[worker] -= 1;
        Some(worker)
    }
}

impl Spread {
    fn home(&self) -> usize {
        self.workers.first().copied().unwrap_or(0)
    }

    fn all(&self) -> Way {
        match self.workers[..] {
            [only] => Way::To(only),
            _ => Way::ToAll(self.workers.clone()),
        }
    }

    fn count(&self, worker: usize) -> usize {
        let of = self.peers.values().filter(|other| **other == worker);
        of.count()
    }

    /// Who is not known is looked for at home, which says so.
    fn worker_of(&self, peer: PeerId) -> usize {
        let worker = self.peers.get(&peer).copied();
        worker.unwrap_or_else(|| self.home())
    }

    /// The worker for another peer: one that has the room and is not full, then the emptiest of those that have not,
    /// and when all are full, the one with the fewest peers of the room.
    fn place(&self, peers_max: usize, parts: &[usize]) -> usize {
        let mut here = self.workers.iter().copied();
        if let Some(worker) = here.find(|worker| self.count(*worker) < peers_max) {
            return worker;
        }
        let others = (0..parts.len()).filter(|worker| !self.workers.contains(worker));
        let fewest = self.workers.iter().copied();
        others
            .min_by_key(|worker| parts[*worker])
            .or_else(|| fewest.min_by_key(|worker| self.count(*worker)))
            .unwrap_or_else(|| self.home())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(workers: usize, room_peers_per_worker_max: usize) -> Placement {
        let bounds = Bounds {
            rooms_max: 3,
            peers_per_room_max: 7,
            room_peers_per_worker_max,
        };
        Placement::new(workers, bounds)
    }

    const fn room(number: u8) -> RoomId {
        RoomId([number; 16])
    }

    const fn create(number: u8) -> MediaCommand {
        MediaCommand::CreateRoom { room: room(number) }
    }

    const fn ask(number: u8) -> MediaCommand {
        MediaCommand::Statistics { room: room(number) }
    }

    const fn peer(number: u8) -> PeerId {
        PeerId([number; 16])
    }

    const fn offer(number: u8) -> MediaCommand {
        MediaCommand::Negotiate {
            room: room(1),
            peer: peer(number),
            offer: String::new(),
            publish: Vec::new(),
            subscribe: Vec::new(),
        }
    }

    const fn remove(number: u8) -> MediaCommand {
        MediaCommand::RemovePeer {
            room: room(1),
            peer: peer(number),
        }
    }

    #[test]
    fn rooms_are_spread_evenly_found_again_and_bounded() {
        let mut placement = placement(2, 7);
        assert_eq!(placement.way(&create(1)), Ok(Way::To(0)));
        assert_eq!(placement.way(&create(2)), Ok(Way::To(1)));
        let again = placement.way(&create(1));
        assert_eq!(again, Ok(Way::To(0)), "again is no second room");
        assert_eq!(placement.way(&create(3)), Ok(Way::To(0)));
        let full = placement.way(&create(4));
        assert_eq!(full, Err(MediaError::Limit("rooms")));
        assert_eq!(placement.way(&ask(2)), Ok(Way::To(1)));
        assert_eq!(placement.way(&ask(4)), Err(MediaError::NoRoom));
        let close = MediaCommand::CloseRoom { room: room(2) };
        assert_eq!(placement.way(&close), Ok(Way::To(1)));
        assert_eq!(placement.way(&create(4)), Ok(Way::To(1)));
    }

    #[test]
    fn a_room_stays_home_until_it_is_too_big_and_comes_back() {
        let mut placement = placement(3, 2);
        placement.way(&create(1)).unwrap();
        let mut go = |command| placement.way(&command).unwrap();
        assert_eq!([go(offer(1)), go(offer(2))], [Way::To(0), Way::To(0)]);
        assert_eq!(go(offer(3)), Way::ToNew(1, vec![0]));
        assert_eq!([go(offer(4)), go(offer(1))], [Way::To(1), Way::To(0)]);
        assert_eq!(go(offer(5)), Way::ToNew(2, vec![0, 1]));
        assert_eq!([go(offer(6)), go(offer(7))], [Way::To(2), Way::To(0)]);
        assert_eq!(go(ask(1)), Way::ToAll(vec![0, 1, 2]));
        assert_eq!([go(remove(3)), go(remove(4))], [Way::To(1), Way::ToLast(1)]);
        assert_eq!(go(remove(4)), Way::To(0), "it is gone");
        assert_eq!(go(ask(1)), Way::ToAll(vec![0, 2]));
        for number in [1, 2, 7] {
            assert_eq!(go(remove(number)), Way::To(0), "home has it to the end");
        }
        let close = MediaCommand::CloseRoom { room: room(1) };
        assert_eq!(go(close), Way::ToAll(vec![0, 2]));
        assert_eq!(placement.parts, [0, 0, 0]);
    }

    #[test]
    fn peers_of_a_room_are_bounded_wherever_they_are() {
        let mut placement = placement(2, 2);
        placement.way(&create(1)).unwrap();
        (1..=7).for_each(|number| drop(placement.way(&offer(number)).unwrap()));
        let eighth = placement.way(&offer(8));
        assert_eq!(eighth, Err(MediaError::Limit("peers in a room")));
        // One that was refused by its worker leaves its place.
        let at_home = placement.rooms[&room(1)].peers[&peer(7)];
        placement.lose(Loss::Peer(room(1), peer(7), at_home + 1));
        assert!(
            placement.way(&offer(8)).is_err(),
            "another worker's late word"
        );
        let lost = placement.lose(Loss::Peer(room(1), peer(7), at_home));
        assert_eq!(lost, (room(1), Vec::new()));
        assert!(placement.way(&offer(8)).is_ok());
    }

    #[test]
    fn a_room_that_failed_on_one_worker_ends_on_the_others_and_begins_anew_at_home() {
        let mut placement = placement(3, 1);
        placement.way(&create(1)).unwrap();
        (1..=3).for_each(|number| drop(placement.way(&offer(number)).unwrap()));
        let lost = placement.lose(Loss::Room(room(1), 1));
        assert_eq!(lost, (room(1), vec![0, 2]));
        assert_eq!(placement.parts, [1, 0, 0]);
        assert_eq!(placement.way(&create(1)), Ok(Way::To(0)));
        assert_eq!(placement.way(&offer(3)), Ok(Way::To(0)));
        assert_eq!(placement.way(&ask(1)), Ok(Way::To(0)));
    }
}
