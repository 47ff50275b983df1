//! Busy is a word of the household. Outside it, whoever is in a call looks like anybody who does not
//! answer.

use homeline_protocol::id::CallId;
use homeline_protocol::session::{Callee, EndReason, ErrorCode, Event, Reply, Request};
use homeline_signaling::domain::calls::CallsConfig;

use super::strangers::learns;
use super::{a_call, quick};
use crate::group_calls::{add, commit};
use crate::harness::{Client, Configs, Person, Server, start_call};

/// Every account takes part in one call at once, and it rings for two seconds.
fn one_call_each() -> Configs {
    let calls = CallsConfig {
        running_per_account_max: 1,
        ..quick().calls
    };
    Configs {
        calls,
        ..Configs::default()
    }
}

/// The two talk, and the call has keys.
pub(crate) async fn talk(a: &mut Client, b: &mut Client, whom: &Person) -> CallId {
    let call = a.call(whom).await;
    assert_eq!(b.ring().await, call);
    b.answer(call).await;
    let joined = |event: &Event| matches!(event, Event::CallAnswered { .. }).then_some(());
    a.event_of(joined).await;
    a.ok(commit(call, 0, Some(b.seat.device), vec![])).await;
    call
}

async fn waiting(client: &mut Client) -> CallId {
    let waits = |event: &Event| match event {
        Event::CallWaiting { call, .. } => Some(*call),
        _ => None,
    };
    client.event_of(waits).await
}

/// The reason with which whoever was to be added did not come.
pub(super) async fn not_added(client: &mut Client) -> EndReason {
    let ended = |event: &Event| match event {
        Event::AddingEnded { reason, .. } => Some(*reason),
        Event::AddingRinging { .. } => panic!("it rings"),
        _ => None,
    };
    client.event_of(ended).await
}

async fn missed(client: &mut Client) -> Vec<EndReason> {
    let Reply::Missed { calls } = client.ok(Request::ListMissed).await else {
        panic!()
    };
    calls.iter().map(|call| call.reason).collect()
}

// req: CALL-2
#[tokio::test]
async fn who_has_as_many_calls_as_they_may_is_busy_to_the_family_and_out_to_everybody_else() {
    let server = Server::with(one_call_each()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut annas, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    talk(&mut annas, &mut bens, &ben).await;
    bens.events_so_far().await;

    let mut zoe = server.app(&server.person("zoe").await).await;
    let (expected, _) = learns(&mut zoe, "nobody").await;
    assert!(expected.contains("NoAnswer"), "{expected}");
    let ask = zoe.ask(start_call(a_call(), "ben")).await;
    zoe.reply(ask).await;
    // A device of his that comes online meanwhile does not ring either.
    let mut tablet = server.app(&ben).await;
    assert_eq!(zoe.event_of(end).await, EndReason::NoAnswer);
    let (seen, _) = learns(&mut zoe, "ben").await;
    assert_eq!(seen, expected);
    for device in [&mut bens, &mut tablet] {
        let asked = |event: &Event| {
            matches!(
                event,
                Event::IncomingCall { .. } | Event::CallWaiting { .. }
            )
        };
        assert!(!device.events_so_far().await.iter().any(asked));
    }
    // He finds both among the calls that he missed.
    let no_answer = EndReason::NoAnswer;
    assert_eq!(missed(&mut bens).await, [no_answer, no_answer]);

    let mut cleo = server
        .app(&server.member("cleo", ben.household).await)
        .await;
    cleo.ok(start_call(a_call(), "ben")).await;
    assert_eq!(cleo.event_of(end).await, EndReason::Busy);
}

fn end(event: &Event) -> Option<EndReason> {
    match event {
        Event::CallEnded { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[tokio::test]
async fn a_device_in_a_call_that_refuses_another_is_busy_to_the_family_and_silent_to_everybody_else()
 {
    let server = Server::with(quick()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut annas, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    talk(&mut annas, &mut bens, &ben).await;

    let mut zoe = server.app(&server.person("zoe").await).await;
    let (expected, _) = learns(&mut zoe, "nobody").await;
    let refusing = async {
        let call = waiting(&mut bens).await;
        bens.ok(Request::RefuseInvitation { call }).await;
    };
    let ((), (seen, _)) = tokio::join!(refusing, learns(&mut zoe, "ben"));
    assert_eq!(seen, expected);

    let mut cleo = server
        .app(&server.member("cleo", ben.household).await)
        .await;
    let call = cleo.call(&ben).await;
    assert_eq!(waiting(&mut bens).await, call);
    bens.ok(Request::RefuseInvitation { call }).await;
    assert_eq!(cleo.ended(call).await, EndReason::Busy);
}

#[tokio::test]
async fn adding_somebody_busy_from_outside_looks_like_adding_nobody() {
    let server = Server::with(one_call_each()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut annas, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let call = talk(&mut annas, &mut bens, &ben).await;
    let (dora, emil) = (server.person("dora").await, server.person("emil").await);
    let (mut doras, mut emils) = (server.app(&dora).await, server.app(&emil).await);
    talk(&mut doras, &mut emils, &emil).await;
    emils.events_so_far().await;

    let mut nobody = emil.clone();
    nobody.handle = "nobody".parse().unwrap();
    for whom in [nobody, emil] {
        annas.ok(add(call, &whom)).await;
        let reason = not_added(&mut annas).await;
        assert_eq!(reason, EndReason::NoAnswer, "{}", whom.handle);
    }
    let asked = |event: &Event| {
        matches!(
            event,
            Event::IncomingCall { .. } | Event::CallWaiting { .. }
        )
    };
    assert!(!emils.events_so_far().await.iter().any(asked));
    assert_eq!(missed(&mut emils).await, [EndReason::NoAnswer]);

    // Of her own household Anna is told.
    let finn = server.member("finn", anna.household).await;
    let mut finns = server.app(&finn).await;
    finns.ok(start_call(a_call(), "dora")).await;
    let request = Request::AddToCall {
        call,
        to: Callee::Person {
            handle: finn.handle.clone(),
        },
        invitation: crate::harness::blob("invitation"),
    };
    assert_eq!(annas.err(request).await, ErrorCode::LimitReached);
}
