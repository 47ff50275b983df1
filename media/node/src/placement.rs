//! On which workers a room and its peers are.
//!
//! A room begins on one worker, its home: where the fewest rooms are and the core is the least busy. It stays there
//! until more peers are in it than one worker should carry, or the core is nearly used up. Further peers are placed on
//! other workers, each of which then has a part of the room, until its last peer goes. Nobody is moved.

use std::collections::HashMap;

use homeline_protocol::id::{PeerId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaError};

use crate::orders::Loss;
use crate::pulse::Load;

/// A worker that uses so much of its core gets no further peers while another uses less: a fifth is left for what
/// those who are there will send and for the peaks between two readings.
const STRAINED_PERMILLE: u16 = 800;

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
    workers: Workers,
}

/// How the workers stand.
struct Workers {
    /// Rooms, or parts of them, on each.
    parts: Vec<usize>,
    loads: Vec<Load>,
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
            workers: Workers {
                parts: vec![0; workers],
                loads: vec![Load::default(); workers],
            },
        }
    }

    /// How the workers stand now, in their order.
    pub(crate) fn note_loads(&mut self, loads: impl Iterator<Item = Load>) {
        self.workers.loads.clear();
        self.workers.loads.extend(loads);
    }

    /// The way of a command, which is carried out then. A worker for which too much waits gets none but those that end
    /// something.
    pub(crate) fn way(&mut self, command: &MediaCommand) -> Result<Way, MediaError> {
        match command {
            MediaCommand::CreateRoom { room } => self.create(*room),
            MediaCommand::CloseRoom { room } => self.close(*room),
            MediaCommand::Negotiate { room, peer, .. } => self.peer_way(*room, *peer),
            MediaCommand::RemovePeer { room, peer } => {
                let spread = self.rooms.get(room).ok_or(MediaError::NoRoom)?;
                let to = spread.worker_of(*peer);
                if !spread.peers.contains_key(peer) {
                    return self.workers.to(to);
                }
                Ok(match self.remove(*room, *peer) {
                    Some(_) => Way::ToLast(to),
                    None => Way::To(to),
                })
            }
            MediaCommand::SetForwarding { room, peer, .. }
            | MediaCommand::SetView { room, peer, .. } => {
                let spread = self.rooms.get(room).ok_or(MediaError::NoRoom)?;
                self.workers.to(spread.worker_of(*peer))
            }
            MediaCommand::SetTrackForwarding { room, .. }
            | MediaCommand::RequestKeyFrames { room }
            | MediaCommand::Statistics { room } => {
                let spread = self.rooms.get(room).ok_or(MediaError::NoRoom)?;
                if spread.workers.iter().any(|at| self.workers.is_full(*at)) {
                    return Err(MediaError::Gone);
                }
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
                    self.workers.parts[worker] -= 1;
                }
                (room, rest)
            }
        }
    }

    fn create(&mut self, room: RoomId) -> Result<Way, MediaError> {
        if let Some(spread) = self.rooms.get(&room) {
            return self.workers.to(spread.home());
        }
        if self.rooms.len() >= self.bounds.rooms_max {
            return Err(MediaError::Limit("rooms"));
        }
        let all = 0..self.workers.parts.len();
        let home = self.workers.best_of(all).ok_or(MediaError::Gone)?;
        self.workers.parts[home] += 1;
        let spread = Spread {
            workers: vec![home],
            peers: HashMap::new(),
        };
        self.rooms.insert(room, spread);
        Ok(Way::To(home))
    }

    fn close(&mut self, room: RoomId) -> Result<Way, MediaError> {
        let Some(spread) = self.rooms.remove(&room) else {
            // Closing what is not there is done by any.
            let any = self.workers.best_of(0..self.workers.parts.len());
            return any.map(Way::To).ok_or(MediaError::Gone);
        };
        for worker in &spread.workers {
            self.workers.parts[*worker] -= 1;
        }
        Ok(spread.all())
    }

    fn peer_way(&mut self, room: RoomId, peer: PeerId) -> Result<Way, MediaError> {
        let Self {
            bounds,
            rooms,
            workers,
        } = self;
        let spread = rooms.get_mut(&room).ok_or(MediaError::NoRoom)?;
        if let Some(worker) = spread.peers.get(&peer) {
            return workers.to(*worker);
        }
        if spread.peers.len() >= bounds.peers_per_room_max {
            return Err(MediaError::Limit("peers in a room"));
        }
        let placed = spread.place(bounds.room_peers_per_worker_max, workers);
        let worker = placed.ok_or(MediaError::Gone)?;
        spread.peers.insert(peer, worker);
        if spread.workers.contains(&worker) {
            return Ok(Way::To(worker));
        }
        let others = spread.workers.clone();
        spread.workers.push(worker);
        workers.parts[worker] += 1;
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
        self.workers.parts[worker] -= 1;
        Some(worker)
    }
}

impl Workers {
    fn to(&self, worker: usize) -> Result<Way, MediaError> {
        if self.is_full(worker) {
            return Err(MediaError::Gone);
        }
        Ok(Way::To(worker))
    }

    fn is_full(&self, worker: usize) -> bool {
        self.loads[worker].full
    }

    /// Whether it can well carry more.
    fn has_strength(&self, worker: usize) -> bool {
        let load = self.loads[worker];
        !load.full && !load.silent && load.busy_permille < STRAINED_PERMILLE
    }

    /// The best for something new: one that answers, and of those the one whose share of all rooms and share of its
    /// core make the least together. Rooms count beside the load because a new one shows what it takes only later.
    fn best_of(&self, workers: impl Iterator<Item = usize>) -> Option<usize> {
        let all = self.parts.iter().sum::<usize>() as u64;
        let open = workers.filter(|worker| !self.is_full(*worker));
        open.min_by_key(|worker| {
            let load = self.loads[*worker];
            let busy = u64::from(load.busy_permille);
            let carried = self.parts[*worker] as u64 * 1_000 + busy * all;
            (load.silent, carried, busy)
        })
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

    /// The worker for another peer: one that has the room, not too many of its peers, and strength left; then the best
    /// of the others that has. Where nobody has strength left the room stays together as far as the number of its peers
    /// allows, then goes to any other, and at last to where the fewest of its peers are.
    fn place(&self, peers_max: usize, workers: &Workers) -> Option<usize> {
        let here = || self.workers.iter().copied();
        let few = |worker: &usize| self.count(*worker) < peers_max;
        let strong = |worker: &usize| workers.has_strength(*worker);
        let others = || (0..workers.parts.len()).filter(|worker| !self.workers.contains(worker));
        let open = |worker: &usize| !workers.is_full(*worker);
        let answers = |worker: &usize| !workers.loads[*worker].silent;
        here()
            .find(|worker| few(worker) && strong(worker))
            .or_else(|| workers.best_of(others().filter(strong)))
            .or_else(|| here().find(|worker| few(worker) && open(worker) && answers(worker)))
            .or_else(|| workers.best_of(others()))
            .or_else(|| here().filter(open).min_by_key(|worker| self.count(*worker)))
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
        assert_eq!(placement.workers.parts, [0, 0, 0]);
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
        assert_eq!(placement.workers.parts, [1, 0, 0]);
        assert_eq!(placement.way(&create(1)), Ok(Way::To(0)));
        assert_eq!(placement.way(&offer(3)), Ok(Way::To(0)));
        assert_eq!(placement.way(&ask(1)), Ok(Way::To(0)));
    }

    fn busy(permille: [u16; 3]) -> impl Iterator<Item = Load> {
        permille.into_iter().map(|busy_permille| Load {
            busy_permille,
            ..Load::default()
        })
    }

    #[test]
    fn a_new_room_goes_where_rooms_and_load_together_are_least() {
        let bounds = Bounds {
            rooms_max: 100,
            ..placement(3, 7).bounds
        };
        let mut placement = Placement::new(3, bounds);
        let go = |placement: &mut Placement, number| match placement.way(&create(number)) {
            Ok(Way::To(at)) => at,
            other => panic!("{other:?}"),
        };
        let idle: Vec<_> = (1..=6).map(|number| go(&mut placement, number)).collect();
        assert_eq!(idle, [0, 1, 2, 0, 1, 2], "without load the rooms count");
        placement.note_loads(busy([700, 650, 50]));
        let placed: Vec<_> = (7..=30).map(|number| go(&mut placement, number)).collect();
        let on = |worker| placed.iter().filter(|at| **at == worker).count();
        assert_eq!(placed[..4], [2; 4], "first where the load is least");
        assert!(on(2) <= 20 && on(0) > 0 && on(1) >= on(0), "{placed:?}");
    }

    #[test]
    fn a_room_spreads_when_its_core_is_nearly_used_up_and_another_is_not() {
        let mut placement = placement(3, 7);
        placement.way(&create(1)).unwrap();
        placement.note_loads(busy([STRAINED_PERMILLE - 1, 0, 0]));
        assert_eq!(placement.way(&offer(1)), Ok(Way::To(0)));
        placement.note_loads(busy([STRAINED_PERMILLE, 300, 200]));
        assert_eq!(placement.way(&offer(2)), Ok(Way::ToNew(2, vec![0])));
        assert_eq!(placement.way(&offer(3)), Ok(Way::To(2)));
        assert_eq!(placement.way(&offer(1)), Ok(Way::To(0)), "nobody is moved");
        placement.note_loads(busy([100, 300, 200]));
        assert_eq!(placement.way(&offer(4)), Ok(Way::To(0)));
        // When all are strained, another part would only cost more.
        placement.note_loads(busy([950, 900, 900]));
        assert_eq!(placement.way(&offer(5)), Ok(Way::To(0)));
    }

    #[test]
    fn a_worker_that_hangs_gets_nothing_new_and_in_the_end_only_what_ends_something() {
        let mut placement = placement(2, 1);
        placement.way(&create(1)).unwrap();
        placement.way(&create(2)).unwrap();
        assert_eq!(placement.way(&offer(1)), Ok(Way::To(0)));
        let silent = Load {
            silent: true,
            ..Load::default()
        };
        placement.note_loads([silent, Load::default()].into_iter());
        assert_eq!(placement.way(&create(3)), Ok(Way::To(1)));
        assert_eq!(placement.way(&offer(2)), Ok(Way::ToNew(1, vec![0])));
        placement.way(&remove(2)).unwrap();
        let strained = Load {
            busy_permille: 850,
            ..Load::default()
        };
        let mut wide = Placement::new(2, placement.bounds);
        wide.bounds.room_peers_per_worker_max = 7;
        wide.way(&create(1)).unwrap();
        wide.way(&offer(1)).unwrap();
        wide.note_loads([silent, strained].into_iter());
        let rather_there = wide.way(&offer(2));
        assert_eq!(rather_there, Ok(Way::ToNew(1, vec![0])));
        placement.way(&offer(2)).unwrap();
        let full = Load {
            full: true,
            ..silent
        };
        placement.note_loads([full, Load::default()].into_iter());
        let gone = Err(MediaError::Gone);
        assert_eq!(placement.way(&ask(1)), gone);
        assert_eq!(placement.way(&offer(1)), gone);
        assert_eq!(placement.way(&remove(9)), gone, "nobody's end");
        assert_eq!(placement.way(&ask(2)), Ok(Way::To(1)));
        assert_eq!(
            placement.way(&offer(3)),
            Ok(Way::To(1)),
            "although it has one"
        );
        assert_eq!(placement.way(&remove(1)), Ok(Way::To(0)));
        let close = MediaCommand::CloseRoom { room: room(9) };
        assert_eq!(placement.way(&close), Ok(Way::To(1)));
        let close = MediaCommand::CloseRoom { room: room(1) };
        assert_eq!(placement.way(&close), Ok(Way::ToAll(vec![0, 1])));
        placement.note_loads([full, full].into_iter());
        assert_eq!(placement.way(&create(4)), gone);
    }
}
