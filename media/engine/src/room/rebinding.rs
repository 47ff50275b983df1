//! A peer at a new address: found by a stream of its own, asked, and followed once it has answered.

use super::commands::{Context, Room, RouteChanges};
use super::slots::PeerSlot;
use crate::transport::Path;
use crate::wire::ids::Ssrc;
use crate::wire::stun::{StunMessage, TransactionId};
use std::time::Instant;

impl Room {
    /// The peer that sends this stream and was not heard of late where it should be.
    pub(crate) fn missing_sender(&self, now: Instant, ssrc: Ssrc) -> Option<PeerSlot> {
        let mut peers = self.peers.iter();
        peers
            .find(|(_, peer)| peer.connection.is_missing(now) && peer.incoming(ssrc).is_some())
            .map(|(at, _)| PeerSlot(at))
    }

    /// Asks whether the peer is there.
    pub(crate) fn ask_at(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        path: Path,
        transaction: TransactionId,
    ) {
        if let Some(peer) = self.peers.get_mut(slot.0) {
            peer.connection.ask_at(path, transaction, context.outbox);
        }
    }

    /// Takes an answer; media goes there from now on if it is genuine.
    pub(crate) fn handle_answer(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        path: Path,
        answer: &StunMessage<'_>,
        changes: &mut RouteChanges,
    ) {
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return;
        };
        match peer.connection.handle_answer(context.now, path, answer) {
            Err(reason) => self.count_drop(context, slot, reason),
            Ok((evicted, progress)) => {
                changes.added_path = Some(path);
                changes.removed_paths.extend(evicted);
                self.note_progress(context, slot, progress);
                self.wake_for(slot);
            }
        }
    }
}
