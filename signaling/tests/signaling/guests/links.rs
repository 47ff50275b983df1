//! Making and ending links, and knocking at them.

use homeline_e2ee::chain::Chain;
use homeline_protocol::Blob;
use homeline_protocol::http::Knock;
use homeline_protocol::id::CallLinkId;
use homeline_protocol::session::{
    CallLink, ErrorCode, Event, GuestRefusal, Outcome, Presence, Reply, Request,
};

use super::{HOUR_MS, gone, knock, knocked, knocks, link_of, make, now_ms, posts, waits};
use crate::harness::{Client, Server, fresh};
use crate::support::fresh_key;

async fn links(client: &mut Client) -> Vec<CallLink> {
    match client.ok(Request::ListCallLinks).await {
        Reply::CallLinks { links } => links,
        other => panic!("{other:?}"),
    }
}

async fn refused(guest: &mut Client) -> GuestRefusal {
    let refused = |event: &Event| match event {
        Event::GuestRefused { reason } => Some(*reason),
        _ => None,
    };
    guest.event_of(refused).await
}

#[tokio::test]
async fn a_link_is_made_once_shown_in_all_apps_of_its_maker_and_revoked() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let (mut phone, mut tablet) = (server.app(&anna).await, server.app(&anna).await);
    let mut kitchen = server.home_device(&anna).await;
    let ben = server.member("ben", anna.household).await;
    let mut bens = server.app(&ben).await;
    let (link, ends) = (CallLinkId(fresh()), now_ms() + HOUR_MS);
    for _ in 0..2 {
        phone.ok(make(link, ends)).await;
    }
    let made = |event: &Event| match event {
        Event::CallLinkMade(link) => Some(link.clone()),
        _ => None,
    };
    let shown = tablet.event_of(made).await;
    assert_eq!((shown.link, shown.expires_at_ms), (link, ends));
    assert_eq!(links(&mut tablet).await, [shown]);
    // Neither a device that others stand before, nor another person of the household, knows of it.
    assert_eq!(
        kitchen.err(Request::ListCallLinks).await,
        ErrorCode::Forbidden
    );
    assert_eq!(kitchen.err(make(link, ends)).await, ErrorCode::Forbidden);
    assert_eq!(links(&mut bens).await, []);
    assert_eq!(bens.err(make(link, ends)).await, ErrorCode::Conflict);
    bens.ok(Request::RevokeCallLink { link }).await;
    assert_eq!(links(&mut phone).await.len(), 1, "it is not his to revoke");
    tablet.ok(Request::RevokeCallLink { link }).await;
    let ended = |event: &Event| match event {
        Event::CallLinkEnded { link } => Some(*link),
        _ => None,
    };
    assert_eq!(phone.event_of(ended).await, link);
    assert_eq!(links(&mut phone).await, []);
    let seen = kitchen.events_so_far().await;
    assert!(seen.iter().all(|event| made(event).is_none()));
}

#[tokio::test]
async fn a_link_has_a_name_and_an_end_and_a_person_has_twenty() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let day = 24 * HOUR_MS;
    for ends in [0, now_ms(), now_ms() + 31 * day] {
        let request = make(CallLinkId(fresh()), ends);
        assert_eq!(phone.err(request).await, ErrorCode::BadRequest);
    }
    let unnamed = Request::MakeCallLink {
        link: CallLinkId(fresh()),
        label: "  ".to_owned(),
        expires_at_ms: now_ms() + day,
    };
    assert_eq!(phone.err(unnamed).await, ErrorCode::BadRequest);
    let mut last = CallLinkId(fresh());
    for _ in 0..20 {
        last = CallLinkId(fresh());
        phone.ok(make(last, now_ms() + 29 * day)).await;
    }
    let one_more = make(CallLinkId(fresh()), now_ms() + day);
    assert_eq!(phone.err(one_more.clone()).await, ErrorCode::LimitReached);
    phone.ok(Request::RevokeCallLink { link: last }).await;
    phone.ok(one_more).await;
}

#[tokio::test]
async fn who_knocks_is_told_to_the_makers_apps_also_to_one_that_comes_later() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let mut kitchen = server.home_device(&anna).await;
    let link = link_of(&mut phone).await;
    let seat = knocks(&server, link, "Bob").await.unwrap();
    let seen = phone.events_so_far().await;
    let told = |event: &Event| matches!(event, Event::GuestKnocked { .. });
    assert!(!seen.iter().any(told), "not before there is a session");
    let guest = Client::connect(&server, &seat).await;
    assert_eq!(knocked(&mut phone).await, (link, seat.device));
    let mut tablet = server.app(&anna).await;
    assert_eq!(knocked(&mut tablet).await, (link, seat.device));
    assert!(!kitchen.events_so_far().await.iter().any(told));
    // A connection that breaks and is taken up again changes nothing.
    let mut guest = guest.away().back(&server).await;
    assert!(guest.resumed);
    let seen = phone.events_so_far().await;
    assert!(
        !seen
            .iter()
            .any(|event| matches!(event, Event::GuestGone { .. }))
    );
    // The maker sends them away; nobody else can.
    let ben = server.member("ben", anna.household).await;
    let mut bens = server.app(&ben).await;
    let refuse = Request::RefuseGuest { guest: seat.device };
    assert_eq!(bens.err(refuse.clone()).await, ErrorCode::NotFound);
    phone.ok(refuse.clone()).await;
    assert_eq!(refused(&mut guest).await, GuestRefusal::Refused);
    for app in [&mut phone, &mut tablet] {
        assert_eq!(gone(app).await, seat.device);
    }
    assert_eq!(guest.goodbye().await.code, ErrorCode::Unauthorized);
    assert_eq!(phone.err(refuse).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn unknown_and_revoked_links_are_one_and_the_same_and_revoking_sends_the_waiting_away() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut guest = waits(&server, &mut phone, link, "Bob").await;
    phone.ok(Request::RevokeCallLink { link }).await;
    assert_eq!(refused(&mut guest).await, GuestRefusal::LinkEnded);
    let at = now_ms();
    let revoked = server
        .post("/v1/guests", &knock(link, &fresh_key(), "Bob", at))
        .await;
    let unknown = knock(CallLinkId(fresh()), &fresh_key(), "Bob", at);
    let unknown = server.post("/v1/guests", &unknown).await;
    assert_eq!(revoked, unknown);
    assert_eq!(
        knocks(&server, link, "Bob").await.err(),
        Some(ErrorCode::NotFound)
    );
}

#[tokio::test]
async fn nine_do_not_wait_at_one_link_and_whoever_goes_makes_room() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut waiting = Vec::new();
    for number in 0..8 {
        waiting.push(waits(&server, &mut phone, link, &format!("Bob {number}")).await);
    }
    assert_eq!(
        knocks(&server, link, "Bob 9").await.err(),
        Some(ErrorCode::LimitReached)
    );
    let other = link_of(&mut phone).await;
    waits(&server, &mut phone, other, "Cleo").await;
    let first = waiting.remove(0).seat.device;
    phone.ok(Request::RefuseGuest { guest: first }).await;
    waits(&server, &mut phone, link, "Bob 9").await;
}

#[tokio::test]
async fn what_is_no_knock_is_refused() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let key = fresh_key();
    let good = || knock(link, &key, "Bob", now_ms());
    let bad = [
        (
            "no chain",
            Knock {
                chain: Blob(vec![]),
                ..good()
            },
        ),
        ("two certificates", {
            let one = Chain::decode(&good().chain.0).unwrap().0.remove(0);
            let chain = Chain(vec![one.clone(), one]).encode().into();
            Knock { chain, ..good() }
        }),
        ("no name", knock(link, &key, "", now_ms())),
        ("a line break", knock(link, &key, "Bob\nAnna", now_ms())),
        (
            "too long a name",
            knock(link, &key, &"b".repeat(41), now_ms()),
        ),
        (
            "a day late",
            knock(link, &key, "Bob", now_ms() - 25 * HOUR_MS),
        ),
        (
            "a short proof",
            Knock {
                proof: Blob(vec![1; 31]),
                ..good()
            },
        ),
    ];
    for (what, knock) in bad {
        let answer = posts(&server, &knock).await.map(|seat| seat.device);
        assert_eq!(answer, Err(ErrorCode::BadRequest), "{what}");
    }
    assert!(posts(&server, &good()).await.is_ok());
    // The key waits already: whoever has seen its chain does not come in its place.
    let again = posts(&server, &good()).await.map(|seat| seat.device);
    assert_eq!(again, Err(ErrorCode::Conflict));
}

#[tokio::test]
async fn a_guest_reads_nothing_and_calls_nobody() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(&server, &mut phone, link, "Bob").await;
    let mut cleo = waits(&server, &mut phone, link, "Cleo").await;
    let presence = Presence::Asleep;
    let requests = [
        Request::GetHome,
        Request::SetPresence { presence },
        Request::ListHistory {
            before_ms: None,
            limit: 10,
        },
        Request::ListMissed,
        Request::ListCallLinks,
        make(CallLinkId(fresh()), now_ms() + HOUR_MS),
        Request::RevokeCallLink { link },
        Request::RefuseGuest {
            guest: cleo.seat.device,
        },
        Request::GetAddressBook,
        Request::LeaveHousehold { entries: vec![] },
        crate::harness::start_call(super::CallId(fresh()), "anna"),
        super::call_guest(super::CallId(fresh()), cleo.seat.device),
    ];
    for request in requests {
        assert_eq!(
            bob.err(request.clone()).await,
            ErrorCode::Forbidden,
            "{request:?}"
        );
    }
    let calls = bob.outcome(Request::ListCalls).await;
    let none = Reply::Calls { calls: vec![] };
    assert_eq!(calls, Outcome::Ok(Box::new(none)));
    // Nobody but the link's maker calls a guest.
    let ben = server.member("ben", anna.household).await;
    let mut bens = server.app(&ben).await;
    let call = super::call_guest(super::CallId(fresh()), bob.seat.device);
    assert_eq!(bens.err(call).await, ErrorCode::NotFound);
    for guest in [&mut bob, &mut cleo] {
        assert!(guest.events_so_far().await.is_empty());
    }
}
