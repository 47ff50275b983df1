//! What arrives: brought to its peer by the path that it came along, and checks of paths by the name in them.

use std::net::SocketAddr;
use std::time::Instant;

use rand::Rng as _;

use super::{Engine, Route};
use crate::counters::DropReason;
use crate::rebinding::stream_of;
use crate::transport::{Path, Protocol};
use crate::wire::demux::{PacketKind, classify};
use crate::wire::ids::Ssrc;
use crate::wire::stun::{Class, StunMessage, TransactionId};

impl Engine {
    /// Takes a datagram that arrived at `local` from `remote`. Its bytes are opened where they lie.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        datagram: &mut [u8],
    ) {
        self.handle_packet(now, Path::new(local, remote), datagram);
    }

    /// Takes a packet that arrived in the TCP connection between two addresses. Returns whether a peer has
    /// checked the connection, with this packet or before.
    pub fn handle_framed(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        packet: &mut [u8],
    ) -> bool {
        let path = Path::over(Protocol::Tcp, local, remote);
        self.handle_packet(now, path, packet);
        self.by_path.contains_key(&path)
    }

    /// Whether the TCP connection between two addresses is a peer's.
    pub fn knows_connection(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let path = Path::over(Protocol::Tcp, local, remote);
        self.by_path.contains_key(&path)
    }

    /// The TCP connection between two addresses is gone. Its peer goes on along another path, if it has one.
    pub fn handle_disconnect(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr) {
        self.now = now;
        let path = Path::over(Protocol::Tcp, local, remote);
        if let Some(Route { room, peer }) = self.by_path.remove(&path) {
            let lost = self.in_room(room, |room, context, _| {
                room.lose_path(context, peer, path);
            });
            debug_assert!(lost.is_ok(), "routes go with their rooms");
        }
    }

    fn handle_packet(&mut self, now: Instant, path: Path, datagram: &mut [u8]) {
        self.now = now;
        self.counters.datagrams_in += 1;
        self.counters.bytes_in += datagram.len() as u64;
        let kind = classify(datagram);
        if kind == PacketKind::Stun {
            self.handle_stun(path, datagram);
            return;
        }
        if kind == PacketKind::Unknown {
            self.counters.drop(DropReason::UnknownProtocol);
            return;
        }
        let Some(Route { room, peer }) = self.by_path.get(&path).copied() else {
            self.counters.drop(DropReason::UnknownPath);
            self.seek_sender(path, kind, datagram);
            return;
        };
        let handled = self.in_room(room, |room, context, _| {
            let was_queued = room.is_queued();
            match kind {
                PacketKind::Rtp => return (was_queued, room.handle_rtp(context, peer, datagram)),
                PacketKind::Rtcp => room.handle_rtcp(context, peer, datagram),
                _ => room.handle_dtls(context, peer, path, datagram),
            }
            (was_queued, 0)
        });
        debug_assert!(handled.is_ok(), "routes go with their rooms");
        if let Ok((was_queued, copies)) = handled {
            self.note_queued(room, was_queued, copies);
        }
    }

    /// Somebody sends from an address that no check has introduced: a peer that is missing elsewhere is asked whether
    /// it is there.
    fn seek_sender(&mut self, path: Path, kind: PacketKind, datagram: &[u8]) {
        let is_rtcp = match kind {
            PacketKind::Rtp => false,
            PacketKind::Rtcp => true,
            _ => return,
        };
        let now = self.now;
        let Some(ssrc) = stream_of(datagram, is_rtcp).map(Ssrc) else {
            return;
        };
        if !self.rebindings.may_search(now, path) {
            return;
        }
        let mut rooms = self.rooms.iter();
        let found = rooms.find_map(|(room, peers)| Some((*room, peers.missing_sender(now, ssrc)?)));
        let Some((room, peer)) = found else {
            return;
        };
        let transaction = TransactionId(self.rng.random());
        let asked = self.in_room(room, |room, context, _| {
            room.ask_at(context, peer, path, transaction);
        });
        debug_assert!(asked.is_ok(), "the room was found");
        let whom = Route { room, peer };
        self.rebindings.note(now, transaction, path, whom);
    }

    fn handle_stun(&mut self, path: Path, datagram: &[u8]) {
        let Ok(message) = StunMessage::parse(datagram) else {
            self.counters.drop(DropReason::StunMalformed);
            return;
        };
        if message.class() == Class::Success {
            self.handle_answer(path, &message);
            return;
        }
        let ufrag = message.ufrags().map(|(ours, _)| ours);
        let Some(Route { room, peer }) = ufrag.and_then(|ufrag| self.by_ufrag.get(ufrag).copied())
        else {
            let reason = if ufrag.is_some() {
                DropReason::StunUnknownUser
            } else {
                DropReason::StunUnexpected
            };
            self.counters.drop(reason);
            return;
        };
        let handled = self.in_room(room, |room, context, changes| {
            room.handle_check(context, peer, path, &message, changes);
            changes.added_path.take()
        });
        if let Ok(Some(added)) = handled {
            self.by_path.insert(added, Route { room, peer });
        }
    }

    /// Takes the answer to a question of ours.
    fn handle_answer(&mut self, path: Path, answer: &StunMessage<'_>) {
        let asked = self
            .rebindings
            .answered(self.now, answer.transaction(), path);
        let Some(route) = asked else {
            self.counters.drop(DropReason::StunUnexpected);
            return;
        };
        let handled = self.in_room(route.room, |room, context, changes| {
            room.handle_answer(context, route.peer, path, answer, changes);
            changes.added_path.take()
        });
        if let Ok(Some(added)) = handled {
            self.by_path.insert(added, route);
        }
    }
}
