//! Links and waits end by themselves, and with their maker.

use std::time::Duration;

use homeline_protocol::http::Knocked;
use homeline_protocol::id::CallLinkId;
use homeline_protocol::session::{ErrorCode, Event, GuestRefusal, Reply, Request};

use super::{HOUR_MS, knock, make};
use crate::support::{Person, Server, Session, fresh_key};

const LINK: CallLinkId = CallLinkId([0x71; 16]);

/// Anna's session, with a link that lasts for an hour.
async fn anna(server: &Server) -> (Person, Session) {
    let anna = Person::founder(server, "anna").await;
    let mut annas = anna.session(server).await;
    annas.done(make(LINK, server.now().0 + HOUR_MS)).await;
    (anna, annas)
}

async fn guest(server: &Server) -> Session {
    let knock = knock(LINK, &fresh_key(), "Bob", server.now().0);
    let knocked: Knocked = server.post("/v1/guests", &knock).await.ok();
    server.session(&knocked.token).await
}

async fn refused(guest: &mut Session) -> GuestRefusal {
    let refused = |event: &Event| match event {
        Event::GuestRefused { reason } => Some(*reason),
        _ => None,
    };
    guest.event(refused).await
}

#[tokio::test]
async fn a_guest_waits_for_ten_minutes() {
    let server = Server::start().await;
    let (_, mut annas) = anna(&server).await;
    let mut bob = guest(&server).await;
    server.clock.advance(Duration::from_secs(10 * 60 - 1));
    server.signaling.sweep().await.unwrap();
    assert_eq!(
        bob.request(Request::ListCalls).await,
        Ok(Reply::Calls { calls: vec![] })
    );
    server.clock.advance(Duration::from_secs(1));
    server.signaling.sweep().await.unwrap();
    assert_eq!(refused(&mut bob).await, GuestRefusal::NoAnswer);
    let gone = |event: &Event| matches!(event, Event::GuestGone { .. }).then_some(());
    annas.event(gone).await;
    assert_eq!(bob.goodbye().await, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_link_ends_at_its_time_and_looks_like_one_that_never_was() {
    let server = Server::start().await;
    let (_, mut annas) = anna(&server).await;
    server.clock.advance(Duration::from_secs(60 * 60 - 60));
    let mut bob = guest(&server).await;
    server.clock.advance(Duration::from_secs(60));
    let again = knock(LINK, &fresh_key(), "Cleo", server.now().0);
    let ended = server.post("/v1/guests", &again).await;
    let never = knock(CallLinkId([9; 16]), &fresh_key(), "Cleo", server.now().0);
    let never = server.post("/v1/guests", &never).await;
    assert_eq!((ended.status, &ended.body), (never.status, &never.body));
    assert_eq!(ended.code(), ErrorCode::NotFound);
    server.signaling.sweep().await.unwrap();
    assert_eq!(refused(&mut bob).await, GuestRefusal::LinkEnded);
    let over = |event: &Event| match event {
        Event::CallLinkEnded { link } => Some(*link),
        _ => None,
    };
    assert_eq!(annas.event(over).await, LINK);
    let links = annas.request(Request::ListCallLinks).await;
    assert_eq!(links, Ok(Reply::CallLinks { links: vec![] }));
}

#[tokio::test]
async fn who_deletes_their_account_sends_away_who_waits() {
    let server = Server::start().await;
    let (anna, mut annas) = anna(&server).await;
    let mut bob = guest(&server).await;
    annas
        .send_only(Request::Deregister {
            password: anna.password.clone(),
            hand_over_to: None,
            entries: vec![],
        })
        .await;
    assert_eq!(refused(&mut bob).await, GuestRefusal::LinkEnded);
    let again = knock(LINK, &fresh_key(), "Cleo", server.now().0);
    let answer = server.post("/v1/guests", &again).await;
    assert_eq!(answer.code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_place_is_not_held_for_whoever_never_opens_a_session() {
    let server = Server::start().await;
    anna(&server).await;
    let knock = || knock(LINK, &fresh_key(), "Bob", server.now().0);
    for _ in 0..8 {
        let _: Knocked = server.post("/v1/guests", &knock()).await.ok();
    }
    let full = server.post("/v1/guests", &knock()).await;
    assert_eq!(full.code(), ErrorCode::LimitReached);
    server.clock.advance(Duration::from_secs(30));
    guest(&server).await;
}

#[tokio::test]
async fn one_address_knocks_no_more_often_than_it_signs_in() {
    let server = Server::start().await;
    anna(&server).await;
    let nowhere = || knock(CallLinkId([9; 16]), &fresh_key(), "Bob", server.now().0);
    for _ in 0..30 {
        let answer = server.post("/v1/guests", &nowhere()).await;
        assert_eq!(answer.code(), ErrorCode::NotFound);
    }
    let answer = server.post("/v1/guests", &nowhere()).await;
    assert_eq!(answer.code(), ErrorCode::RateLimited);
    server.clock.advance(Duration::from_secs(5));
    guest(&server).await;
}

#[tokio::test]
async fn a_guests_key_is_none_of_a_household() {
    let server = Server::start().await;
    let (anna, _annas) = anna(&server).await;
    let knock = knock(LINK, &anna.app, "Anna", server.now().0);
    let answer = server.post("/v1/guests", &knock).await;
    assert_eq!(answer.code(), ErrorCode::Conflict);
}
