//! Importing an app's address book, hiding what came with it, numbers of contacts, finding by name.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::contact::Pin;
use homeline_protocol::PhoneText;
use homeline_protocol::id::{ContactId, EntryId, ImportId};
use homeline_protocol::session::{
    AddressBook, BroughtEntry, Choice, ContactNumbers, ErrorCode, Event, Found, ImportResult,
    ImportedEntry, NumberKind, Reply, Request, WrittenNumber,
};

use crate::support::{Person, Server, Session};

const PHONE: &str = "Anna's phone";

pub(crate) fn written(kind: NumberKind, text: &str) -> WrittenNumber {
    let text = PhoneText(text.to_owned());
    WrittenNumber { kind, text }
}

pub(crate) fn brought(source_id: &str, name: &str, numbers: Vec<WrittenNumber>) -> BroughtEntry {
    BroughtEntry {
        source_id: source_id.to_owned(),
        name: name.to_owned(),
        numbers,
    }
}

pub(crate) fn oma() -> BroughtEntry {
    let numbers = vec![
        written(NumberKind::Home, "(201) 555-0101"),
        written(NumberKind::Mobile, "(201) 555-0102"),
    ];
    brought("oma", "Grandma", numbers)
}

fn ben() -> BroughtEntry {
    brought(
        "ben",
        "Ben",
        vec![written(NumberKind::Mobile, "+12015550103")],
    )
}

fn begin(number: u8, source: &str) -> Request {
    Request::BeginImport {
        import: ImportId([number; 16]),
        source: source.to_owned(),
    }
}

fn batch(number: u8, entries: Vec<BroughtEntry>) -> Request {
    Request::ImportBatch {
        import: ImportId([number; 16]),
        entries,
    }
}

pub(crate) async fn finish(session: &mut Session, number: u8) -> ImportResult {
    let import = ImportId([number; 16]);
    match session.request(Request::FinishImport { import }).await {
        Ok(Reply::Imported(result)) => result,
        other => panic!("{other:?}"),
    }
}

/// A whole import.
pub(crate) async fn import(
    session: &mut Session,
    number: u8,
    entries: Vec<BroughtEntry>,
) -> ImportResult {
    session.done(begin(number, PHONE)).await;
    session.done(batch(number, entries)).await;
    finish(session, number).await
}

pub(crate) async fn allow(session: &mut Session) {
    session.done(Request::SetImport { on: true }).await;
}

pub(crate) async fn settings(session: &mut Session) -> AddressBook {
    match session.request(Request::GetAddressBook).await {
        Ok(Reply::AddressBook(book)) => book,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn imported(session: &mut Session) -> Vec<ImportedEntry> {
    let mut all: Vec<ImportedEntry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.id);
        match session.request(Request::ListImported { after }).await {
            Ok(Reply::ImportedEntries { entries, more }) => {
                all.extend(entries);
                if !more {
                    all.sort_by(|one, other| one.name.cmp(&other.name));
                    return all;
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn names(session: &mut Session) -> Vec<String> {
    let entries = imported(session).await;
    entries.into_iter().map(|entry| entry.name).collect()
}

pub(crate) async fn find(session: &mut Session, name: &str, kind: Option<NumberKind>) -> Found {
    let name = name.to_owned();
    match session.request(Request::FindContact { name, kind }).await {
        Ok(Reply::Found(found)) => found,
        other => panic!("{other:?}"),
    }
}

// req: CON-1
#[tokio::test]
async fn what_a_phone_brings_appears_for_its_person_alone_once_all_is_there() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    phone.done(begin(1, PHONE)).await;
    phone.done(batch(1, vec![oma()])).await;
    phone.done(batch(1, vec![ben()])).await;
    assert_eq!(names(&mut phone).await, Vec::<String>::new(), "not yet");
    let result = finish(&mut phone, 1).await;
    assert_eq!((result.entries, result.removed), (2, 0));
    assert_eq!(finish(&mut phone, 1).await, result, "repeated");

    let [ben, oma] = imported(&mut phone).await.try_into().unwrap();
    assert_eq!((ben.name.as_str(), oma.name.as_str()), ("Ben", "Grandma"));
    assert_eq!(oma.source, PHONE);
    assert!(!oma.hidden && oma.registered.is_none());
    let [home, mobile] = oma.numbers.try_into().unwrap();
    assert_eq!(
        (home.kind, mobile.kind),
        (NumberKind::Home, NumberKind::Mobile)
    );
    assert_eq!(home.text.as_str(), "(201) 555-0101", "as it was written");
    assert_eq!(home.e164.unwrap().as_str(), "+12015550101");
    assert_eq!(settings(&mut phone).await.entries, 2);

    let other = Person::founder(&server, "dora").await;
    let mut other = other.session(&server).await;
    assert_eq!(imported(&mut other).await, vec![]);
    let hide = Request::HideEntry {
        entry: ben.id,
        hidden: true,
    };
    assert_eq!(other.refused(hide).await, ErrorCode::NotFound);
}

// req: CON-1, REG-4
#[tokio::test]
async fn nothing_is_imported_from_a_person_who_was_not_asked_or_said_no() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    assert_eq!(settings(&mut phone).await.import, None, "to be asked");
    assert_eq!(phone.refused(begin(1, PHONE)).await, ErrorCode::Forbidden);
    phone.done(Request::SetImport { on: false }).await;
    assert_eq!(settings(&mut phone).await.import, Some(false), "asked");
    assert_eq!(phone.refused(begin(1, PHONE)).await, ErrorCode::Forbidden);
    assert_eq!(imported(&mut phone).await, vec![]);
}

// req: REG-4
#[tokio::test]
async fn after_signing_up_a_person_who_agrees_can_import() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    assert_eq!(settings(&mut phone).await.import, None);
    allow(&mut phone).await;
    assert_eq!(settings(&mut phone).await.import, Some(true));
    assert_eq!(import(&mut phone, 1, vec![ben()]).await.entries, 1);
}

// req: CON-2
#[tokio::test]
async fn a_refresh_brings_what_is_new_changes_what_is_other_and_drops_what_is_gone() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    import(&mut phone, 1, vec![oma(), ben()]).await;
    let before = imported(&mut phone).await;
    // Another source keeps its own.
    phone.done(begin(2, "Anna's tablet")).await;
    phone
        .done(batch(2, vec![brought("1", "Zoe", vec![])]))
        .await;
    finish(&mut phone, 2).await;

    let renamed = BroughtEntry {
        name: "Oma".to_owned(),
        ..oma()
    };
    let carl = brought("carl", "Carl", vec![]);
    let result = import(&mut phone, 3, vec![renamed, carl]).await;
    assert_eq!((result.entries, result.removed), (2, 1));
    assert_eq!(names(&mut phone).await, ["Carl", "Oma", "Zoe"]);
    let after = imported(&mut phone).await;
    assert_eq!(after[1].id, before[1].id, "the same entry, renamed");
    let told = |event: &Event| matches!(event, Event::AddressBookChanged).then_some(());
    phone.event(told).await;
}

// req: CON-2
#[tokio::test]
async fn an_interrupted_refresh_deletes_nothing_and_can_be_begun_anew() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    import(&mut phone, 1, vec![oma(), ben()]).await;
    phone.done(begin(2, PHONE)).await;
    phone
        .done(batch(2, vec![brought("carl", "Carl", vec![])]))
        .await;
    drop(phone);

    let mut phone = anna.session(&server).await;
    assert_eq!(names(&mut phone).await, ["Ben", "Grandma"]);
    phone.done(begin(3, PHONE)).await;
    // The one before is over, what it staged is gone.
    assert_eq!(
        phone.refused(batch(2, vec![oma()])).await,
        ErrorCode::NotFound
    );
    // Lost answers: both are sent again.
    phone.done(begin(3, PHONE)).await;
    phone.done(batch(3, vec![ben()])).await;
    phone.done(batch(3, vec![ben()])).await;
    let result = finish(&mut phone, 3).await;
    assert_eq!((result.entries, result.removed), (1, 1));
    assert_eq!(names(&mut phone).await, ["Ben"]);
    assert_eq!(
        phone.refused(batch(3, vec![oma()])).await,
        ErrorCode::Conflict
    );
    let other_source = begin(3, "Anna's tablet");
    assert_eq!(phone.refused(other_source).await, ErrorCode::Conflict);
}

#[tokio::test]
async fn an_import_that_nobody_finished_is_forgotten_after_a_day() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    phone.done(begin(1, PHONE)).await;
    phone.done(batch(1, vec![ben()])).await;
    server.clock.advance(std::time::Duration::from_hours(25));
    server.signaling.sweep().await.unwrap();
    assert_eq!(
        phone.refused(batch(1, vec![oma()])).await,
        ErrorCode::NotFound
    );
}

// req: CON-3
#[tokio::test]
async fn switching_import_off_deletes_what_was_imported_and_keeps_what_was_typed() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    phone.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    let typed = Request::SetContactNumbers {
        contact: ContactId([1; 16]),
        numbers: vec![written(NumberKind::Home, "201 555 0188")],
    };
    phone.done(typed).await;
    allow(&mut phone).await;
    import(&mut phone, 1, vec![oma(), ben()]).await;
    phone.done(begin(2, "Anna's tablet")).await;
    phone.done(batch(2, vec![ben()])).await;

    phone.done(Request::SetImport { on: false }).await;
    assert_eq!(imported(&mut phone).await, vec![]);
    assert_eq!(find(&mut phone, "grandma", None).await, Found::Nobody);
    assert_eq!(
        phone.refused(batch(2, vec![ben()])).await,
        ErrorCode::Forbidden
    );
    assert_eq!(phone.home().await.contacts.len(), 1);
    let found = find(&mut phone, "mom", Some(NumberKind::Home)).await;
    assert!(matches!(found, Found::Unique { .. }), "{found:?}");

    // Switched on again, nothing comes back by itself.
    allow(&mut phone).await;
    assert_eq!(imported(&mut phone).await, vec![]);
    assert_eq!(
        phone.refused(batch(2, vec![ben()])).await,
        ErrorCode::NotFound
    );
}

// req: CON-3
#[tokio::test]
async fn a_home_device_neither_imports_nor_switches_nor_shows_an_address_book() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    import(&mut phone, 1, vec![ben()]).await;
    let kitchen = crate::pairing::pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let mut kitchen = server.session(&kitchen.token).await;
    for request in [
        Request::SetImport { on: false },
        Request::GetAddressBook,
        Request::ListImported { after: None },
        begin(2, PHONE),
    ] {
        assert_eq!(kitchen.refused(request).await, ErrorCode::Forbidden);
    }
    assert_eq!(names(&mut phone).await, ["Ben"]);
}

// req: A-36
#[tokio::test]
async fn a_hidden_entry_stays_hidden_and_a_typed_contact_is_deleted_with_its_numbers() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    import(&mut phone, 1, vec![oma(), ben()]).await;
    let entry = imported(&mut phone).await[0].id;
    phone
        .done(Request::HideEntry {
            entry,
            hidden: true,
        })
        .await;
    assert_eq!(find(&mut phone, "ben", None).await, Found::Nobody);
    import(&mut phone, 2, vec![oma(), ben()]).await;
    let again = imported(&mut phone).await;
    assert_eq!((again[0].id, again[0].hidden), (entry, true));
    phone
        .done(Request::HideEntry {
            entry,
            hidden: false,
        })
        .await;
    assert!(matches!(
        find(&mut phone, "ben", None).await,
        Found::Unique { .. }
    ));
    let unknown = Request::HideEntry {
        entry: EntryId([9; 16]),
        hidden: true,
    };
    assert_eq!(phone.refused(unknown).await, ErrorCode::NotFound);

    phone.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    let contact = ContactId([1; 16]);
    let numbers = vec![written(NumberKind::Home, "201 555 0188")];
    phone
        .done(Request::SetContactNumbers { contact, numbers })
        .await;
    let card = anna.card(1, 2, "Mom", "mom", Pin::Deleted);
    phone.done(Request::DeleteContact { contact, card }).await;
    assert_eq!(typed_numbers(&mut phone).await, vec![]);
}

pub(crate) async fn typed_numbers(session: &mut Session) -> Vec<ContactNumbers> {
    let after = None;
    match session.request(Request::ListContactNumbers { after }).await {
        Ok(Reply::ContactNumbers {
            contacts,
            more: false,
        }) => contacts,
        other => panic!("{other:?}"),
    }
}

// req: CON-8
#[tokio::test]
async fn numbers_have_sorts_and_are_found_by_name_and_sort() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    phone
        .done(anna.put_contact(1, 1, "Grandma Rose", "rose"))
        .await;
    let numbers = vec![
        written(NumberKind::Work, "(201) 555-0110"),
        written(NumberKind::Mobile, "(201) 555-0111"),
        written(NumberKind::Other, "911"),
    ];
    let contact = ContactId([1; 16]);
    phone
        .done(Request::SetContactNumbers { contact, numbers })
        .await;
    let put = |event: &Event| match event {
        Event::ContactNumbersPut(put) => Some(put.clone()),
        _ => None,
    };
    let told = phone.event(put).await;
    assert_eq!(typed_numbers(&mut phone).await, vec![told.clone()]);
    assert_eq!(
        told.numbers[0].e164.as_ref().unwrap().as_str(),
        "+12015550110"
    );
    assert_eq!(
        told.numbers[2].e164, None,
        "a short number keeps its text alone"
    );

    let Found::Unique { choice } =
        find(&mut phone, "Grandma Rose's", Some(NumberKind::Mobile)).await
    else {
        panic!("one mobile");
    };
    assert_eq!(choice.contact, Some(contact));
    assert_eq!(
        choice.number.unwrap().e164.unwrap().as_str(),
        "+12015550111"
    );
    // Registered people are called by their handle.
    let Found::Unique { choice } = find(&mut phone, "grandma", None).await else {
        panic!("one person");
    };
    assert_eq!(choice.handle.unwrap().as_str(), "rose");

    // The kitchen's speaker finds what it is asked for, too.
    let kitchen = crate::pairing::pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let mut kitchen = server.session(&kitchen.token).await;
    let found = find(&mut kitchen, "grandma rose", Some(NumberKind::Work)).await;
    assert!(matches!(found, Found::Unique { .. }), "{found:?}");
}

// req: CON-8
#[tokio::test]
async fn what_is_not_one_number_is_asked_about_and_an_unknown_sort_finds_nobody() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    let other = brought(
        "oma2",
        "Grandma",
        vec![written(NumberKind::Home, "201 555 0199")],
    );
    import(&mut phone, 1, vec![oma(), ben(), other]).await;
    let kinds = |choices: &[Choice]| -> Vec<NumberKind> {
        let kind = |choice: &Choice| choice.number.as_ref().unwrap().kind;
        choices.iter().map(kind).collect()
    };
    let Found::Ambiguous {
        choices,
        more: false,
    } = find(&mut phone, "grandma", None).await
    else {
        panic!("two people, three numbers");
    };
    assert_eq!(choices.len(), 3);
    let Found::Ambiguous { choices, .. } =
        find(&mut phone, "grandma", Some(NumberKind::Home)).await
    else {
        panic!("two people have one at home");
    };
    assert_eq!(kinds(&choices), [NumberKind::Home, NumberKind::Home]);
    assert!(matches!(
        find(&mut phone, "grandma", Some(NumberKind::Mobile)).await,
        Found::Unique { .. }
    ));
    for (name, kind) in [
        ("ben", Some(NumberKind::Work)),
        ("nobody", None),
        ("", None),
    ] {
        assert_eq!(find(&mut phone, name, kind).await, Found::Nobody, "{name}");
    }
}

#[tokio::test]
async fn numbers_of_contacts_that_are_not_there_or_not_numbers_are_refused() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    phone.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    let set = |contact: u8, numbers| Request::SetContactNumbers {
        contact: ContactId([contact; 16]),
        numbers,
    };
    let one = || written(NumberKind::Home, "201 555 0188");
    assert_eq!(
        phone.refused(set(2, vec![one()])).await,
        ErrorCode::NotFound
    );
    assert_eq!(
        phone.refused(set(1, vec![one(); 11])).await,
        ErrorCode::BadRequest
    );
    for text in ["", "  ", "2\n1", &"1".repeat(65)] {
        let numbers = vec![written(NumberKind::Home, text)];
        assert_eq!(phone.refused(set(1, numbers)).await, ErrorCode::BadRequest);
    }
    let kitchen = crate::pairing::pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let mut kitchen = server.session(&kitchen.token).await;
    assert_eq!(
        kitchen.refused(set(1, vec![one()])).await,
        ErrorCode::Forbidden
    );
    phone.done(set(1, vec![one(); 10])).await;
    phone.done(set(1, vec![])).await;
    assert_eq!(typed_numbers(&mut phone).await, vec![]);
}

#[tokio::test]
async fn an_address_book_has_a_bound_and_reaching_it_changes_nothing() {
    let server = Server::start_with(|config| {
        config.session.request_burst_max = 1_000;
        config.session.requests_per_second_max = 1_000;
    })
    .await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    allow(&mut phone).await;
    import(&mut phone, 1, vec![ben()]).await;
    let part = |from: u32| -> Vec<BroughtEntry> {
        let entry = |at: u32| brought(&at.to_string(), &format!("Somebody {at}"), vec![]);
        (from..from + 200).map(entry).collect()
    };
    phone.done(begin(2, "Anna's tablet")).await;
    for from in (0..4_800).step_by(200) {
        phone.done(batch(2, part(from))).await;
    }
    // Ben is one already.
    assert_eq!(
        phone.refused(batch(2, part(4_800))).await,
        ErrorCode::LimitReached
    );
    let too_many = [part(0), vec![ben()]].concat();
    assert_eq!(
        phone.refused(batch(2, too_many)).await,
        ErrorCode::BadRequest
    );
    assert_eq!(finish(&mut phone, 2).await.entries, 4_800);
    assert_eq!(imported(&mut phone).await.len(), 4_801);

    for source in 3..9 {
        phone.done(begin(source, &format!("source {source}"))).await;
    }
    assert_eq!(
        phone.refused(begin(9, "one more")).await,
        ErrorCode::LimitReached
    );
    phone.done(begin(9, PHONE)).await;
}

#[tokio::test]
async fn numbers_are_read_in_the_region_that_the_person_chose() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    assert_eq!(settings(&mut phone).await.region, "US");
    for region in ["", "de", "Germany", "ZZ"] {
        let region = region.to_owned();
        let refused = phone.refused(Request::SetPhoneRegion { region }).await;
        assert_eq!(refused, ErrorCode::BadRequest);
    }
    let region = "DE".to_owned();
    phone.done(Request::SetPhoneRegion { region }).await;
    assert_eq!(settings(&mut phone).await.region, "DE");
    allow(&mut phone).await;
    let opa = brought("opa", "Opa", vec![written(NumberKind::Home, "030 901820")]);
    import(&mut phone, 1, vec![opa]).await;
    let [opa] = imported(&mut phone).await.try_into().unwrap();
    assert_eq!(
        opa.numbers[0].e164.as_ref().unwrap().as_str(),
        "+4930901820"
    );
}
