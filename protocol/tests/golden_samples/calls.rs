//! Calls with more than two, moves, waiting and missed calls.

use homeline_protocol::session::{
    CallDirection, Callee, EndReason, Event, PastCall, Reply, Request,
};

use super::{AT_MS, CALL, DEVICE, MEDIA, account, blob, handle, party};

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::AddToCall {
            call: CALL,
            to: Callee::Person { handle: handle() },
            invitation: blob(),
        },
        Request::CancelAdding { call: CALL },
        Request::MoveCall {
            call: CALL,
            to: DEVICE,
            invitation: Some(blob()),
        },
        Request::MoveCall {
            call: CALL,
            to: DEVICE,
            invitation: None,
        },
        Request::EndForEveryone { call: CALL },
        Request::ListMissed,
        Request::MarkMissedSeen { until_ms: AT_MS },
    ]
}

pub(crate) fn replies() -> Vec<Reply> {
    vec![Reply::Missed {
        calls: vec![missed()],
    }]
}

pub(crate) fn events() -> Vec<Event> {
    vec![
        Event::AddingRinging {
            call: CALL,
            device: DEVICE,
        },
        Event::AddingAnswered {
            call: CALL,
            device: DEVICE,
            media: MEDIA,
            key_package: blob(),
            statement: blob(),
        },
        Event::AddingEnded {
            call: CALL,
            reason: EndReason::Declined,
        },
        Event::MemberLeft {
            call: CALL,
            device: DEVICE,
        },
        Event::MoveOffered {
            call: CALL,
            from: DEVICE,
            party: party(),
            to: account(),
            video: true,
            invitation: blob(),
            expires_at_ms: AT_MS,
        },
        Event::MoveWanted {
            call: CALL,
            device: DEVICE,
        },
        Event::MoveAccepted {
            call: CALL,
            from: DEVICE,
            device: DEVICE,
            key_package: blob(),
            statement: blob(),
        },
        Event::MoveEnded {
            call: CALL,
            device: DEVICE,
            reason: EndReason::NoAnswer,
        },
        Event::CallWaiting {
            call: CALL,
            from: party(),
            to: account(),
            video: false,
            invitation: blob(),
            expires_at_ms: AT_MS,
        },
        Event::CallMissed(missed()),
        Event::MissedSeen { until_ms: AT_MS },
    ]
}

fn missed() -> PastCall {
    PastCall {
        call: CALL,
        direction: CallDirection::Incoming,
        party: party(),
        video: true,
        started_at_ms: AT_MS,
        answered_at_ms: None,
        ended_at_ms: AT_MS,
        reason: EndReason::NoAnswer,
    }
}
