//! The address book: signed cards that every device of the household sees.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::contact::Pin;
use homeline_protocol::id::ContactId;
use homeline_protocol::session::{ErrorCode, Event, Request};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::contacts::ContactRow;
use homeline_signaling::store::{self, Db};

use crate::support::{Person, Server};

fn put_by(event: &Event) -> Option<(ContactId, String)> {
    match event {
        Event::ContactPut(contact) => Some((contact.id, contact.name.clone())),
        _ => None,
    }
}

// req: CON-4
#[tokio::test]
async fn a_contact_added_by_hand_stands_in_the_household_address_book() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut session = anna.session(&server).await;
    // Nobody has this handle, and that is not told.
    session.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    assert_eq!(
        session.event(put_by).await,
        (ContactId([1; 16]), "Mom".to_owned())
    );
    let [contact] = session.home().await.contacts.try_into().unwrap();
    assert_eq!(
        (contact.name.as_str(), contact.handle.as_str()),
        ("Mom", "mom")
    );
    assert_eq!(contact.card, anna.card(1, 1, "Mom", "mom", Pin::NoneYet));

    session.done(anna.put_contact(1, 2, "Mother", "mom")).await;
    session.done(anna.put_contact(1, 2, "Mother", "mom")).await;
    let [contact] = session.home().await.contacts.try_into().unwrap();
    assert_eq!(contact.name, "Mother");
    let older = session.refused(anna.put_contact(1, 1, "Mom", "mom")).await;
    assert_eq!(older, ErrorCode::Conflict);
}

// req: CON-5
#[tokio::test]
async fn a_contact_is_deleted_for_the_whole_household() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut session = anna.session(&server).await;
    session.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    session.done(anna.put_contact(2, 1, "Ben", "ben")).await;
    let delete = |revision, pin| Request::DeleteContact {
        contact: ContactId([1; 16]),
        card: anna.card(1, revision, "Mom", "mom", pin),
    };
    assert_eq!(
        session.refused(delete(2, Pin::NoneYet)).await,
        ErrorCode::BadRequest
    );
    assert_eq!(
        session.refused(delete(1, Pin::Deleted)).await,
        ErrorCode::Conflict
    );
    session.done(delete(2, Pin::Deleted)).await;
    session.done(delete(2, Pin::Deleted)).await;
    let deleted = session
        .event(|event| match event {
            Event::ContactDeleted { contact } => Some(*contact),
            _ => None,
        })
        .await;
    assert_eq!(deleted, ContactId([1; 16]));
    let [left] = session.home().await.contacts.try_into().unwrap();
    assert_eq!(left.name, "Ben");
}

#[tokio::test]
async fn cards_that_do_not_hold_are_refused() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let mut session = anna.session(&server).await;
    let put = |name: &str, card| Request::PutContact {
        contact: ContactId([1; 16]),
        name: name.to_owned(),
        handle: "mom".parse().unwrap(),
        card,
    };
    let good = anna.card(1, 1, "Mom", "mom", Pin::NoneYet);
    let mut damaged = good.clone();
    damaged.0[10] ^= 1;
    let foreign = ben.card(1, 1, "Mom", "mom", Pin::NoneYet);
    let cases = [
        (
            "another name",
            put("Dad", good.clone()),
            ErrorCode::BadRequest,
        ),
        ("no name", put("", good.clone()), ErrorCode::BadRequest),
        ("damaged", put("Mom", damaged), ErrorCode::BadRequest),
        (
            "another household's",
            put("Mom", foreign),
            ErrorCode::Forbidden,
        ),
        (
            "another id",
            put("Mom", anna.card(2, 1, "Mom", "mom", Pin::NoneYet)),
            ErrorCode::BadRequest,
        ),
        (
            "a deletion",
            put("Mom", anna.card(1, 1, "Mom", "mom", Pin::Deleted)),
            ErrorCode::BadRequest,
        ),
    ];
    for (what, request, code) in cases {
        assert_eq!(session.refused(request).await, code, "{what}");
    }
    session.done(put("Mom", good)).await;
}

#[tokio::test]
async fn a_home_device_reads_the_address_book_and_does_not_write_it() {
    let server = Server::start().await;
    let anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    phone.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    let kitchen = crate::pairing::pair(&server, &anna, &mut phone, Kind::HomeDevice).await;
    let mut kitchen = server.session(&kitchen.token).await;
    assert_eq!(kitchen.home().await.contacts.len(), 1);
    let refused = kitchen.refused(anna.put_contact(2, 1, "Ben", "ben")).await;
    assert_eq!(refused, ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_full_address_book_takes_changes_and_no_further_contacts() {
    let db = Db::open_in_memory().await.unwrap();
    let clock = Clock::fixed(UnixMillis(1_795_305_600_000));
    let server = Server::start_on(db.clone(), clock, |_| {}).await;
    let anna = Person::founder(&server, "anna").await;
    let mut tx = db.write().await.unwrap();
    for number in 0..5_000_u32 {
        let mut id = [0xff; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let row = ContactRow {
            id: ContactId(id),
            name: "Somebody".to_owned(),
            handle: "somebody".parse().unwrap(),
            card: vec![],
            revision: 1,
        };
        store::contacts::put(&mut tx, anna.household(), &row)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let mut session = anna.session(&server).await;
    let refused = session.refused(anna.put_contact(1, 1, "Mom", "mom")).await;
    assert_eq!(refused, ErrorCode::LimitReached);
}
