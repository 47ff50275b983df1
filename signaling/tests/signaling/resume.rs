//! A lost connection: nothing is lost, nothing happens twice.

use homeline_protocol::id::CallId;
use homeline_protocol::session::{
    EndReason, ErrorCode, Event, Outcome, Presence, Reply, Request, Resume,
};
use homeline_signaling::domain::calls::CallsConfig;
use homeline_signaling::edge::session::SessionConfig;

use crate::calls::{anna_and_ben, talking};
use crate::harness::{Client, Configs, Server, fresh, start_call};

fn presences(events: &[Event]) -> Vec<Presence> {
    let presence = |event: &Event| match event {
        Event::PresenceChanged { presence, .. } => Some(*presence),
        _ => None,
    };
    events.iter().filter_map(presence).collect()
}

#[tokio::test]
async fn events_of_the_time_away_come_once_and_in_order() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let mut phone = server.app(&anna).await;
    let mut kitchen = server.home_device(&anna).await;
    assert_eq!(presences(&phone.events_so_far().await), [Presence::Online]);
    let away = phone.away();
    for presence in [Presence::Asleep, Presence::Online, Presence::Asleep] {
        kitchen.ok(Request::SetPresence { presence }).await;
    }
    // The client checks that the numbers go on without a gap or a repetition.
    let mut phone = away.back(&server).await;
    assert!(phone.resumed);
    let seen = presences(&phone.events_so_far().await);
    assert_eq!(seen, [Presence::Asleep, Presence::Online, Presence::Asleep]);
    phone.ack(0).await;
    let mut phone = phone.away().back(&server).await;
    assert!(phone.resumed && phone.events_so_far().await.is_empty());
}

#[tokio::test]
async fn a_request_of_before_the_loss_is_answered_after_it_and_done_once() {
    let server = Server::start().await;
    let ((_, mut anna), (_, mut bens)) = anna_and_ben(&server).await;
    let call = CallId(fresh());
    let id = anna.ask(start_call(call, "ben")).await;
    assert_eq!(bens.incoming().await, call);
    let mut anna = anna.away().back(&server).await;
    assert!(anna.resumed);
    anna.repeat(id, start_call(call, "ben")).await;
    assert!(matches!(anna.reply(id).await, Outcome::Ok(_)));
    // Even with another body: the id was answered.
    anna.repeat(id, Request::Cancel { call }).await;
    assert!(matches!(anna.reply(id).await, Outcome::Ok(reply) if *reply == Reply::Done));
    let Reply::Calls { calls } = anna.ok(Request::ListCalls).await else {
        panic!()
    };
    assert_eq!(calls.len(), 1, "it was not cancelled");
    let events = bens.events_so_far().await;
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::IncomingCall { .. }))
    );
}

#[tokio::test]
async fn a_call_outlives_a_lost_connection() {
    let server = Server::start().await;
    let (anna, mut bens, call) = talking(&server).await;
    let device = anna.seat.device;
    let connection = move |event: &Event| match event {
        Event::ParticipantConnection {
            device: whose,
            connected,
            ..
        } if *whose == device => Some(*connected),
        _ => None,
    };
    let away = anna.away();
    assert!(!bens.event_of(connection).await);
    let mut anna = away.back(&server).await;
    assert!(bens.event_of(connection).await);
    let hang_up = Request::HangUp {
        call,
        reason: EndReason::HungUp,
    };
    anna.ok(hang_up).await;
    assert_eq!(bens.ended(call).await, EndReason::HungUp);
}

#[tokio::test]
async fn a_new_connection_takes_over_while_the_old_one_still_seems_there() {
    let server = Server::start().await;
    let ((_, mut anna), _) = anna_and_ben(&server).await;
    anna.ok(Request::ListCalls).await;
    let resume = Resume {
        session: anna.session,
        last_event: anna.last_event,
    };
    let second = Client::open(&server, &anna.seat, Some(resume)).await;
    assert!(second.resumed && second.session == anna.session);
    anna.closed().await;
}

#[tokio::test]
async fn whoever_comes_too_late_or_from_elsewhere_begins_anew() {
    let sessions = SessionConfig {
        resume_window_secs: 1,
        ..SessionConfig::default()
    };
    let calls = CallsConfig {
        device_lost_after_secs: 1,
        ..CallsConfig::default()
    };
    let configs = Configs {
        sessions,
        calls,
        ..Configs::default()
    };
    let server = Server::with(configs).await;
    let ((_, anna), (_, mut bens)) = anna_and_ben(&server).await;
    let cleo = server.person("cleo").await;
    let mut cleos = server.app(&cleo).await;

    let stolen = Resume {
        session: bens.session,
        last_event: 0,
    };
    let thief = Client::open(&server, &cleos.seat, Some(stolen)).await;
    assert!(!thief.resumed && thief.session != bens.session);
    assert_eq!(cleos.goodbye().await.code, ErrorCode::SessionReplaced);
    bens.ok(Request::ListCalls).await;

    let ahead = Resume {
        session: bens.session,
        last_event: 99,
    };
    assert!(
        !Client::open(&server, &bens.seat, Some(ahead)).await.resumed,
        "of events never sent"
    );

    let away = anna.away();
    server.until(|figures| figures.sessions.running == 1).await;
    assert!(!away.back(&server).await.resumed, "too late");
}
