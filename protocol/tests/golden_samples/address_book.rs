//! One sample or more of everything about numbers and imported address books.

use homeline_protocol::id::{EntryId, ImportId};
use homeline_protocol::session::{
    AddressBook, BroughtEntry, Choice, ContactNumbers, Event, Found, ImportResult, ImportedEntry,
    NumberKind, OwnNumber, PhoneNumber, Reply, Request, WrittenNumber,
};
use homeline_protocol::{E164, PhoneText, Secret};

use super::{AT_MS, CONTACT, handle};

const ENTRY: EntryId = EntryId([0xe0; 16]);
const IMPORT: ImportId = ImportId([0x16; 16]);

fn text() -> PhoneText {
    PhoneText("(201) 555-0123".to_owned())
}

fn e164() -> E164 {
    "+12015550123".parse().unwrap()
}

fn number() -> PhoneNumber {
    PhoneNumber {
        kind: NumberKind::Mobile,
        text: text(),
        e164: Some(e164()),
    }
}

fn written(kind: NumberKind) -> WrittenNumber {
    WrittenNumber { kind, text: text() }
}

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::GetAddressBook,
        Request::SetImport { on: true },
        Request::SetPhoneRegion {
            region: "US".to_owned(),
        },
        Request::BeginImport {
            import: IMPORT,
            source: "Anna's phone".to_owned(),
        },
        Request::ImportBatch {
            import: IMPORT,
            entries: vec![BroughtEntry {
                source_id: "7f-1".to_owned(),
                name: "Oma Ü".to_owned(),
                numbers: vec![written(NumberKind::Mobile), written(NumberKind::Home)],
            }],
        },
        Request::FinishImport { import: IMPORT },
        Request::ListImported { after: None },
        Request::ListImported { after: Some(ENTRY) },
        Request::HideEntry {
            entry: ENTRY,
            hidden: true,
        },
        Request::SetContactNumbers {
            contact: CONTACT,
            numbers: vec![written(NumberKind::Work), written(NumberKind::Other)],
        },
        Request::ListContactNumbers {
            after: Some(CONTACT),
        },
        Request::FindContact {
            name: "grandma".to_owned(),
            kind: Some(NumberKind::Mobile),
        },
        Request::StartNumberVerification { number: text() },
        Request::ConfirmNumber {
            code: Secret::new("123456"),
        },
        Request::ForgetNumber,
        Request::SetDiscoverable { on: false },
    ]
}

pub(crate) fn replies() -> Vec<Reply> {
    let by_number = Choice {
        name: "Oma".to_owned(),
        contact: None,
        entry: Some(ENTRY),
        handle: None,
        number: Some(number()),
    };
    let by_handle = Choice {
        contact: Some(CONTACT),
        entry: None,
        handle: Some(handle()),
        number: None,
        ..by_number.clone()
    };
    vec![
        Reply::AddressBook(AddressBook {
            import: None,
            region: "US".to_owned(),
            entries: 0,
            number: None,
            verification: false,
        }),
        Reply::AddressBook(AddressBook {
            import: Some(true),
            region: "DE".to_owned(),
            entries: 312,
            number: Some(OwnNumber {
                number: e164(),
                discoverable: true,
            }),
            verification: true,
        }),
        Reply::Imported(ImportResult {
            entries: 312,
            removed: 2,
        }),
        Reply::ImportedEntries {
            entries: vec![ImportedEntry {
                id: ENTRY,
                source: "Anna's phone".to_owned(),
                name: "Oma".to_owned(),
                numbers: vec![
                    number(),
                    PhoneNumber {
                        e164: None,
                        ..number()
                    },
                ],
                hidden: false,
                registered: Some(handle()),
            }],
            more: false,
        },
        Reply::ContactNumbers {
            contacts: vec![contact_numbers()],
            more: true,
        },
        Reply::Found(Found::Unique {
            choice: by_number.clone(),
        }),
        Reply::Found(Found::Ambiguous {
            choices: vec![by_handle, by_number],
            more: false,
        }),
        Reply::Found(Found::Nobody),
        Reply::NumberVerification {
            number: e164(),
            expires_at_ms: AT_MS,
        },
    ]
}

fn contact_numbers() -> ContactNumbers {
    ContactNumbers {
        contact: CONTACT,
        numbers: vec![number()],
        registered: None,
    }
}

pub(crate) fn events() -> Vec<Event> {
    vec![
        Event::AddressBookChanged,
        Event::ContactNumbersPut(contact_numbers()),
        Event::ContactNumbersPut(ContactNumbers {
            registered: Some("ben".parse().unwrap()),
            ..contact_numbers()
        }),
    ]
}
