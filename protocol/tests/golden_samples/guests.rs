//! Call links, and the guests who come by one.

use homeline_protocol::id::CallLinkId;
use homeline_protocol::session::{
    CallLink, Callee, Event, GuestRefusal, Participant, Party, Reply, Request,
};

use super::{AT_MS, CALL, DEVICE, blob, participant};

const LINK: CallLinkId = CallLinkId([0x71; 16]);

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::MakeCallLink {
            link: LINK,
            label: "Grandma's birthday".to_owned(),
            expires_at_ms: AT_MS,
        },
        Request::ListCallLinks,
        Request::RevokeCallLink { link: LINK },
        Request::RefuseGuest { guest: DEVICE },
        Request::RemoveGuest {
            call: CALL,
            guest: DEVICE,
        },
        Request::StartCall {
            call: CALL,
            to: Callee::Guest { guest: DEVICE },
            video: true,
            invitation: blob(),
        },
        Request::AddToCall {
            call: CALL,
            to: Callee::Guest { guest: DEVICE },
            invitation: blob(),
        },
    ]
}

pub(crate) fn replies() -> Vec<Reply> {
    vec![Reply::CallLinks {
        links: vec![link()],
    }]
}

pub(crate) fn events() -> Vec<Event> {
    let refused = |reason| Event::GuestRefused { reason };
    vec![
        Event::CallLinkMade(link()),
        Event::CallLinkEnded { link: LINK },
        Event::GuestKnocked {
            link: LINK,
            guest: DEVICE,
            chain: blob(),
            proof: blob(),
        },
        Event::GuestGone {
            link: LINK,
            guest: DEVICE,
        },
        refused(GuestRefusal::Refused),
        refused(GuestRefusal::LinkEnded),
        refused(GuestRefusal::NoAnswer),
        Event::Participants {
            call: CALL,
            participants: vec![guest()],
        },
    ]
}

fn link() -> CallLink {
    CallLink {
        link: LINK,
        label: "Grandma's birthday".to_owned(),
        made_at_ms: AT_MS,
        expires_at_ms: AT_MS,
    }
}

fn guest() -> Participant {
    Participant {
        party: Party {
            handle: "call-guest".parse().unwrap(),
            display_name: "Uncle Bob".to_owned(),
            guest: true,
        },
        ..participant()
    }
}
