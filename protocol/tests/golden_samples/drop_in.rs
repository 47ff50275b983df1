//! Drop-in grants.

use homeline_protocol::id::GrantId;
use homeline_protocol::session::{Callee, DropInGrant, Event, Request};

use super::{DEVICE, blob, handle};

const GRANT: GrantId = GrantId([0x94; 16]);

pub(crate) fn grant() -> DropInGrant {
    DropInGrant {
        id: GRANT,
        statement: blob(),
    }
}

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::PutDropInGrant {
            grant: GRANT,
            statement: blob(),
        },
        Request::SetDropIn {
            device: DEVICE,
            on: false,
        },
        Request::MayDropIn {
            to: Callee::Person { handle: handle() },
        },
    ]
}

pub(crate) fn events() -> Vec<Event> {
    vec![
        Event::DropInGrantPut(grant()),
        Event::DropInGrantEnded { grant: GRANT },
    ]
}
