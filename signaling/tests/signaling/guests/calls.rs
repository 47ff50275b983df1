//! Calls with guests: let in by a call or into one, talking, leaving, removed.

use homeline_protocol::id::{CallId, DeviceId};
use homeline_protocol::session::{
    CallDirection, CallPhase, EndReason, ErrorCode, Event, Participant, PastCall, Reply, Request,
};
use homeline_signaling::domain::calls::CallsConfig;

use super::{add_guest, call_guest, gone, knocked, knocks, link_of, waits};
use crate::calls::talking;
use crate::group_calls::{add, commit};
use crate::harness::{Client, Configs, Server, fresh};

fn hang_up(call: CallId) -> Request {
    let reason = EndReason::HungUp;
    Request::HangUp { call, reason }
}

async fn participants(client: &mut Client, count: usize) -> Vec<Participant> {
    let all = |event: &Event| match event {
        Event::Participants { participants, .. } if participants.len() == count => {
            Some(participants.clone())
        }
        _ => None,
    };
    client.event_of(all).await
}

async fn past(client: &mut Client) -> Vec<PastCall> {
    let request = Request::ListHistory {
        before_ms: None,
        limit: 10,
    };
    match client.ok(request).await {
        Reply::History { calls } => calls,
        other => panic!("{other:?}"),
    }
}

async fn welcomed(client: &mut Client) {
    let welcome = |event: &Event| matches!(event, Event::GroupWelcome { .. }).then_some(());
    client.event_of(welcome).await;
}

/// Anna calls a guest who waits, and they talk.
async fn with_guest(server: &Server) -> (crate::harness::Person, Client, Client, CallId) {
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(server, &mut phone, link, "Uncle Bob").await;
    let call = CallId(fresh());
    phone.ok(call_guest(call, bob.seat.device)).await;
    assert_eq!(gone(&mut phone).await, bob.seat.device, "he waits no more");
    assert_eq!(bob.ring().await, call);
    bob.answer(call).await;
    phone
        .ok(commit(call, 0, Some(bob.seat.device), vec![]))
        .await;
    welcomed(&mut bob).await;
    (anna, phone, bob, call)
}

#[tokio::test]
async fn a_guest_is_called_answers_and_the_makers_history_has_their_name() {
    let server = Server::start().await;
    let (_, mut phone, mut bob, call) = with_guest(&server).await;
    let shown = participants(&mut phone, 2).await;
    let guest = shown.iter().find(|one| one.device == bob.seat.device);
    let party = &guest.unwrap().party;
    assert_eq!(
        (party.display_name.as_str(), party.guest),
        ("Uncle Bob", true)
    );
    assert!(shown.iter().filter(|one| one.party.guest).count() == 1);
    let Reply::Calls { calls } = bob.ok(Request::ListCalls).await else {
        panic!()
    };
    let running = &calls[0];
    assert_eq!(
        (running.direction, running.phase, running.here),
        (CallDirection::Incoming, CallPhase::Answered, true)
    );
    bob.offer(call).await;
    // A call started again under its id is the same call, though nobody waits any more.
    phone.ok(call_guest(call, bob.seat.device)).await;
    bob.ok(hang_up(call)).await;
    assert_eq!(phone.ended(call).await, EndReason::HungUp);
    assert_eq!(bob.ended(call).await, EndReason::HungUp);
    let calls = past(&mut phone).await;
    let party = &calls[0].party;
    assert_eq!(
        (party.display_name.as_str(), party.guest),
        ("Uncle Bob", true)
    );
    assert!(calls[0].answered_at_ms.is_some());
    // The visit is over: the session ends, and its token with it.
    assert_eq!(bob.goodbye().await.code, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_guest_comes_into_a_running_call_and_the_maker_takes_them_out() {
    let server = Server::start().await;
    let (mut anna, mut bens, call) = talking(&server).await;
    anna.ok(commit(call, 0, Some(bens.seat.device), vec![]))
        .await;
    let link = link_of(&mut anna).await;
    let mut bob = waits(&server, &mut anna, link, "Bob").await;
    let guest = bob.seat.device;
    assert_eq!(bens.err(add_guest(call, guest)).await, ErrorCode::NotFound);
    anna.ok(add_guest(call, guest)).await;
    assert_eq!(bob.ring().await, call);
    bob.answer(call).await;
    let answered = |event: &Event| match event {
        Event::AddingAnswered { device, .. } => Some(*device),
        _ => None,
    };
    assert_eq!(anna.event_of(answered).await, guest);
    anna.ok(commit(call, 1, Some(guest), vec![])).await;
    welcomed(&mut bob).await;
    let shown = participants(&mut bens, 3).await;
    assert!(shown[2].party.guest && shown[2].device == guest);
    // A member's commit and message pass from a guest as from anybody.
    bob.ok(Request::SendGroupMessage {
        call,
        message: crate::harness::blob("hello"),
    })
    .await;
    let said = |event: &Event| match event {
        Event::GroupMessage { author, .. } => Some(*author),
        _ => None,
    };
    assert_eq!(bens.event_of(said).await, guest);
    // Only whose guest it is takes them out.
    let remove = Request::RemoveGuest { call, guest };
    assert_eq!(bens.err(remove.clone()).await, ErrorCode::NotFound);
    anna.ok(remove.clone()).await;
    assert_eq!(bob.ended(call).await, EndReason::HungUp);
    let left = |event: &Event| match event {
        Event::MemberLeft { device, .. } => Some(*device),
        _ => None,
    };
    assert_eq!(anna.event_of(left).await, guest);
    anna.ok(commit(call, 2, None, vec![guest])).await;
    participants(&mut bens, 2).await;
    assert_eq!(anna.err(remove).await, ErrorCode::NotFound);
    anna.ok(hang_up(call)).await;
    assert_eq!(bens.ended(call).await, EndReason::HungUp);
}

#[tokio::test]
async fn a_guest_in_a_call_outlives_the_link_and_may_be_removed_after_the_maker_left() {
    let server = Server::start().await;
    let (anna, mut phone, mut bob, call) = with_guest(&server).await;
    let ben = server.person("ben").await;
    let mut bens = server.app(&ben).await;
    phone.ok(add(call, &ben)).await;
    assert_eq!(bens.ring().await, call);
    bens.answer(call).await;
    let answered = |event: &Event| matches!(event, Event::AddingAnswered { .. }).then_some(());
    phone.event_of(answered).await;
    phone
        .ok(commit(call, 1, Some(bens.seat.device), vec![]))
        .await;
    let Reply::CallLinks { links } = phone.ok(Request::ListCallLinks).await else {
        panic!()
    };
    let link = links[0].link;
    phone.ok(Request::RevokeCallLink { link }).await;
    bob.offer(call).await;
    phone.ok(hang_up(call)).await;
    participants(&mut bens, 2).await;
    // From another app, without a part in the call herself.
    let mut tablet = server.app(&anna).await;
    let guest = bob.seat.device;
    tablet.ok(Request::RemoveGuest { call, guest }).await;
    assert_eq!(bob.ended(call).await, EndReason::HungUp);
    assert_eq!(bens.ended(call).await, EndReason::HungUp);
}

#[tokio::test]
async fn guests_alone_are_no_call() {
    let server = Server::start().await;
    let (_, mut phone, mut bob, call) = with_guest(&server).await;
    let link = link_of(&mut phone).await;
    let mut cleo = waits(&server, &mut phone, link, "Cleo").await;
    phone.ok(add_guest(call, cleo.seat.device)).await;
    assert_eq!(cleo.ring().await, call);
    cleo.answer(call).await;
    let answered = |event: &Event| matches!(event, Event::AddingAnswered { .. }).then_some(());
    phone.event_of(answered).await;
    phone
        .ok(commit(call, 1, Some(cleo.seat.device), vec![]))
        .await;
    phone.ok(hang_up(call)).await;
    for guest in [&mut bob, &mut cleo] {
        assert_eq!(guest.ended(call).await, EndReason::HungUp);
    }
}

#[tokio::test]
async fn a_guest_who_does_not_come_in_waits_on_and_is_called_again() {
    let calls = CallsConfig {
        ring_timeout_secs: 3,
        ..CallsConfig::default()
    };
    let server = Server::with(Configs {
        calls,
        ..Configs::default()
    })
    .await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(&server, &mut phone, link, "Bob").await;
    let guest = bob.seat.device;
    let call = CallId(fresh());
    phone.ok(call_guest(call, guest)).await;
    assert_eq!(bob.incoming().await, call);
    // While it rings nobody else lets him in.
    let mut tablet = server.app(&anna).await;
    let second = call_guest(CallId(fresh()), guest);
    assert_eq!(tablet.err(second.clone()).await, ErrorCode::NotFound);
    assert_eq!(phone.ended(call).await, EndReason::Unreachable);
    assert_eq!(bob.ended(call).await, EndReason::Unreachable);
    assert_eq!(knocked(&mut tablet).await, (link, guest));
    tablet.ok(second).await;
    bob.ring().await;
}

#[tokio::test]
async fn a_guest_who_refuses_an_invitation_waits_on() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let mut bob = waits(&server, &mut phone, link, "Bob").await;
    let guest = bob.seat.device;
    let call = CallId(fresh());
    phone.ok(call_guest(call, guest)).await;
    assert_eq!(bob.incoming().await, call);
    bob.ok(Request::RefuseInvitation { call }).await;
    assert_eq!(knocked(&mut phone).await, (link, guest));
    phone.ok(Request::Cancel { call }).await;
    let again = CallId(fresh());
    phone.ok(call_guest(again, guest)).await;
    assert_eq!(bob.ring().await, again);
}

#[tokio::test]
async fn a_guest_whose_connection_breaks_is_back_in_the_call() {
    let server = Server::start().await;
    let (_, mut phone, bob, call) = with_guest(&server).await;
    let connection = |event: &Event| match event {
        Event::ParticipantConnection { connected, .. } => Some(*connected),
        _ => None,
    };
    let away = bob.away();
    assert!(!phone.event_of(connection).await);
    let mut bob = away.back(&server).await;
    assert!(bob.resumed);
    assert!(phone.event_of(connection).await);
    bob.ok(hang_up(call)).await;
    assert_eq!(phone.ended(call).await, EndReason::HungUp);
}

#[tokio::test]
async fn a_guest_who_goes_while_waiting_is_gone() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let link = link_of(&mut phone).await;
    let never_connected = knocks(&server, link, "Zoe").await.unwrap();
    let call = call_guest(CallId(fresh()), never_connected.device);
    assert_eq!(phone.err(call).await, ErrorCode::NotFound);
    let nobody = call_guest(CallId(fresh()), DeviceId(fresh()));
    assert_eq!(phone.err(nobody).await, ErrorCode::NotFound);
}
