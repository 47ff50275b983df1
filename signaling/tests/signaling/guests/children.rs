//! Children and guests never meet, whoever brings them.

use homeline_protocol::id::{CallId, CallLinkId};
use homeline_protocol::session::{ErrorCode, Event, Request, Role};

use super::{HOUR_MS, add_guest, call_guest, knocks, link_of, make, now_ms, waits};
use crate::group_calls::{add, commit};
use crate::harness::{Server, fresh};
use crate::manners::{family, talk};

#[tokio::test]
async fn a_child_makes_no_link_and_lets_nobody_in() {
    let server = Server::start().await;
    let ((_, mut phone), (_, mut tablet)) = family(&server).await;
    let request = make(CallLinkId(fresh()), now_ms() + HOUR_MS);
    assert_eq!(tablet.err(request).await, ErrorCode::Forbidden);
    let link = link_of(&mut phone).await;
    let guest = waits(&server, &mut phone, link, "Bob").await;
    let call = call_guest(CallId(fresh()), guest.seat.device);
    assert_eq!(tablet.err(call).await, ErrorCode::Forbidden);
}

#[tokio::test]
async fn no_guest_comes_into_a_call_with_a_child() {
    let server = Server::start().await;
    let ((_, mut phone), (mia, mut tablet)) = family(&server).await;
    let call = talk(&mut phone, &mut tablet, &mia).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(&server, &mut phone, link, "Bob").await;
    let refused = phone.err(add_guest(call, bob.seat.device)).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    assert!(bob.events_so_far().await.is_empty(), "he waits on");
    // Without her he does.
    let second = CallId(fresh());
    phone
        .ok(Request::HangUp {
            call,
            reason: homeline_protocol::session::EndReason::HungUp,
        })
        .await;
    phone.ok(call_guest(second, bob.seat.device)).await;
    assert_eq!(bob.ring().await, second);
}

#[tokio::test]
async fn no_child_comes_into_a_call_with_a_guest() {
    let server = Server::start().await;
    let ((_, mut phone), (mia, mut tablet)) = family(&server).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(&server, &mut phone, link, "Bob").await;
    let call = CallId(fresh());
    phone.ok(call_guest(call, bob.seat.device)).await;
    assert_eq!(bob.ring().await, call);
    bob.answer(call).await;
    phone
        .ok(commit(call, 0, Some(bob.seat.device), vec![]))
        .await;
    assert_eq!(phone.err(add(call, &mia)).await, ErrorCode::Forbidden);
    let rang = |event: &Event| matches!(event, Event::IncomingCall { .. });
    assert!(!tablet.events_so_far().await.iter().any(rang));
}

#[tokio::test]
async fn who_becomes_a_child_has_no_links_any_more() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let mia = server.member("mia", anna.household).await;
    let mut tablet = server.childs_app(&mia).await;
    let link = link_of(&mut tablet).await;
    let mut bob = waits(&server, &mut tablet, link, "Bob").await;
    phone
        .ok(Request::SetRole {
            account: mia.account,
            role: Role::Child,
        })
        .await;
    let refused = |event: &Event| matches!(event, Event::GuestRefused { .. }).then_some(());
    bob.event_of(refused).await;
    let again = knocks(&server, link, "Bob").await;
    assert_eq!(again.err(), Some(ErrorCode::NotFound));
}
