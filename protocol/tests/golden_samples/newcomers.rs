//! Whom a grant to a contact's household names.

use homeline_protocol::session::{Reply, Request};

use super::{ACCOUNT, CONTACT};

pub(crate) fn requests() -> Vec<Request> {
    vec![Request::ContactPeople { contact: CONTACT }]
}

pub(crate) fn replies() -> Vec<Reply> {
    vec![Reply::ContactPeople {
        person: ACCOUNT,
        household: vec![ACCOUNT],
    }]
}
