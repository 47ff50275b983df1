//! One sample or more of everything about push.

use homeline_protocol::Secret;
use homeline_protocol::session::{EndReason, PushAddress, PushKind, PushNotice, Request};

use super::{AT_MS, CALL, blob};

pub(crate) fn push() -> Vec<Request> {
    let address = |kind| {
        Request::PutPushAddress(PushAddress {
            endpoint: Secret::new("https://push.example/abc"),
            p256dh: blob(),
            auth: blob(),
            kind,
        })
    };
    vec![
        address(PushKind::WebPush),
        address(PushKind::UnifiedPush),
        Request::DeletePushAddress {
            endpoint: Secret::new("https://push.example/abc"),
        },
    ]
}

pub(crate) fn push_notices() -> Vec<PushNotice> {
    vec![
        PushNotice::Ring {
            call: CALL,
            expires_at_ms: AT_MS,
            video: true,
            caller: blob(),
            decline: Secret::new("s3cret"),
        },
        PushNotice::Over {
            call: CALL,
            reason: EndReason::AnsweredElsewhere,
        },
        PushNotice::Missed {
            call: CALL,
            caller: blob(),
        },
    ]
}
