//! Packets of nothing but padding, which fill a probe up to its rate.

use std::time::Duration;

use super::super::commands::{Context, Room};
use super::super::outflow::{HEADER_GROWTH_MAX, mid_element};
use super::super::peer::Peer;
use super::super::slots::PeerSlot;
use super::super::subscription::Subscription;
use crate::wire::forward::{Rewrite, SEAL_ROOM, write_padding};

/// How often a probe is filled up: several times in its course.
const PROBE_TICK: Duration = Duration::from_millis(5);
/// Padding of one packet: what the last byte can say, in whole words.
const PADDING_MAX: u8 = 252;

impl Room {
    /// Fills a probe up to its rate with packets of nothing but padding.
    pub(super) fn pad_probe(&mut self, context: &mut Context<'_>, slot: PeerSlot) {
        let Self { peers, tracks, .. } = self;
        let Some(peer) = peers.get_mut(slot.0) else {
            return;
        };
        let mut due = 0;
        if let Some(path) = peer.path.as_mut()
            && let Some(estimator) = &path.estimator
        {
            due = estimator.padding_due(context.now);
            let probes = estimator.probe_rate().is_some();
            path.probe_due = probes.then(|| context.now + PROBE_TICK);
        }
        // Without numbers nothing that leaves counts for the probe, which would never be full.
        if due == 0 || peer.transport_id.is_none() {
            return;
        }
        let own = tracks.iter_mut().find_map(|(_, track)| {
            let mut own = track.subscriptions.iter_mut();
            own.find(|s| s.peer == slot && s.can_repair())
        });
        let Some(own) = own else { return };
        while due > 0 {
            let Some(len) = send_padding(context, peer, own) else {
                return;
            };
            due = due.saturating_sub(len);
        }
    }
}

fn send_padding(
    context: &mut Context<'_>,
    peer: &mut Peer,
    own: &mut Subscription,
) -> Option<usize> {
    let (payload_type, ssrc) = own.codec.as_ref()?.rtx.zip(own.rtx_ssrc)?;
    let sequence = own.next_rtx_sequence();
    let transport_sequence = peer.next_transport_sequence();
    let mid = mid_element(own);
    let rewrite = Rewrite {
        payload_type,
        sequence,
        timestamp: 0,
        ssrc,
        marker: None,
        extensions: &own.extensions,
        insert: mid.as_slice(),
        transport_sequence,
        frame_number: None,
        padding: PADDING_MAX,
    };
    let room = usize::from(PADDING_MAX) + 12 + HEADER_GROWTH_MAX + SEAL_ROOM;
    context.outbox.expendable(true);
    let len = peer.connection.send_rtp(context.outbox, room, |buffer| {
        write_padding(&rewrite, buffer).ok()
    })?;
    peer.note_sent(context.now, transport_sequence, len);
    context.counters.padding_sent += 1;
    Some(len)
}
