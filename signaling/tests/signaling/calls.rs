//! Calls over real sessions: ringing, answering and every way to end.

use std::time::Duration;

use homeline_protocol::id::{CallId, PeerId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaEvent};
use homeline_protocol::session::{
    CallDirection, CallPhase, EndReason, ErrorCode, Event, MediaState, PastCall, Reply, Request,
};
use homeline_signaling::domain::calls::CallsConfig;

use crate::harness::{
    Client, Configs, Person, SWITCHES, Server, answer, fresh, offer, ringing, start_call,
};

/// Two people who have each other among their contacts, with an app each, connected.
pub(crate) async fn anna_and_ben(server: &Server) -> ((Person, Client), (Person, Client)) {
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (phone, bens) = (server.app(&anna).await, server.app(&ben).await);
    server.contact(&anna, &ben.handle).await;
    server.contact(&ben, &anna.handle).await;
    ((anna, phone), (ben, bens))
}

/// Anna calls Ben, who answers.
pub(crate) async fn talking(server: &Server) -> (Client, Client, CallId) {
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(server).await;
    let call = anna.call(&ben).await;
    assert_eq!(bens.ring().await, call);
    bens.answer(call).await;
    (anna, bens, call)
}

async fn last_of(client: &mut Client) -> PastCall {
    let Reply::History { mut calls } = client
        .ok(Request::ListHistory {
            before_ms: None,
            limit: 10,
        })
        .await
    else {
        panic!("no history");
    };
    calls.remove(0)
}

fn quick() -> Configs {
    let calls = CallsConfig {
        ring_timeout_secs: 4,
        unreachable_after_secs: 2,
        caller_grace_secs: 1,
        device_lost_after_secs: 1,
        ..CallsConfig::default()
    };
    Configs {
        calls,
        ..Configs::default()
    }
}

fn in_both_histories(hers: PastCall, his: &PastCall) {
    assert_eq!(
        (hers.direction, his.direction),
        (CallDirection::Outgoing, CallDirection::Incoming)
    );
    assert_eq!(
        (
            hers.party.display_name.as_str(),
            his.party.display_name.as_str()
        ),
        ("BEN", "ANNA")
    );
    assert!(hers.answered_at_ms.is_some());
    // All the rest is the same for both.
    assert_eq!(
        PastCall {
            direction: his.direction,
            party: his.party.clone(),
            ..hers
        },
        *his
    );
    assert_eq!(his.reason, EndReason::HungUp);
}

// req: CALL-1, CALL-2, CALL-5, CALL-6, REG-5, REG-8
#[tokio::test]
async fn a_call_rings_everywhere_is_answered_once_and_ends_for_both() {
    let server = Server::start().await;
    let ((anna, mut phone), (ben, mut app)) = anna_and_ben(&server).await;
    let mut tablet = server.app(&ben).await;
    let mut kitchen = server.home_device(&ben).await;
    let mut annas_kitchen = server.home_device(&anna).await;

    let call = phone.call(&ben).await;
    for device in [&mut app, &mut tablet, &mut kitchen] {
        let (incoming, from, to) = device
            .event_of(|event| match event {
                Event::IncomingCall { call, from, to, .. } => {
                    Some((*call, from.clone(), to.clone()))
                }
                _ => None,
            })
            .await;
        assert_eq!((incoming, from.display_name.as_str()), (call, "ANNA"));
        assert_eq!(to.handle, ben.handle);
        device.ok(ringing(call)).await;
    }
    for _ in 0..3 {
        phone
            .event_of(|event| matches!(event, Event::DeviceRinging { .. }).then_some(()))
            .await;
    }

    kitchen.answer(call).await;
    let (device, media) = phone
        .event_of(|event| match event {
            Event::CallAnswered { device, media, .. } => Some((*device, *media)),
            _ => None,
        })
        .await;
    assert_eq!((device, media), (kitchen.seat.device, SWITCHES));
    for other in [&mut app, &mut tablet] {
        assert_eq!(other.ended(call).await, EndReason::AnsweredElsewhere);
        assert_eq!(other.err(answer(call)).await, ErrorCode::AnsweredElsewhere);
    }
    let rings = |event: &Event| matches!(event, Event::IncomingCall { .. });
    let events = annas_kitchen.events_so_far().await;
    assert!(
        !events.iter().any(rings),
        "the caller's own devices are quiet"
    );

    kitchen
        .ok(Request::HangUp {
            call,
            reason: EndReason::HungUp,
        })
        .await;
    assert_eq!(kitchen.ended(call).await, EndReason::HungUp);
    assert_eq!(phone.ended(call).await, EndReason::HungUp);
    in_both_histories(last_of(&mut phone).await, &last_of(&mut app).await);
    server
        .node
        .was_told(&MediaCommand::CloseRoom {
            room: RoomId(call.0),
        })
        .await;
}

#[tokio::test]
async fn declining_cancelling_and_hanging_up_have_their_reasons() {
    let server = Server::start().await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let mut kitchen = server.home_device(&ben).await;

    let call = anna.call(&ben).await;
    kitchen.ring().await;
    bens.ring().await;
    bens.ok(Request::Decline { call }).await;
    for client in [&mut anna, &mut bens, &mut kitchen] {
        assert_eq!(client.ended(call).await, EndReason::Declined);
    }
    assert_eq!(
        anna.err(Request::Cancel { call }).await,
        ErrorCode::CallEnded
    );

    let call = anna.call(&ben).await;
    bens.ring().await;
    anna.ok(Request::Cancel { call }).await;
    for client in [&mut anna, &mut bens, &mut kitchen] {
        assert_eq!(client.ended(call).await, EndReason::Cancelled);
    }
    assert_eq!(bens.err(answer(call)).await, ErrorCode::CallEnded);

    for reason in [
        EndReason::EncryptionRefused,
        EndReason::MediaFailed,
        EndReason::HungUp,
    ] {
        let call = anna.call(&ben).await;
        bens.ring().await;
        bens.answer(call).await;
        anna.ok(Request::HangUp { call, reason }).await;
        assert_eq!(anna.ended(call).await, reason);
        assert_eq!(bens.ended(call).await, reason);
        assert_eq!(last_of(&mut bens).await.reason, reason);
    }
    let call = anna.call(&ben).await;
    bens.ring().await;
    bens.answer(call).await;
    let busy = Request::HangUp {
        call,
        reason: EndReason::Busy,
    };
    assert_eq!(
        anna.err(busy).await,
        ErrorCode::BadRequest,
        "no reason that a person gives"
    );
}

#[tokio::test]
async fn a_handle_that_nobody_has_looks_like_a_person_who_is_out() {
    let server = Server::with(quick()).await;
    let ((_, mut anna), _) = anna_and_ben(&server).await;
    let out = server.person("cleo").await;
    server
        .seat(&out, homeline_protocol::session::DeviceKind::App)
        .await;
    let mut seen = Vec::new();
    for handle in ["cleo", "nobody"] {
        let call = CallId(fresh());
        let begun = tokio::time::Instant::now();
        anna.ok(start_call(call, handle)).await;
        let Reply::Calls { calls } = anna.ok(Request::ListCalls).await else {
            panic!()
        };
        assert_eq!(calls[0].phase, CallPhase::Inviting);
        assert_eq!(calls[0].party.display_name, handle);
        let reason = anna.ended(call).await;
        let past = last_of(&mut anna).await;
        assert_eq!(
            past.party.display_name, handle,
            "the history does not tell either"
        );
        assert!(
            begun.elapsed() >= Duration::from_secs(4),
            "the whole ring time"
        );
        seen.push((reason, past.reason, past.answered_at_ms));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].0, EndReason::NoAnswer);
}

#[tokio::test]
async fn a_call_that_nobody_answers_ends() {
    let server = Server::with(quick()).await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let call = anna.call(&ben).await;
    bens.ring().await;
    assert_eq!(anna.ended(call).await, EndReason::NoAnswer);
    assert_eq!(bens.ended(call).await, EndReason::NoAnswer);
    assert_eq!(last_of(&mut bens).await.reason, EndReason::NoAnswer);
}

#[tokio::test]
async fn a_device_that_comes_online_while_it_rings_gets_the_call_too() {
    let server = Server::start().await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let call = anna.call(&ben).await;
    bens.ring().await;
    let mut kitchen = server.home_device(&ben).await;
    assert_eq!(kitchen.ring().await, call);
    kitchen.answer(call).await;
    assert_eq!(bens.ended(call).await, EndReason::AnsweredElsewhere);
}

#[tokio::test]
async fn somebody_in_a_call_who_takes_no_notice_looks_away_from_outside() {
    let server = Server::with(quick()).await;
    let (mut anna, mut bens, call) = talking(&server).await;
    let cleo = server.person("cleo").await;
    let mut cleos = server.app(&cleo).await;
    let second = CallId(fresh());
    cleos.ok(start_call(second, "ben")).await;
    assert_eq!(cleos.ended(second).await, EndReason::NoAnswer);
    let events = bens.events_so_far().await;
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::IncomingCall { .. }))
    );
    assert_eq!(
        anna.err(start_call(CallId(fresh()), "cleo")).await,
        ErrorCode::AlreadyInCall
    );
    anna.ok(Request::HangUp {
        call,
        reason: EndReason::HungUp,
    })
    .await;
}

#[tokio::test]
async fn two_who_call_each_other_at_once_talk_in_one_call() {
    let server = Server::start().await;
    let ((anna, mut phone), (ben, mut bens)) = anna_and_ben(&server).await;
    let hers = phone.call(&ben).await;
    let his = bens.call(&anna).await;
    assert_eq!(phone.ring().await, his);
    assert_eq!(bens.ring().await, hers);
    bens.answer(hers).await;
    assert_eq!(bens.ended(his).await, EndReason::Cancelled);
    assert_eq!(phone.ended(his).await, EndReason::Cancelled);
    let Reply::Calls { calls } = phone.ok(Request::ListCalls).await else {
        panic!()
    };
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].call, calls[0].phase, calls[0].here),
        (hers, CallPhase::Answered, true)
    );
}

#[tokio::test]
async fn starting_a_call_twice_rings_once() {
    let server = Server::start().await;
    let ((_, mut anna), (_, mut bens)) = anna_and_ben(&server).await;
    let call = CallId(fresh());
    anna.ok(start_call(call, "ben")).await;
    anna.ok(start_call(call, "ben")).await;
    bens.incoming().await;
    let again = bens.events_so_far().await;
    assert!(
        !again
            .iter()
            .any(|event| matches!(event, Event::IncomingCall { .. }))
    );
    anna.ok(Request::Cancel { call }).await;
    assert_eq!(anna.ended(call).await, EndReason::Cancelled);
    assert_eq!(
        anna.err(start_call(call, "ben")).await,
        ErrorCode::CallEnded
    );
    assert_eq!(
        bens.err(start_call(call, "anna")).await,
        ErrorCode::CallEnded,
        "of another's call"
    );
}

#[tokio::test]
async fn the_other_side_sees_the_switches() {
    let server = Server::start().await;
    let (mut anna, mut bens, call) = talking(&server).await;
    let muted = MediaState {
        microphone: false,
        camera: true,
    };
    bens.ok(Request::SetMedia { call, media: muted }).await;
    let device = bens.seat.device;
    anna.event_of(|event| match event {
        Event::Participants { participants, .. } => participants
            .iter()
            .any(|one| one.device == device && one.media == muted)
            .then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn a_silent_connection_is_shown_and_a_lost_device_ends_the_call() {
    let server = Server::with(quick()).await;
    let (mut anna, mut bens, call) = talking(&server).await;
    let (room, device) = (RoomId(call.0), bens.seat.device);
    let peer = PeerId(device.0);
    bens.offer(call).await;
    let connection = |event: &Event| match event {
        Event::ParticipantConnection {
            device, connected, ..
        } => Some((*device, *connected)),
        _ => None,
    };
    server
        .node
        .say(MediaEvent::PeerConnected { room, peer })
        .await;
    server.node.say(MediaEvent::PeerSilent { room, peer }).await;
    assert_eq!(anna.event_of(connection).await, (device, false));
    server
        .node
        .say(MediaEvent::PeerConnected { room, peer })
        .await;
    assert_eq!(anna.event_of(connection).await, (device, true));
    drop(bens);
    assert_eq!(anna.event_of(connection).await, (device, false));
    server.node.say(MediaEvent::PeerClosed { room, peer }).await;
    assert_eq!(anna.ended(call).await, EndReason::DeviceLost);
    assert_eq!(last_of(&mut anna).await.reason, EndReason::DeviceLost);
}

#[tokio::test]
async fn a_caller_who_goes_while_it_rings_cancels() {
    let server = Server::with(quick()).await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let call = anna.call(&ben).await;
    bens.ring().await;
    drop(anna);
    assert_eq!(bens.ended(call).await, EndReason::Cancelled);
}

#[tokio::test]
async fn a_device_removed_in_mid_call_is_out_at_once() {
    let server = Server::start().await;
    let (mut anna, mut bens, call) = talking(&server).await;
    server
        .bus
        .end_sessions(bens.seat.device, ErrorCode::DeviceRevoked);
    assert_eq!(bens.goodbye().await.code, ErrorCode::DeviceRevoked);
    assert_eq!(anna.ended(call).await, EndReason::DeviceRevoked);
}

#[tokio::test]
async fn a_killed_server_ends_its_calls_as_restarted_on_both_sides() {
    let server = Server::start().await;
    let (anna, bens, call) = talking(&server).await;
    let (hers, his) = (anna.seat.clone(), bens.seat.clone());
    let server = server.killed_and_restarted(Configs::default()).await;
    for seat in [hers, his] {
        let mut client = Client::connect(&server, &seat).await;
        assert_eq!(client.ended(call).await, EndReason::ServerRestarted);
        let past = last_of(&mut client).await;
        assert_eq!((past.call, past.reason), (call, EndReason::ServerRestarted));
        assert!(past.answered_at_ms.is_some());
    }
}

#[tokio::test]
async fn what_is_not_yours_is_not_found() {
    let server = Server::start().await;
    let (_anna, _bens, call) = talking(&server).await;
    let cleo = server.person("cleo").await;
    let mut cleos = server.app(&cleo).await;
    let hang_up = Request::HangUp {
        call,
        reason: EndReason::HungUp,
    };
    for request in [
        hang_up,
        answer(call),
        offer(call),
        ringing(call),
        Request::GetQuality { call },
    ] {
        assert_eq!(cleos.err(request).await, ErrorCode::NotFound);
    }
    assert_eq!(
        cleos.err(start_call(CallId(fresh()), "cleo")).await,
        ErrorCode::BadRequest
    );
}
