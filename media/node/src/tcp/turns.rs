//! The worker's turns with its connections: beside its datagrams, and under the same rules.

use std::io;
use std::time::Instant;

use super::Connections;
use crate::worker::Worker;

impl Worker {
    pub(crate) fn register_connections(&mut self) -> io::Result<()> {
        self.connections.register(self.poll.registry())
    }

    /// Lets clients in, takes what they sent into the engine, and closes who must go.
    pub(crate) fn take_connections(&mut self, now: Instant) {
        if !self.connections.wants_turn(now) {
            return;
        }
        // Taken out for the time, since a step of the engine needs the whole worker.
        let mut connections = std::mem::take(&mut self.connections);
        connections.accept(now, self.poll.registry());
        self.tell_of_ends(now, &mut connections);
        connections.receive(now, |(local, remote), packet| {
            let mut known = false;
            self.guarded(|engine| known = engine.handle_framed(now, local, remote, packet));
            known
        });
        self.tell_of_ends(now, &mut connections);
        connections.tend(now, |(local, remote)| {
            self.engine.knows_connection(local, remote)
        });
        self.tell_of_ends(now, &mut connections);
        self.connections = connections;
    }

    fn tell_of_ends(&mut self, now: Instant, connections: &mut Connections) {
        while let Some((local, remote)) = connections.next_gone() {
            self.guarded(|engine| engine.handle_disconnect(now, local, remote));
        }
    }

    /// Writes what the engine wanted sent.
    pub(crate) fn flush_connections(&mut self) {
        if self.connections.wants_flush() {
            self.connections.flush(Instant::now());
        }
    }
}
