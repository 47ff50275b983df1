//! Who takes part, with which ids, and in which order they come.

use homeline_protocol::id::{PeerId, RoomId, TrackId};

use crate::shape::{Member, Shape};

/// One participant.
#[derive(Clone, Debug)]
pub struct Participant {
    /// Its room.
    pub room: RoomId,
    /// Itself.
    pub peer: PeerId,
    /// Its place in the room.
    pub at: usize,
    /// What it sends and receives.
    pub member: Member,
}

/// Everybody, in the order in which they come: room by room, so that each step of the population holds whole
/// rooms as far as possible.
pub fn participants(shape: &Shape, seed: u64) -> Vec<Participant> {
    let rooms = shape.rooms.iter().enumerate();
    rooms
        .flat_map(|(room, members)| {
            members
                .iter()
                .enumerate()
                .map(move |(at, member)| Participant {
                    room: room_id(seed, room),
                    peer: peer_id(at),
                    at,
                    member: member.clone(),
                })
        })
        .collect()
}

/// The rooms.
pub fn rooms(shape: &Shape, seed: u64) -> Vec<RoomId> {
    (0..shape.rooms.len())
        .map(|room| room_id(seed, room))
        .collect()
}

/// Rooms of two runs against one node must differ.
fn room_id(seed: u64, room: usize) -> RoomId {
    RoomId(id(
        seed ^ u64::from(std::process::id()).rotate_left(32),
        room as u64,
    ))
}

fn peer_id(at: usize) -> PeerId {
    PeerId(id(1, at as u64))
}

/// A member's track, in the order in which it sends them.
pub fn track_id(member: usize, track: usize) -> TrackId {
    TrackId(id(2 + track as u64, member as u64))
}

fn id(high: u64, low: u64) -> [u8; 16] {
    ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
}

/// The sizes of the population at the ends of `steps` steps, rising to `all`.
pub fn population_steps(all: usize, steps: usize) -> Vec<usize> {
    let steps = steps.clamp(1, all.max(1));
    (1..=steps).map(|step| all * step / steps).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everybody_has_an_id_of_their_own_in_their_room() {
        let shape = Shape::pairs(3);
        let all = participants(&shape, 1);
        let ids: BTreeSet<_> = all.iter().map(|one| (one.room, one.peer)).collect();
        assert_eq!((ids.len(), rooms(&shape, 1).len()), (6, 3));
        assert_ne!(rooms(&shape, 1), rooms(&shape, 2));
        assert_ne!(track_id(0, 1), track_id(1, 0));
    }

    #[test]
    fn the_population_grows_in_even_steps_to_all() {
        assert_eq!(population_steps(10, 4), [2, 5, 7, 10]);
        assert_eq!(population_steps(2, 4), [1, 2]);
        assert_eq!(population_steps(1, 0), [1]);
    }
}
