//! What somebody outside the household can tell: nothing.

use std::time::{Duration, Instant};

use homeline_protocol::session::{DoNotDisturb, EndReason, ErrorCode, Event, Reply, Request, Role};

use super::{a_call, hears_of, quick, rung};
use crate::harness::{Client, Server, start_call};

fn block(handle: &homeline_protocol::Handle) -> Request {
    Request::Block {
        handle: handle.clone(),
    }
}

/// All that a caller learns of a call to a handle: every event, how long it took, what is listed
/// meanwhile and what the history says, without what differs between any two calls.
pub(super) async fn learns(client: &mut Client, handle: &str) -> (String, Duration) {
    let (call, began) = (a_call(), Instant::now());
    client.ok(start_call(call, handle)).await;
    let Reply::Calls { calls } = client.ok(Request::ListCalls).await else {
        panic!()
    };
    let mut seen = format!("{:?} ", (calls[0].phase, &calls[0].party.display_name));
    loop {
        let event = client.event().await;
        seen += &format!("{event:?} ");
        if matches!(event, Event::CallEnded { .. }) {
            break;
        }
    }
    let took = began.elapsed();
    let history = Request::ListHistory {
        before_ms: None,
        limit: 1,
    };
    let Reply::History { calls } = client.ok(history).await else {
        panic!()
    };
    let past = &calls[0];
    let kept = (
        past.direction,
        &past.party.display_name,
        past.answered_at_ms,
        past.reason,
    );
    seen += &format!("{kept:?}");
    let seen = seen
        .replace(&call.to_string(), "call")
        .replace(handle, "callee");
    (seen, took)
}

#[tokio::test]
async fn blocked_away_do_not_disturb_children_and_nobody_are_one_and_the_same() {
    let server = Server::with(quick()).await;
    let (anna, stranger) = (server.person("anna").await, server.person("zoe").await);
    let mut zoe = server.app(&stranger).await;
    server.person("away").await;

    let blocker = server.person("blocker").await;
    let mut blockers = server.app(&blocker).await;
    blockers.ok(block(&stranger.handle)).await;
    let quiet = server.person("quiet").await;
    let mut quiets = server.app(&quiet).await;
    quiets
        .ok(Request::SetDoNotDisturbEverywhere { on: true })
        .await;
    let silent = server.person("silent").await;
    let mut silents = server.app(&silent).await;
    let device = silents.seat.device;
    silents.ok(super::silent(device, true)).await;
    let mia = server.member("mia", anna.household).await;
    let mut phone = server.app(&anna).await;
    let (account, role) = (mia.account, Role::Child);
    phone.ok(Request::SetRole { account, role }).await;
    let mut tablet = server.childs_app(&mia).await;

    let (expected, time) = learns(&mut zoe, "nobody").await;
    assert!(expected.contains("NoAnswer"), "{expected}");
    for handle in ["away", "blocker", "quiet", "silent", "mia"] {
        let (seen, took) = learns(&mut zoe, handle).await;
        assert_eq!(seen, expected, "{handle}");
        // The whole ring time; far more precise than that, nobody can tell over a network.
        let difference = took.abs_diff(time);
        assert!(
            difference < Duration::from_millis(900),
            "{handle}: {difference:?}"
        );
    }
    // And none of those devices made a sound.
    for device in [&mut blockers, &mut quiets, &mut silents, &mut tablet] {
        let rang = |event: &Event| matches!(event, Event::IncomingCall { .. });
        assert!(!device.events_so_far().await.iter().any(rang));
    }
}

#[tokio::test]
async fn a_block_is_kept_by_its_person_and_can_be_taken_back() {
    let server = Server::with(quick()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut phone, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let mut kitchen = server.home_device(&ben).await;
    bens.ok(block(&anna.handle)).await;
    bens.ok(block(&anna.handle)).await;
    let blocked = async |client: &mut Client| {
        let Reply::Home(home) = client.ok(Request::GetHome).await else {
            panic!()
        };
        home.settings.blocked
    };
    assert_eq!(blocked(&mut bens).await, std::slice::from_ref(&anna.handle));
    assert!(
        blocked(&mut kitchen).await.is_empty(),
        "guests see a device"
    );
    let seen = rung(&mut phone, &ben, [&mut bens, &mut kitchen]).await;
    assert_eq!(seen, [false, false]);
    // It goes one way only.
    assert!(rung(&mut bens, &anna, [&mut phone]).await[0]);
    let handle = anna.handle.clone();
    bens.ok(Request::Unblock { handle }).await;
    assert!(rung(&mut phone, &ben, [&mut bens]).await[0]);
    assert_eq!(kitchen.err(block(&anna.handle)).await, ErrorCode::Forbidden);
    assert_eq!(bens.err(block(&ben.handle)).await, ErrorCode::BadRequest);
}

#[tokio::test]
async fn a_stranger_who_calls_too_often_rings_nothing_and_a_contact_always_does() {
    let server = Server::with(quick()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut phone, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    for number in 0..6 {
        let rang = rung(&mut phone, &ben, [&mut bens]).await[0];
        assert_eq!(rang, number < 5, "call {number}");
    }
    let call = phone.call(&ben).await;
    assert_eq!(phone.ended(call).await, EndReason::NoAnswer);
    server.contact(&ben, &anna.handle).await;
    assert!(rung(&mut phone, &ben, [&mut bens]).await[0]);
}

#[tokio::test]
async fn a_device_that_comes_online_while_it_rings_is_asked_by_the_same_rules() {
    let server = Server::start().await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut phone, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let do_not_disturb = DoNotDisturb {
        everywhere: true,
        ..DoNotDisturb::default()
    };
    bens.ok(Request::SetDoNotDisturb { do_not_disturb }).await;
    let call = phone.call(&ben).await;
    let mut tablet = server.app(&ben).await;
    assert!(!hears_of(&mut tablet, call).await);
    phone.ok(Request::Cancel { call }).await;
    bens.ok(Request::SetDoNotDisturbEverywhere { on: false })
        .await;
    let call = phone.call(&ben).await;
    let mut laptop = server.app(&ben).await;
    assert_eq!(laptop.incoming().await, call);
}
