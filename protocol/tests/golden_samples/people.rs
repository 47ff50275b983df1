//! Owners, and numbers that were called.

use homeline_protocol::PhoneText;
use homeline_protocol::id::EntryId;
use homeline_protocol::session::{NumberOf, Request};

use super::{ACCOUNT, CONTACT};

pub(crate) fn requests() -> Vec<Request> {
    let number = PhoneText("(201) 555-0123".to_owned());
    vec![
        Request::HandOverOwnership { to: ACCOUNT },
        Request::NoteNumberUsed {
            of: NumberOf::Contact { contact: CONTACT },
            number: number.clone(),
        },
        Request::NoteNumberUsed {
            of: NumberOf::Entry {
                entry: EntryId([0xe1; 16]),
            },
            number,
        },
    ]
}
