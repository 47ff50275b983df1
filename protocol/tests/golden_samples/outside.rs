//! Whether a home can be reached from outside.

use homeline_protocol::Secret;
use homeline_protocol::session::{
    OutsideCode, OutsideFinding, OutsideFrom, OutsideLast, OutsideResult, OutsideState, OutsideWay,
    Reply, Request,
};

use super::AT_MS;

pub(crate) fn requests() -> Vec<Request> {
    vec![Request::TestFromOutside, Request::GetOutside]
}

pub(crate) fn replies() -> Vec<Reply> {
    let last = OutsideLast {
        works: false,
        works_here: true,
        from: OutsideFrom::Outside,
        at_ms: AT_MS,
    };
    let result = |way, port, last| OutsideResult { way, port, last };
    let finding = OutsideFinding {
        code: OutsideCode::NotForwarded,
        grave: true,
        text: "What callers outside send does not arrive.".to_owned(),
        steps: vec!["Forward UDP 8444 to 192.168.1.5 in the router.".to_owned()],
    };
    vec![
        Reply::OutsideTicket {
            secret: Secret::new("t1cket"),
            address: Some("203.0.113.7".to_owned()),
            expires_at_ms: AT_MS,
        },
        Reply::OutsideTicket {
            secret: Secret::new("t1cket"),
            address: None,
            expires_at_ms: AT_MS,
        },
        Reply::Outside(Box::new(OutsideState {
            ways: vec![
                result(OutsideWay::MediaUdp, 8444, Some(last)),
                result(OutsideWay::RelayTls, 8445, None),
            ],
            findings: vec![finding],
            looked_at_ms: Some(AT_MS),
        })),
        Reply::Outside(Box::new(OutsideState {
            ways: vec![],
            findings: vec![],
            looked_at_ms: None,
        })),
    ]
}
