//! How good a device's connection is, in a word: from the node's figures. Pure.

use homeline_protocol::media_control::PeerStatistics;
use homeline_protocol::session::{Grade, OwnConnection, Quality};

/// The node's scores, of 100, below which a listener notices, and below which one suffers.
const GOOD_FROM: u8 = 80;
const FAIR_FROM: u8 = 50;

/// Changes of a figure below a tenth, and below this, are not worth a word.
const MILLISECONDS_ALIKE: u32 = 5;

/// The figures of a device that is connected, with the word for them.
pub(super) fn own(peer: &PeerStatistics) -> Option<OwnConnection> {
    if !peer.connected {
        return None;
    }
    let Quality {
        loss_up_percent,
        loss_down_percent,
        round_trip_ms,
    } = quality(peer);
    let estimate = peer.estimate_bits_per_second.map(|bits| bits / 1_000);
    Some(OwnConnection {
        grade: grade(peer.quality?),
        loss_up_percent,
        loss_down_percent,
        round_trip_ms,
        jitter_ms: peer.jitter_ms,
        estimate_kbit_per_second: estimate.map(|kbit| u32::try_from(kbit).unwrap_or(u32::MAX)),
    })
}

/// The figures alone, for a device that asks.
pub(super) fn quality(peer: &PeerStatistics) -> Quality {
    // 255/256 is as good as everything lost.
    let percent = |in_256ths: u8| (u16::from(in_256ths) * 100 / 255) as u8;
    Quality {
        loss_up_percent: percent(peer.loss_in_256ths),
        loss_down_percent: percent(peer.loss_out_256ths),
        round_trip_ms: peer.round_trip_ms,
    }
}

/// Whether nobody would see a difference.
pub(super) fn alike(before: &OwnConnection, now: &OwnConnection) -> bool {
    let close = |a: u32, b: u32| a.abs_diff(b) <= MILLISECONDS_ALIKE.max(a / 10);
    let maybe = |a: Option<u32>, b: Option<u32>| match (a, b) {
        (Some(a), Some(b)) => close(a, b),
        (a, b) => a == b,
    };
    before.grade == now.grade
        && before.loss_up_percent == now.loss_up_percent
        && before.loss_down_percent == now.loss_down_percent
        && maybe(before.round_trip_ms, now.round_trip_ms)
        && close(before.jitter_ms, now.jitter_ms)
        && maybe(
            before.estimate_kbit_per_second,
            now.estimate_kbit_per_second,
        )
}

fn grade(score: u8) -> Grade {
    match score {
        GOOD_FROM.. => Grade::Good,
        FAIR_FROM.. => Grade::Fair,
        _ => Grade::Poor,
    }
}
