//! The number called last comes first; and numbers typed for a contact are matched to registered people.

use std::time::Duration;

use homeline_protocol::PhoneText;
use homeline_protocol::id::{ContactId, EntryId};
use homeline_protocol::session::{
    ContactNumbers, ErrorCode, Event, Found, NumberKind, NumberOf, Request,
};

use crate::address_book::{
    allow, brought, find, import, imported, oma, settings, typed_numbers, written,
};
use crate::numbers::{NUMBER, Service, verify};
use crate::support::{Person, Server, Session};

const GRANDMAS: ContactId = ContactId([1; 16]);

fn used(of: NumberOf, number: &str) -> Request {
    let number = PhoneText(number.to_owned());
    Request::NoteNumberUsed { of, number }
}

async fn kinds(session: &mut Session, name: &str) -> Vec<NumberKind> {
    let Found::Ambiguous { choices, .. } = find(session, name, None).await else {
        panic!("several numbers")
    };
    let kinds = choices.iter().filter_map(|one| one.number.as_ref());
    kinds.map(|number| number.kind).collect()
}

async fn type_numbers(session: &mut Session, numbers: &[&str]) -> ContactNumbers {
    let numbers = numbers.iter().map(|one| written(NumberKind::Other, one));
    let request = Request::SetContactNumbers {
        contact: GRANDMAS,
        numbers: numbers.collect(),
    };
    session.done(request).await;
    let put = |event: &Event| match event {
        Event::ContactNumbersPut(put) => Some(put.clone()),
        _ => None,
    };
    session.event(put).await
}

fn registered(numbers: &ContactNumbers) -> Option<&str> {
    numbers.registered.as_ref().map(|handle| handle.as_str())
}

// req: A-18
#[tokio::test]
async fn the_number_called_last_comes_first_for_whoever_called_it() {
    use NumberKind::{Home, Mobile};
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let (mut phone, mut bens) = (anna.session(&server).await, ben.session(&server).await);
    for session in [&mut phone, &mut bens] {
        allow(session).await;
        import(session, 1, vec![oma()]).await;
    }
    assert_eq!(kinds(&mut phone, "grandma").await, [Mobile, Home]);
    let entry = imported(&mut phone).await[0].id;
    let of = NumberOf::Entry { entry };
    phone.done(used(of, "(201) 555-0101")).await;
    assert_eq!(kinds(&mut phone, "grandma").await, [Home, Mobile]);
    // The next import brings the same entry again; somebody else's order is their own.
    import(&mut phone, 2, vec![oma()]).await;
    assert_eq!(kinds(&mut phone, "grandma").await, [Home, Mobile]);
    assert_eq!(kinds(&mut bens, "grandma").await, [Mobile, Home]);
    // A sort that was asked for comes before it.
    let found = find(&mut phone, "grandma", Some(Mobile)).await;
    assert!(matches!(found, Found::Unique { .. }));

    let unknown = used(of, "(201) 555-0199");
    assert_eq!(phone.refused(unknown).await, ErrorCode::NotFound);
    let hers = used(of, "(201) 555-0101");
    assert_eq!(bens.refused(hers).await, ErrorCode::NotFound);
    let nobodys = NumberOf::Entry {
        entry: EntryId([9; 16]),
    };
    let nobodys = used(nobodys, "(201) 555-0101");
    assert_eq!(phone.refused(nobodys).await, ErrorCode::NotFound);
    // Switched off and on again, nothing of it is left.
    phone.done(Request::SetImport { on: false }).await;
    allow(&mut phone).await;
    import(&mut phone, 3, vec![oma()]).await;
    assert_eq!(kinds(&mut phone, "grandma").await, [Mobile, Home]);
}

#[tokio::test]
async fn typed_numbers_show_who_is_registered_and_tell_nobody() {
    let mut sms = Service::good().await;
    let server = Server::start_with(|config| sms.configure(config)).await;
    let (anna, ben) = (
        Person::founder(&server, "anna").await,
        Person::founder(&server, "ben").await,
    );
    let (mut phone, mut bens) = (anna.session(&server).await, ben.session(&server).await);
    phone
        .done(anna.put_contact(1, 1, "Uncle Ben", "uncle"))
        .await;
    let typed = type_numbers(&mut phone, &["(201) 555-0123", "911"]).await;
    assert_eq!(registered(&typed), None, "nobody has it yet");
    verify(&mut bens, &mut sms, NUMBER).await;
    let told = |event: &Event| matches!(event, Event::AddressBookChanged).then_some(());
    bens.event(told).await;
    let typed = typed_numbers(&mut phone).await;
    assert_eq!(registered(&typed[0]), Some("ben"));
    // Who does not want to be found looks like nobody.
    bens.done(Request::SetDiscoverable { on: false }).await;
    bens.event(told).await;
    assert_eq!(registered(&typed_numbers(&mut phone).await[0]), None);
    let typed = type_numbers(&mut phone, &["(201) 555-0123"]).await;
    assert_eq!(registered(&typed), None);
    bens.done(Request::SetDiscoverable { on: true }).await;
    bens.event(told).await;
    let typed = type_numbers(&mut phone, &["(201) 555-0123"]).await;
    assert_eq!(registered(&typed), Some("ben"));
    assert!(!bens.has_seen(|_| true).await, "nobody hears of it");
    // Taken off again, nothing is shown.
    let typed = type_numbers(&mut phone, &["(201) 555-0188"]).await;
    assert_eq!(registered(&typed), None);
}

#[tokio::test]
async fn typed_numbers_are_looked_up_from_the_same_budget_as_imported_ones() {
    let mut sms = Service::good().await;
    let server = Server::start_with(|config| sms.configure(config)).await;
    let (anna, ben) = (
        Person::founder(&server, "anna").await,
        Person::founder(&server, "ben").await,
    );
    let (mut phone, mut bens) = (anna.session(&server).await, ben.session(&server).await);
    verify(&mut bens, &mut sms, NUMBER).await;
    allow(&mut phone).await;
    let numbers: Vec<_> = (7_900..9_900_u32)
        .map(|number| written(NumberKind::Other, &format!("+1201555{number:04}")))
        .collect();
    let entries = numbers.chunks(10).enumerate();
    let entries = entries
        .map(|(at, numbers)| brought(&at.to_string(), &format!("Trial {at:03}"), numbers.to_vec()));
    import(&mut phone, 1, entries.collect()).await;
    phone
        .done(anna.put_contact(1, 1, "Uncle Ben", "uncle"))
        .await;
    let typed = type_numbers(&mut phone, &[NUMBER]).await;
    assert_eq!(registered(&typed), None, "the day's lookups are used up");
    server.clock.advance(Duration::from_hours(24));
    settings(&mut phone).await;
    assert_eq!(registered(&typed_numbers(&mut phone).await[0]), Some("ben"));
}
