//! Calls with more than two over real sessions, moving a call, a second call, and missed calls.

use homeline_protocol::id::{CallId, DeviceId, RoomId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{
    Callee, EndReason, ErrorCode, Event, PastCall, Reply, Request, WelcomeFor,
};
use homeline_signaling::domain::calls::CallsConfig;

use crate::calls::{anna_and_ben, talking};
use crate::harness::{Client, Configs, Person, Server, answer, blob, fresh, ringing, start_call};

pub(crate) fn commit(
    call: CallId,
    epoch: u64,
    adds: Option<DeviceId>,
    removed: Vec<DeviceId>,
) -> Request {
    Request::SendCommit {
        call,
        epoch,
        commit: blob("commit"),
        welcome: adds.map(|device| WelcomeFor {
            device,
            welcome: blob("welcome"),
        }),
        removed,
    }
}

pub(crate) fn add(call: CallId, whom: &Person) -> Request {
    Request::AddToCall {
        call,
        to: Callee::Person {
            handle: whom.handle.clone(),
        },
        invitation: blob("invitation"),
    }
}

fn move_to(call: CallId, to: DeviceId) -> Request {
    let invitation = Some(blob("invitation"));
    Request::MoveCall {
        call,
        to,
        invitation,
    }
}

fn hang_up(call: CallId) -> Request {
    let reason = EndReason::HungUp;
    Request::HangUp { call, reason }
}

/// Anna and Ben in a call with keys.
async fn keyed(server: &Server) -> (Client, Client, CallId) {
    let (mut anna, bens, call) = talking(server).await;
    let request = commit(call, 0, Some(bens.seat.device), vec![]);
    anna.ok(request).await;
    (anna, bens, call)
}

/// And Cleo, whom Anna added.
async fn three(server: &Server) -> (Client, Client, (Person, Client), CallId) {
    let (mut anna, bens, call) = keyed(server).await;
    let cleo = server.person("cleo").await;
    let mut cleos = server.app(&cleo).await;
    anna.ok(add(call, &cleo)).await;
    assert_eq!(cleos.ring().await, call);
    cleos.answer(call).await;
    let answered = |event: &Event| match event {
        Event::AddingAnswered { device, .. } => Some(*device),
        _ => None,
    };
    assert_eq!(anna.event_of(answered).await, cleos.seat.device);
    let request = commit(call, 1, Some(cleos.seat.device), vec![]);
    anna.ok(request).await;
    (anna, bens, (cleo, cleos), call)
}

pub(crate) async fn people(client: &mut Client) -> Vec<String> {
    let names = |event: &Event| match event {
        Event::Participants { participants, .. } => {
            let names = participants.iter().map(|one| &one.party.display_name);
            Some(names.cloned().collect())
        }
        _ => None,
    };
    client.event_of(names).await
}

async fn history(client: &mut Client) -> Vec<PastCall> {
    let request = Request::ListHistory {
        before_ms: None,
        limit: 10,
    };
    match client.ok(request).await {
        Reply::History { calls } => calls,
        other => panic!("{other:?}"),
    }
}

async fn missed(client: &mut Client) -> Vec<PastCall> {
    match client.ok(Request::ListMissed).await {
        Reply::Missed { calls } => calls,
        other => panic!("{other:?}"),
    }
}

// req: CALL-6
#[tokio::test]
async fn somebody_is_added_leaves_and_the_others_go_on() {
    let server = Server::start().await;
    let (mut anna, mut bens, (_, mut cleos), call) = three(&server).await;
    while people(&mut bens).await != ["ANNA", "BEN", "CLEO"] {}
    cleos.offer(call).await;
    cleos.ok(hang_up(call)).await;
    assert_eq!(cleos.ended(call).await, EndReason::HungUp);
    let peer = cleos.peer();
    let room = RoomId(call.0);
    server
        .node
        .was_told(&MediaCommand::RemovePeer { room, peer })
        .await;
    let gone = |event: &Event| match event {
        Event::MemberLeft { device, .. } => Some(*device),
        _ => None,
    };
    let device = anna.event_of(gone).await;
    assert_eq!(device, cleos.seat.device);
    anna.ok(commit(call, 2, None, vec![device])).await;
    while people(&mut bens).await != ["ANNA", "BEN"] {}
    assert_eq!(cleos.err(hang_up(call)).await, ErrorCode::CallEnded);
    let hers = history(&mut cleos).await;
    assert_eq!(hers.len(), 1);
    assert_eq!(
        (hers[0].party.display_name.as_str(), hers[0].reason),
        ("ANNA", EndReason::HungUp)
    );
    assert!(hers[0].answered_at_ms.is_some());
    bens.ok(hang_up(call)).await;
    assert_eq!(anna.ended(call).await, EndReason::HungUp);
    assert_eq!(history(&mut anna).await.len(), 1);
    assert_eq!(history(&mut cleos).await, hers, "hers is as it was");
}

#[tokio::test]
async fn only_the_one_who_began_the_call_ends_it_for_everyone() {
    let server = Server::start().await;
    let (mut anna, mut bens, (_, mut cleos), call) = three(&server).await;
    let end = Request::EndForEveryone { call };
    assert_eq!(bens.err(end.clone()).await, ErrorCode::Forbidden);
    anna.ok(end).await;
    for client in [&mut anna, &mut bens, &mut cleos] {
        assert_eq!(client.ended(call).await, EndReason::HungUp);
    }
}

#[tokio::test]
async fn nobody_from_outside_adds_moves_or_ends() {
    let server = Server::start().await;
    let (mut anna, _bens, call) = keyed(&server).await;
    let dora = server.person("dora").await;
    let mut doras = server.app(&dora).await;
    assert_eq!(doras.err(add(call, &dora)).await, ErrorCode::BadRequest);
    let cleo = server.person("cleo").await;
    assert_eq!(doras.err(add(call, &cleo)).await, ErrorCode::NotFound);
    let own = doras.seat.device;
    assert_eq!(doras.err(move_to(call, own)).await, ErrorCode::NotFound);
    assert_eq!(
        anna.err(move_to(call, own)).await,
        ErrorCode::NotFound,
        "a device of another household"
    );
    let end = Request::EndForEveryone { call };
    assert_eq!(doras.err(end).await, ErrorCode::NotFound);
    let stop = Request::CancelAdding { call };
    assert_eq!(anna.err(stop).await, ErrorCode::Conflict);
}

#[tokio::test]
async fn a_call_moves_to_a_home_device_and_the_old_one_hears_why() {
    let server = Server::start().await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let mut kitchen = server.home_device(&ben).await;
    let call = anna.call(&ben).await;
    assert_eq!(bens.ring().await, call);
    bens.answer(call).await;
    anna.ok(commit(call, 0, Some(bens.seat.device), vec![]))
        .await;
    let (old, new) = (bens.seat.device, kitchen.seat.device);
    // The kitchen wants it: the phone, which has it, is asked.
    let want = Request::MoveCall {
        call,
        to: new,
        invitation: None,
    };
    assert_eq!(bens.err(want.clone()).await, ErrorCode::BadRequest);
    kitchen.ok(want).await;
    let wanted = |event: &Event| match event {
        Event::MoveWanted { device, .. } => Some(*device),
        _ => None,
    };
    assert_eq!(bens.event_of(wanted).await, new);
    bens.ok(move_to(call, new)).await;
    let offered = |event: &Event| match event {
        Event::MoveOffered { from, party, .. } => Some((*from, party.display_name.clone())),
        _ => None,
    };
    assert_eq!(kitchen.event_of(offered).await, (old, "ANNA".to_owned()));
    kitchen.ok(ringing(call)).await;
    kitchen.ok(answer(call)).await;
    let accepted = |event: &Event| match event {
        Event::MoveAccepted { from, device, .. } => Some((*from, *device)),
        _ => None,
    };
    assert_eq!(anna.event_of(accepted).await, (old, new));
    anna.ok(commit(call, 1, Some(new), vec![old])).await;
    assert_eq!(bens.ended(call).await, EndReason::Moved);
    let welcomed = |event: &Event| matches!(event, Event::GroupWelcome { .. }).then_some(());
    kitchen.event_of(welcomed).await;
    kitchen.ok(hang_up(call)).await;
    assert_eq!(anna.ended(call).await, EndReason::HungUp);
    let his = history(&mut bens).await;
    assert_eq!((his.len(), his[0].reason), (1, EndReason::HungUp));
}

#[tokio::test]
async fn a_second_call_waits_and_its_answer_ends_the_first() {
    let server = Server::start().await;
    let (mut anna, mut bens, first) = talking(&server).await;
    let cleo = server.person("cleo").await;
    let mut cleos = server.app(&cleo).await;
    let second = CallId(fresh());
    cleos.ok(start_call(second, "ben")).await;
    let waiting = |event: &Event| match event {
        Event::CallWaiting { call, .. } => Some(*call),
        _ => None,
    };
    assert_eq!(bens.event_of(waiting).await, second);
    bens.ok(ringing(second)).await;
    bens.answer(second).await;
    assert_eq!(bens.ended(first).await, EndReason::HungUp);
    assert_eq!(anna.ended(first).await, EndReason::HungUp);
    cleos.ok(hang_up(second)).await;
    assert_eq!(bens.ended(second).await, EndReason::HungUp);
}

#[tokio::test]
async fn a_call_that_was_missed_is_told_everywhere_and_kept_until_seen() {
    let calls = CallsConfig {
        ring_timeout_secs: 3,
        ..CallsConfig::default()
    };
    let server = Server::with(Configs {
        calls: calls.clone(),
        ..Configs::default()
    })
    .await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let mut kitchen = server.home_device(&ben).await;
    let call = anna.call(&ben).await;
    bens.ring().await;
    let told = |event: &Event| match event {
        Event::CallMissed(missed) => Some(missed.clone()),
        _ => None,
    };
    let here = bens.event_of(told).await;
    assert_eq!((here.call, here.reason), (call, EndReason::NoAnswer));
    assert_eq!(kitchen.event_of(told).await, here);
    // Declined is not missed.
    let second = anna.call(&ben).await;
    bens.ring().await;
    bens.ok(Request::Decline { call: second }).await;
    assert_eq!(anna.ended(second).await, EndReason::Declined);
    assert_eq!(missed(&mut bens).await, std::slice::from_ref(&here));
    assert_eq!(missed(&mut anna).await, []);
    bens.ok(Request::MarkMissedSeen {
        until_ms: here.started_at_ms,
    })
    .await;
    let seen = |event: &Event| matches!(event, Event::MissedSeen { .. }).then_some(());
    kitchen.event_of(seen).await;
    assert_eq!(missed(&mut kitchen).await, []);
    assert_eq!(history(&mut bens).await.len(), 2);
}

#[tokio::test]
async fn somebody_who_was_being_added_when_the_server_died_missed_the_call() {
    let server = Server::start().await;
    let (mut anna, _bens, call) = keyed(&server).await;
    let cleo = server.person("cleo").await;
    let mut cleos = server.app(&cleo).await;
    anna.ok(add(call, &cleo)).await;
    cleos.ring().await;
    let seat = cleos.seat.clone();
    let server = server.killed_and_restarted(Configs::default()).await;
    let mut cleos = Client::connect(&server, &seat).await;
    let kept = missed(&mut cleos).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].call, kept[0].reason),
        (call, EndReason::ServerRestarted)
    );
}
