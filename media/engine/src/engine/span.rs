//! What an engine does with rooms of which others have parts.

use std::time::Instant;

use homeline_protocol::id::{PeerId, RoomId};

use super::Engine;
use crate::room::Room;
use crate::span::{EngineId, Header, RoomNews};

impl Engine {
    /// Knows from now on that other engines have parts of a room, and has one itself, if it is not the whole room's.
    /// The others need not be told: they hear of it by its news.
    pub fn extend_room(&mut self, now: Instant, room: RoomId, with: &[EngineId]) {
        self.now = now;
        if !self.rooms.contains_key(&room) {
            let part = Room::new(room, false, self.next_run());
            self.rooms.insert(room, part);
        }
        let extended = self.in_room(room, |room, context, _| room.extend(context, with));
        debug_assert!(extended.is_ok(), "it is there");
    }

    /// Whether all parts of a room that this engine knows of have told it of themselves. True when it has no part.
    pub fn is_whole(&self, room: RoomId) -> bool {
        self.rooms.get(&room).is_none_or(Room::is_whole)
    }

    /// Whether a peer of a room is here.
    pub fn has_peer(&self, room: RoomId, peer: PeerId) -> bool {
        self.find_peer(room, peer).is_ok()
    }

    /// Takes another engine's [`Output::News`](crate::Output::News).
    pub fn handle_news(&mut self, now: Instant, from: EngineId, news: RoomNews) {
        self.now = now;
        self.write_all_queued();
        // Of a room that is no more here: its end was told.
        let heard = self.in_room(news.room(), |room, context, _| {
            room.hear_news(context, from, news);
        });
        drop(heard);
    }

    /// Takes another engine's [`Output::Message`](crate::Output::Message). As with datagrams, several may be taken before draining.
    pub fn handle_message(&mut self, now: Instant, from: EngineId, message: &[u8]) {
        self.now = now;
        let Some((header, body)) = Header::parse(message) else {
            debug_assert!(false, "engines write messages that they can read");
            return;
        };
        let handled = self.in_room(header.room, |room, context, _| {
            let was_queued = room.is_queued();
            let copies = room.hear_message(context, from, &header, body);
            (was_queued, copies)
        });
        if let Ok((was_queued, copies)) = handled {
            self.note_queued(header.room, was_queued, copies);
        }
    }
}
