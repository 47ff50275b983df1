//! How good a device's connection is, in a word: from the node's figures. Pure.

use homeline_protocol::media_control::PeerStatistics;
use homeline_protocol::session::{Grade, OwnConnection, Quality};

/// Figures from which a listener notices, and from which one suffers; delay after ITU-T G.114, loss after
/// what Opus conceals. The app holds its own figures against the same (`app/src/media/quality.ts`).
const FAIR: Bounds = Bounds {
    loss_percent: 3,
    round_trip_ms: 250,
    jitter_ms: 40,
};
const POOR: Bounds = Bounds {
    loss_percent: 10,
    round_trip_ms: 500,
    jitter_ms: 100,
};

/// Changes of a figure below a tenth, and below this, are not worth a word.
const MILLISECONDS_ALIKE: u32 = 5;

struct Bounds {
    loss_percent: u8,
    round_trip_ms: u32,
    jitter_ms: u32,
}

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
    let figures = OwnConnection {
        grade: Grade::Good,
        loss_up_percent,
        loss_down_percent,
        round_trip_ms,
        jitter_ms: peer.jitter_ms,
        estimate_kbit_per_second: None,
    };
    let grade = grade(&figures);
    Some(OwnConnection { grade, ..figures })
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

fn grade(figures: &OwnConnection) -> Grade {
    let loss = figures.loss_up_percent.max(figures.loss_down_percent);
    let round_trip = figures.round_trip_ms.unwrap_or(0);
    let beyond = |bounds: &Bounds| {
        loss >= bounds.loss_percent
            || round_trip >= bounds.round_trip_ms
            || figures.jitter_ms >= bounds.jitter_ms
    };
    if beyond(&POOR) {
        Grade::Poor
    } else if beyond(&FAIR) {
        Grade::Fair
    } else {
        Grade::Good
    }
}
