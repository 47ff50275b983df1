//! Rooms of which this worker has just got a part: their commands wait here until the parts know of each other.
//!
//! Without that all works as well, but a receiver that comes first does not learn which sound belongs to which
//! picture. So nothing waits for long, and nothing else waits at all.

use std::time::{Duration, Instant};

use homeline_protocol::id::RoomId;
use homeline_protocol::media_control::MediaCommand;

use crate::orders::{ReplyTo, room_of};

/// How long the commands of a room wait for its parts to know of each other.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Commands of one room that wait; with so many they wait no longer.
const WAITING_MAX: usize = 64;

type Waiting = Vec<(MediaCommand, ReplyTo)>;

/// See the module's description.
#[derive(Default)]
pub(crate) struct Extending(Vec<Part>);

struct Part {
    room: RoomId,
    until: Instant,
    waiting: Waiting,
}

impl Extending {
    /// A room gets a part here.
    pub(crate) fn begin(&mut self, now: Instant, room: RoomId) {
        let (until, waiting) = (now + WHOLE_TIMEOUT, Vec::new());
        self.0.push(Part {
            room,
            until,
            waiting,
        });
    }

    /// Keeps a command of a room that waits, behind those before it; gives back any other.
    pub(crate) fn keep(
        &mut self,
        command: MediaCommand,
        reply: ReplyTo,
    ) -> Option<(MediaCommand, ReplyTo)> {
        let room = room_of(&command);
        let Some(part) = self.0.iter_mut().find(|part| part.room == room) else {
            return Some((command, reply));
        };
        part.waiting.push((command, reply));
        None
    }

    /// When the next room will have waited long enough.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.0.iter().map(|part| part.until).min()
    }

    /// Ends the waiting of a room.
    pub(crate) fn end(&mut self, room: RoomId) -> Waiting {
        self.end_those(|part| part.room == room)
    }

    /// Ends the waiting of all rooms that are whole, and of those that have waited long enough.
    pub(crate) fn end_all(&mut self, now: Instant, is_whole: impl Fn(RoomId) -> bool) -> Waiting {
        self.end_those(|part| {
            if is_whole(part.room) {
                return true;
            }
            let enough = part.until <= now || part.waiting.len() >= WAITING_MAX;
            if enough {
                tracing::warn!(room = %part.room, "the parts of a room know each other late");
            }
            enough
        })
    }

    fn end_those(&mut self, mut ends: impl FnMut(&Part) -> bool) -> Waiting {
        let mut ended = Vec::new();
        self.0.retain_mut(|part| {
            let ends = ends(part);
            if ends {
                ended.append(&mut part.waiting);
            }
            !ends
        });
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ask(room: u8) -> MediaCommand {
        let room = RoomId([room; 16]);
        MediaCommand::Statistics { room }
    }

    fn commands(waiting: Waiting) -> Vec<MediaCommand> {
        waiting.into_iter().map(|(command, _)| command).collect()
    }

    #[test]
    fn only_the_commands_of_a_room_that_is_not_whole_wait_and_in_order() {
        let (now, room) = (Instant::now(), RoomId([1; 16]));
        let mut extending = Extending::default();
        extending.begin(now, room);
        assert!(extending.keep(ask(2), ReplyTo::Nobody).is_some());
        let remove = MediaCommand::CloseRoom { room };
        for command in [ask(1), remove.clone()] {
            assert!(extending.keep(command, ReplyTo::Nobody).is_none());
        }
        assert!(extending.end_all(now, |_| false).is_empty());
        let ended = extending.end_all(now, |whole| whole == room);
        assert_eq!(commands(ended), [ask(1), remove]);
        assert!(extending.keep(ask(1), ReplyTo::Nobody).is_some());
        assert_eq!(extending.wake_at(), None);
    }

    #[test]
    fn nothing_waits_for_long_and_not_too_many() {
        let (now, room) = (Instant::now(), RoomId([1; 16]));
        let mut extending = Extending::default();
        extending.begin(now, room);
        extending.keep(ask(1), ReplyTo::Nobody);
        let until = extending.wake_at().unwrap();
        assert_eq!(until - now, WHOLE_TIMEOUT);
        assert_eq!(commands(extending.end_all(until, |_| false)), [ask(1)]);
        extending.begin(now, room);
        (0..WAITING_MAX).for_each(|_| drop(extending.keep(ask(1), ReplyTo::Nobody)));
        let ended = extending.end_all(now, |_| false);
        assert_eq!(ended.len(), WAITING_MAX);
        extending.begin(now, room);
        extending.keep(ask(1), ReplyTo::Nobody);
        assert_eq!(commands(extending.end(room)), [ask(1)]);
    }
}
