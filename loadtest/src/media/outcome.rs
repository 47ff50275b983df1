//! From what was measured to the parts of a result.

use homeline_protocol::media_http::TransitFigures;

use super::recorder::{Measured, Totals};
use super::watch;
use crate::result::model::Loss;
use crate::result::{Latency, Times};
use crate::shape::Shape;

/// The latencies of a run, the one that it is about first.
pub(super) fn latencies(
    measured: &Measured,
    (before, after): (&TransitFigures, &TransitFigures),
    joins: &Times,
) -> Vec<Latency> {
    let from = "From the moment at which a packet was meant to leave its sender until a receiver had \
         decrypted it, through the node and both ends' encryption.";
    let mut latencies = vec![
        measured
            .all()
            .latency("latency", "Packets, end to end", from),
    ];
    if measured.audio.count() > 0 && measured.video.count() > 0 {
        let sound = "Of these, sound alone.";
        latencies.push(measured.audio.latency("sound", "Sound, end to end", sound));
        let picture = "Of these, pictures alone; a frame's packets leave together.";
        latencies.push(
            measured
                .video
                .latency("picture", "Pictures, end to end", picture),
        );
    }
    latencies.push(watch::inside(before, after));
    let join =
        "From the moment at which a participant was meant to come until ICE and DTLS were through.";
    latencies.push(joins.latency("join", "Coming in", join));
    latencies.into_iter().flatten().collect()
}

/// Lost of a thousand; nothing where nothing was expected.
pub(super) fn per_mille(lost: u64, received: u64) -> Option<f64> {
    let expected = lost + received;
    (expected > 0).then(|| lost as f64 * 1e3 / expected as f64)
}

/// What was lost between two moments.
pub(super) fn loss(shape: &Shape, before: Totals, after: Totals) -> Loss {
    let (lost, received) = after.lost_since(&before);
    let subscriptions = shape.subscriptions() as u64;
    Loss {
        received,
        lost,
        per_mille: per_mille(lost, received).unwrap_or(0.0),
        duplicates: after.counts.duplicates - before.counts.duplicates,
        repaired: after.counts.repaired - before.counts.repaired,
        sent: after.sent - before.sent,
        silent: subscriptions.saturating_sub(after.streams),
        subscriptions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_without_a_packet_are_told() {
        let totals = Totals {
            streams: 4,
            ..Totals::default()
        };
        let found = loss(&Shape::audio_room(3), Totals::default(), totals);
        assert_eq!((found.subscriptions, found.silent), (6, 2));
        assert_eq!(per_mille(1, 999), Some(1.0));
        assert_eq!(per_mille(0, 0), None);
    }
}
