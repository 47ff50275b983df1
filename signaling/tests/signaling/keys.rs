//! How the server relays a call's keys, over real sessions.

use homeline_protocol::id::{CallId, DeviceId, RoomId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{EndReason, ErrorCode, Event, Request, WelcomeFor};
use homeline_signaling::domain::calls::CallsConfig;

use crate::calls::{anna_and_ben, talking};
use crate::harness::{Client, Configs, Server, blob, ringing};

fn commit(call: CallId, epoch: u64) -> Request {
    let commit = blob(&format!("commit of epoch {epoch}"));
    Request::SendCommit {
        call,
        epoch,
        commit,
        welcome: None,
        removed: vec![],
    }
}

fn adding(call: CallId, epoch: u64, device: DeviceId) -> Request {
    let welcome = Some(WelcomeFor {
        device,
        welcome: blob("welcome"),
    });
    let commit = blob(&format!("commit of epoch {epoch}"));
    Request::SendCommit {
        call,
        epoch,
        commit,
        welcome,
        removed: vec![],
    }
}

/// Anna and Ben in a call, and in its group at epoch 1.
async fn in_a_group(server: &Server) -> (Client, Client, CallId) {
    let (mut anna, mut bens, call) = talking(server).await;
    anna.ok(adding(call, 0, bens.seat.device)).await;
    let welcome = |event: &Event| match event {
        Event::GroupWelcome {
            welcome,
            participants,
            ..
        } => Some((welcome.clone(), participants.len())),
        _ => None,
    };
    assert_eq!(bens.event_of(welcome).await, (blob("welcome"), 2));
    assert_eq!(committed(&mut anna).await, (0, anna.seat.device));
    server
        .node
        .was_told(&MediaCommand::RequestKeyFrames {
            room: RoomId(call.0),
        })
        .await;
    (anna, bens, call)
}

async fn committed(client: &mut Client) -> (u64, DeviceId) {
    client
        .event_of(|event| match event {
            Event::GroupCommit { epoch, author, .. } => Some((*epoch, *author)),
            _ => None,
        })
        .await
}

async fn executed(client: &mut Client) -> u64 {
    client
        .event_of(|event| match event {
            Event::EpochExecute { epoch, .. } => Some(*epoch),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_later_commit_executes_when_both_are_ready() {
    let server = Server::start().await;
    let (mut anna, mut bens, call) = in_a_group(&server).await;
    bens.ok(commit(call, 1)).await;
    let author = bens.seat.device;
    for client in [&mut anna, &mut bens] {
        assert_eq!(committed(client).await, (1, author));
    }
    assert_eq!(anna.err(commit(call, 1)).await, ErrorCode::EpochTaken);
    for client in [&mut anna, &mut bens] {
        client.ok(Request::EpochReady { call, epoch: 2 }).await;
    }
    assert_eq!(
        (executed(&mut anna).await, executed(&mut bens).await),
        (2, 2)
    );
}

#[tokio::test]
async fn a_later_commit_executes_without_the_one_who_says_nothing() {
    let calls = CallsConfig {
        key_switch_timeout_ms: 200,
        ..CallsConfig::default()
    };
    let server = Server::with(Configs {
        calls,
        ..Configs::default()
    })
    .await;
    let (mut anna, mut bens, call) = in_a_group(&server).await;
    anna.ok(commit(call, 1)).await;
    anna.ok(Request::EpochReady { call, epoch: 2 }).await;
    assert_eq!(
        (executed(&mut anna).await, executed(&mut bens).await),
        (2, 2)
    );
}

#[tokio::test]
async fn messages_go_to_the_other_members_and_to_nobody_else() {
    let server = Server::start().await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let mut kitchen = server.home_device(&ben).await;
    let call = anna.call(&ben).await;
    bens.ring().await;
    kitchen.ring().await;
    let message = Request::SendGroupMessage {
        call,
        message: blob("hello"),
    };
    assert_eq!(
        bens.err(commit(call, 0)).await,
        ErrorCode::Conflict,
        "nobody has answered"
    );
    bens.answer(call).await;
    assert_eq!(
        bens.err(message.clone()).await,
        ErrorCode::Forbidden,
        "not a member yet"
    );
    assert_eq!(
        kitchen.err(message.clone()).await,
        ErrorCode::AnsweredElsewhere
    );
    let stranger = adding(call, 0, kitchen.seat.device);
    assert_eq!(
        anna.err(stranger).await,
        ErrorCode::BadRequest,
        "it has not answered"
    );
    anna.ok(adding(call, 0, bens.seat.device)).await;
    bens.ok(message).await;
    let said = |event: &Event| match event {
        Event::GroupMessage {
            author, message, ..
        } => Some((*author, message.clone())),
        _ => None,
    };
    assert_eq!(anna.event_of(said).await, (bens.seat.device, blob("hello")));
    assert!(
        !kitchen
            .events_so_far()
            .await
            .iter()
            .any(|event| said(event).is_some())
    );
}

#[tokio::test]
async fn a_reloaded_page_is_let_in_anew() {
    let server = Server::start().await;
    let (mut anna, bens, call) = in_a_group(&server).await;
    let seat = bens.seat.clone();
    drop(bens);
    let mut bens = Client::connect(&server, &seat).await;
    bens.ok(ringing(call)).await;
    let asked = |event: &Event| match event {
        Event::CallAnswered { device, .. } => Some(*device),
        _ => None,
    };
    while anna.event_of(asked).await != seat.device {}
    anna.ok(adding(call, 1, seat.device)).await;
    let welcomed = |event: &Event| matches!(event, Event::GroupWelcome { .. }).then_some(());
    bens.event_of(welcomed).await;
    anna.ok(Request::EpochReady { call, epoch: 2 }).await;
    assert_eq!(
        (executed(&mut anna).await, executed(&mut bens).await),
        (2, 2)
    );
}

#[tokio::test]
async fn a_member_who_is_removed_is_cut_off_at_once() {
    let server = Server::start().await;
    let (mut anna, mut bens, call) = in_a_group(&server).await;
    bens.offer(call).await;
    let Request::SendCommit {
        epoch,
        commit,
        welcome,
        ..
    } = commit(call, 1)
    else {
        panic!()
    };
    let removed = vec![bens.seat.device];
    anna.ok(Request::SendCommit {
        call,
        epoch,
        commit,
        welcome,
        removed,
    })
    .await;
    assert_eq!(committed(&mut bens).await.0, 1);
    assert_eq!(bens.ended(call).await, EndReason::HungUp);
    assert_eq!(anna.ended(call).await, EndReason::HungUp);
    let peer = bens.peer();
    server
        .node
        .was_told(&MediaCommand::RemovePeer {
            room: RoomId(call.0),
            peer,
        })
        .await;
}
