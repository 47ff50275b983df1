//! Views, wanted layers, speakers and the grades of connections.

use homeline_protocol::session::{
    Event, Grade, GradedDevice, OwnConnection, Request, Source, TrackView,
};

use super::{CALL, DEVICE, TRACK};

pub(crate) fn requests() -> Vec<Request> {
    let view = |width, height| TrackView {
        track: TRACK,
        width,
        height,
    };
    vec![
        Request::SetViews {
            call: CALL,
            views: vec![view(1_280, 720), view(0, 0)],
        },
        Request::SetViews {
            call: CALL,
            views: vec![],
        },
    ]
}

pub(crate) fn events() -> Vec<Event> {
    let wanted = |wanted| Event::LayersWanted {
        call: CALL,
        source: Source::Camera,
        wanted,
    };
    let own = OwnConnection {
        grade: Grade::Good,
        loss_up_percent: 0,
        loss_down_percent: 1,
        round_trip_ms: Some(24),
        jitter_ms: 3,
        estimate_kbit_per_second: Some(2_500),
    };
    let graded = |grade| GradedDevice {
        device: DEVICE,
        grade,
    };
    vec![
        wanted(vec![0, 2]),
        wanted(vec![]),
        Event::Speakers {
            call: CALL,
            devices: vec![DEVICE],
        },
        Event::CallConnections {
            call: CALL,
            own: Some(own),
            others: vec![graded(Grade::Fair), graded(Grade::Poor)],
        },
        Event::CallConnections {
            call: CALL,
            own: Some(OwnConnection {
                round_trip_ms: None,
                estimate_kbit_per_second: None,
                ..own
            }),
            others: vec![],
        },
        Event::CallConnections {
            call: CALL,
            own: None,
            others: vec![],
        },
    ]
}
