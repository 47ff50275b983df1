//! Spreads rooms over workers, and brings each command to the worker that has its room.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use homeline_protocol::id::RoomId;
use homeline_protocol::media_control::{MediaCommand, MediaError};
use tokio::sync::mpsc;

use crate::link::MediaExchange;

/// A worker's door: its commands, and how it is woken.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) commands: SyncSender<MediaExchange>,
    pub(crate) waker: Arc<mio::Waker>,
    pub(crate) stopping: Arc<AtomicBool>,
}

impl Door {
    /// Wakes the worker to end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "a media thread can't be woken");
        }
    }
}

/// Where each room is.
pub(crate) struct Router {
    doors: Vec<Door>,
    /// Bounded by `rooms_max`; a room beyond it is refused.
    rooms: HashMap<RoomId, usize>,
    /// Rooms of each worker.
    counts: Vec<usize>,
    rooms_max: usize,
}

impl Router {
    pub(crate) fn new(doors: Vec<Door>, rooms_max: usize) -> Self {
        Self {
            counts: vec![0; doors.len()],
            doors,
            rooms: HashMap::new(),
            rooms_max,
        }
    }

    /// Runs until signaling is gone, then ends the workers.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<MediaExchange>) {
        while let Some((command, reply)) = commands.blocking_recv() {
            match self.place(&command) {
                // Whoever asked may have gone away meanwhile.
                Err(error) => drop(reply.send(Err(error))),
                Ok(worker) => {
                    let door = &self.doors[worker];
                    // A worker that is gone drops the reply, which says so.
                    if door.commands.send((command, reply)).is_ok() {
                        door.wake();
                    }
                }
            }
        }
        self.doors.iter().for_each(Door::stop);
    }

    /// The worker for a command: a new room goes where the fewest are.
    fn place(&mut self, command: &MediaCommand) -> Result<usize, MediaError> {
        let room = room_of(command);
        let known = self.rooms.get(&room).copied();
        match command {
            MediaCommand::CreateRoom { .. } if known.is_none() => {
                if self.rooms.len() >= self.rooms_max {
                    return Err(MediaError::Limit("rooms"));
                }
                let emptiest = (0..self.doors.len()).min_by_key(|at| self.counts[*at]);
                let worker = emptiest.ok_or(MediaError::Gone)?;
                self.rooms.insert(room, worker);
                self.counts[worker] += 1;
                Ok(worker)
            }
            MediaCommand::CloseRoom { .. } => {
                if let Some(worker) = self.rooms.remove(&room) {
                    self.counts[worker] -= 1;
                }
                // Closing what is not there is done by any.
                Ok(known.unwrap_or(0))
            }
            _ => known.ok_or(MediaError::NoRoom),
        }
    }
}

const fn room_of(command: &MediaCommand) -> RoomId {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn router(workers: usize, rooms_max: usize) -> Router {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap());
        let door = || Door {
            commands: std::sync::mpsc::sync_channel(1).0,
            waker: Arc::clone(&waker),
            stopping: Arc::default(),
        };
        Router::new(
            std::iter::repeat_with(door).take(workers).collect(),
            rooms_max,
        )
    }

    #[test]
    fn rooms_are_spread_evenly_found_again_and_bounded() {
        let mut router = router(2, 3);
        let room = |number| RoomId([number; 16]);
        let create = |number| MediaCommand::CreateRoom { room: room(number) };
        let ask = |number| MediaCommand::Statistics { room: room(number) };
        assert_eq!(router.place(&create(1)), Ok(0));
        assert_eq!(router.place(&create(2)), Ok(1));
        assert_eq!(router.place(&create(1)), Ok(0), "again is no second room");
        assert_eq!(router.place(&create(3)), Ok(0));
        assert_eq!(router.place(&create(4)), Err(MediaError::Limit("rooms")));
        assert_eq!(router.place(&ask(2)), Ok(1));
        assert_eq!(router.place(&ask(4)), Err(MediaError::NoRoom));
        assert_eq!(
            router.place(&MediaCommand::CloseRoom { room: room(2) }),
            Ok(1)
        );
        assert_eq!(router.place(&create(4)), Ok(1));
    }
}
