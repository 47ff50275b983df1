//! What a push says, and under which topic. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{EndReason, PushNotice};
use homeline_protocol::{Blob, Handle};
use ring::digest::{SHA256, digest};

/// RFC 8030 allows 32 characters: 24 bytes.
const TOPIC_BYTES: usize = 24;

/// The same for all pushes of one call, so that the last takes the place of those before it. It says
/// nothing of the call to the push service.
pub(super) fn topic(call: CallId) -> String {
    let hash = digest(
        &SHA256,
        &[b"homeline push topic v1".as_slice(), &call.0].concat(),
    );
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..TOPIC_BYTES])
}

/// What tells a device who calls, if it has them among its contacts, and nobody else.
pub(super) fn caller(call: CallId, handle: &Handle) -> Blob {
    let text = [
        b"homeline push caller v1".as_slice(),
        &call.0,
        handle.as_str().as_bytes(),
    ];
    Blob(digest(&SHA256, &text.concat()).as_ref().to_vec())
}

/// What replaces the notice of a call that does not ring any more.
pub(super) fn after_end(call: CallId, reason: EndReason, caller: Blob) -> PushNotice {
    match reason {
        EndReason::AnsweredElsewhere
        | EndReason::Declined
        | EndReason::HungUp
        | EndReason::Moved => PushNotice::Over { call, reason },
        EndReason::Cancelled
        | EndReason::NoAnswer
        | EndReason::Busy
        | EndReason::Unreachable
        | EndReason::DeviceLost
        | EndReason::DeviceRevoked
        | EndReason::ServerRestarted
        | EndReason::EncryptionRefused
        | EndReason::MediaFailed => PushNotice::Missed { call, caller },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_short_and_one_for_each_call() {
        let (one, other) = (topic(CallId([1; 16])), topic(CallId([2; 16])));
        assert_eq!((one.len(), one == other), (32, false));
        assert_eq!(one, topic(CallId([1; 16])));
    }

    /// The app's twin is `app/src/push/names.ts`, whose test holds the same text.
    #[test]
    fn the_caller_is_told_by_a_hash_that_differs_in_each_call() {
        let handle = "anna".parse().unwrap();
        let tag = caller(CallId([7; 16]), &handle);
        assert_eq!(
            tag.to_base64url(),
            "5SZAAFXYUS4WWFFkLxyOz28_ekAC7TacgwrT0c6emdY"
        );
        assert_ne!(tag, caller(CallId([8; 16]), &handle));
        assert_ne!(tag, caller(CallId([7; 16]), &"annb".parse().unwrap()));
    }

    #[test]
    fn who_was_not_reached_has_missed_the_call() {
        let end = |reason| after_end(CallId([1; 16]), reason, Blob::default());
        for reason in [EndReason::Cancelled, EndReason::NoAnswer] {
            assert!(matches!(end(reason), PushNotice::Missed { .. }));
        }
        for reason in [EndReason::AnsweredElsewhere, EndReason::Declined] {
            assert!(matches!(end(reason), PushNotice::Over { .. }));
        }
    }
}
