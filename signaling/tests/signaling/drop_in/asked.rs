//! What the stories of a drop-in say to each other. The signed asking is between the two devices: to the
//! server it is so many bytes, and it must hand on exactly those.

use homeline_protocol::Blob;
use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{
    Callee, DropInGrant, DropInRefusal, DropInStage, EndReason, Event, MediaState, Request,
};

use crate::support::Session;

pub(super) const CALL: CallId = CallId([0x51; 16]);
pub(super) const SECOND: CallId = CallId([0x52; 16]);

pub(super) fn on_person(call: CallId, handle: &str) -> Request {
    let handle = handle.parse().unwrap();
    drop_in(call, Callee::Person { handle })
}

pub(super) fn on_device(call: CallId, device: DeviceId) -> Request {
    drop_in(call, Callee::Device { device })
}

pub(super) fn drop_in(call: CallId, to: Callee) -> Request {
    Request::DropIn {
        call,
        to,
        picture: false,
        asking: Blob(b"asking".to_vec()),
        key_package: Blob(b"key package".to_vec()),
    }
}

pub(super) fn open(call: CallId, stage: DropInStage) -> Request {
    let media = MediaState {
        microphone: stage != DropInStage::Knocking,
        camera: false,
    };
    Request::OpenDropIn { call, media, stage }
}

pub(super) fn refuse(call: CallId, refusal: DropInRefusal) -> Request {
    Request::RefuseDropIn { call, refusal }
}

pub(super) fn hang_up(call: CallId) -> Request {
    let reason = EndReason::HungUp;
    Request::HangUp { call, reason }
}

/// The target's session is asked; with which grant.
pub(super) async fn is_asked(target: &mut Session, which: CallId) -> DropInGrant {
    target
        .event(|event| match event {
            Event::DropInAsked { call, grant, .. } if *call == which => Some(grant.clone()),
            _ => None,
        })
        .await
}

pub(super) async fn was_refused(initiator: &mut Session, which: CallId) -> DropInRefusal {
    initiator
        .event(|event| match event {
            Event::DropInRefused { call, refusal } if *call == which => Some(*refusal),
            _ => None,
        })
        .await
}

pub(super) async fn call_ended(session: &mut Session, which: CallId) -> EndReason {
    session
        .event(|event| match event {
            Event::CallEnded { call, reason } if *call == which => Some(*reason),
            _ => None,
        })
        .await
}

/// Asked for and given up, or too late.
pub(super) async fn is_over(target: &mut Session, which: CallId) {
    let over = |event: &Event| {
        matches!(event, Event::DropInEnded { call } if *call == which).then_some(())
    };
    target.event(over).await;
}

pub(super) async fn has_opened(initiator: &mut Session, which: CallId) -> (DeviceId, DropInStage) {
    let device = initiator
        .event(|event| match event {
            Event::DropInOpened { call, device, .. } if *call == which => Some(*device),
            _ => None,
        })
        .await;
    (device, goes_on(initiator, which).await)
}

pub(super) async fn goes_on(initiator: &mut Session, which: CallId) -> DropInStage {
    initiator
        .event(|event| match event {
            Event::DropInStage { call, stage } if *call == which => Some(*stage),
            _ => None,
        })
        .await
}

/// Whether a session has been asked for a drop-in by now.
pub(super) async fn was_asked(session: &mut Session, which: CallId) -> bool {
    let asked = |event: &Event| matches!(event, Event::DropInAsked { call, .. } if *call == which);
    session.has_seen(asked).await
}
