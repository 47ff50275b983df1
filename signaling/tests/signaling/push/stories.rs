//! What works: who is woken, when, and what the push says.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use homeline_e2ee::certificate::Kind;
use homeline_protocol::Secret;
use homeline_protocol::http::PushDecline;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{EndReason, ErrorCode, Event, PushNotice, Request};
use homeline_signaling::SignalingConfig;
use sha2::{Digest as _, Sha256};

use super::service::{Answer, Device, PushService, Pushed};
use crate::harness::{answer, fresh, ringing, start_call};
use crate::pairing::pair;
use crate::support::{Person, Server, Session};

/// Pushes go to this machine here, and a connection that is about to end delays none for long.
pub(super) fn nearby(config: &mut SignalingConfig) {
    config.push.allow_private_endpoints = true;
    config.push.contact = "mailto:operator@homeline.example".to_owned();
    config.push.wake_after_secs = 0;
}

async fn start(change: impl FnOnce(&mut SignalingConfig)) -> Server {
    Server::start_with_calls(|config| {
        nearby(config);
        change(config);
    })
    .await
}

/// Signs up, has the device woken at this path, and closes the app.
pub(super) async fn closed_app(
    server: &Server,
    handle: &str,
    service: &PushService,
    device: &Device,
) -> Person {
    let person = Person::founder(server, handle).await;
    let mut session = person.session(server).await;
    session.done(service.subscribe(device, handle)).await;
    person
}

pub(super) async fn call(caller: &mut Session, handle: &str) -> CallId {
    let call = CallId(fresh());
    caller.done(start_call(call, handle)).await;
    call
}

pub(super) async fn ended(session: &mut Session, call: CallId) -> EndReason {
    session
        .event(|event| match event {
            Event::CallEnded {
                call: ended,
                reason,
            } if *ended == call => Some(*reason),
            _ => None,
        })
        .await
}

async fn incoming(session: &mut Session) -> CallId {
    session
        .event(|event| match event {
            Event::IncomingCall { call, .. } => Some(*call),
            _ => None,
        })
        .await
}

// req: CALL-4
#[tokio::test]
async fn a_closed_app_is_woken_opens_its_session_rings_and_answers() {
    let server = start(|_| ()).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let ben = closed_app(&server, "ben", &service, &device).await;
    let mut caller = anna.session(&server).await;
    let call = call(&mut caller, "ben").await;

    let pushed = service.message().await;
    let claims = pushed.verify(&server, &service).await;
    assert_eq!(claims["sub"], "mailto:operator@homeline.example");
    assert_eq!(pushed.path, "ben");
    assert_eq!(pushed.header("ttl"), "45", "as long as it rings");
    assert_eq!(pushed.header("urgency"), "high");
    assert_eq!(pushed.header("topic").len(), 32);
    assert_eq!(pushed.header("content-encoding"), "aes128gcm");
    let PushNotice::Ring {
        call: rung,
        expires_at_ms,
        caller: tag,
        ..
    } = device.read(&pushed)
    else {
        panic!("it rings");
    };
    assert_eq!(rung, call);
    assert_eq!(expires_at_ms, server.now().0 + 45_000);
    let text = [b"homeline push caller v1".as_slice(), &call.0, b"anna"].concat();
    assert_eq!(
        tag.0,
        Sha256::digest(text).to_vec(),
        "a contact is known by it"
    );

    let mut woken = ben.session(&server).await;
    assert_eq!(incoming(&mut woken).await, call);
    woken.done(ringing(call)).await;
    woken.done(answer(call)).await;
    let answered = |event: &Event| matches!(event, Event::CallAnswered { .. }).then_some(());
    caller.event(answered).await;
    let reason = EndReason::HungUp;
    woken.done(Request::HangUp { call, reason }).await;
    assert_eq!(ended(&mut caller, call).await, EndReason::HungUp);
    woken.home().await;
    assert!(service.is_empty(), "who took part needs no push of the end");
}

// req: CALL-15
#[tokio::test]
async fn the_end_of_a_call_takes_the_place_of_its_ring() {
    let server = start(|_| ()).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let ben = closed_app(&server, "ben", &service, &device).await;
    let mut caller = anna.session(&server).await;

    let missed = call(&mut caller, "ben").await;
    let ring = service.message().await;
    caller.done(Request::Cancel { call: missed }).await;
    let end = service.message().await;
    end.verify(&server, &service).await;
    assert_eq!(end.header("topic"), ring.header("topic"));
    assert_eq!(end.header("ttl"), "86400");
    assert!(matches!(device.read(&end), PushNotice::Missed { call, .. } if call == missed));

    // Another device of Ben's answers: the closed one is told that it is over.
    let mut open = ben.session(&server).await;
    let kitchen = pair(&server, &ben, &mut open, Kind::HomeDevice).await;
    drop(open);
    let mut kitchen = server.session(&kitchen.token).await;
    let answered = call(&mut caller, "ben").await;
    let ring = service.message().await;
    assert_eq!(incoming(&mut kitchen).await, answered);
    kitchen.done(ringing(answered)).await;
    kitchen.done(answer(answered)).await;
    let end = service.message().await;
    assert_eq!(end.header("topic"), ring.header("topic"));
    let over = PushNotice::Over {
        call: answered,
        reason: EndReason::AnsweredElsewhere,
    };
    assert_eq!(device.read(&end), over);
}

#[tokio::test]
async fn a_call_waits_for_a_device_that_is_being_woken_as_for_one_that_is_away() {
    let server = start(|config| {
        config.calls.ring_timeout_secs = 2;
    })
    .await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let _ben = closed_app(&server, "ben", &service, &device).await;
    let _cleo = Person::founder(&server, "cleo").await;
    let mut caller = anna.session(&server).await;
    let woken = call(&mut caller, "ben").await;
    service.message().await;
    assert_eq!(ended(&mut caller, woken).await, EndReason::NoAnswer);
    let notice = device.read(&service.message().await);
    assert!(matches!(notice, PushNotice::Missed { .. }), "{notice:?}");
    let asleep = call(&mut caller, "cleo").await;
    assert_eq!(ended(&mut caller, asleep).await, EndReason::NoAnswer);
}

#[tokio::test]
async fn a_connected_device_is_pushed_only_when_it_does_not_ring_by_itself() {
    let server = start(|config| config.push.wake_after_secs = 1).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let ben = Person::founder(&server, "ben").await;
    let mut app = ben.session(&server).await;
    app.done(service.subscribe(&device, "ben")).await;
    let mut caller = anna.session(&server).await;
    let rung = call(&mut caller, "ben").await;
    assert_eq!(incoming(&mut app).await, rung);
    app.done(ringing(rung)).await;
    let rings = |event: &Event| matches!(event, Event::DeviceRinging { .. }).then_some(());
    caller.event(rings).await;
    caller.done(Request::Cancel { call: rung }).await;
    // Its page is asleep, and its connection does not know that yet.
    let unheard = call(&mut caller, "ben").await;
    let notice = device.read(&service.message().await);
    assert!(matches!(notice, PushNotice::Ring { call, .. } if call == unheard));
}

#[tokio::test]
async fn a_subscription_that_has_ended_is_forgotten() {
    let server = start(|config| config.calls.ring_timeout_secs = 2).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let _ben = closed_app(&server, "ben", &service, &device).await;
    let mut caller = anna.session(&server).await;
    service.next(Answer::Status(410));
    let first = call(&mut caller, "ben").await;
    service.message().await;
    assert_eq!(ended(&mut caller, first).await, EndReason::NoAnswer);
    let second = call(&mut caller, "ben").await;
    assert_eq!(ended(&mut caller, second).await, EndReason::NoAnswer);
    assert!(service.is_empty(), "nothing is sent there any more");
}

#[tokio::test]
async fn a_service_that_hangs_or_asks_for_patience_holds_up_nobody_else() {
    let server = start(|config| config.push.try_timeout_secs = 1).await;
    let (mut slow, mut quick) = (PushService::start().await, PushService::start().await);
    let device = Device::new(7);
    let anna = Person::founder(&server, "anna").await;
    let ben = closed_app(&server, "ben", &slow, &device).await;
    let mut app = ben.session(&server).await;
    app.done(quick.subscribe(&device, "ben")).await;
    drop(app);
    slow.next(Answer::Silence);
    slow.next(Answer::Later(2));
    let mut caller = anna.session(&server).await;
    let called = Instant::now();
    let rung = call(&mut caller, "ben").await;
    slow.message().await;
    quick.message().await;
    let asked = slow.message().await;
    let left = |message: &Pushed| message.header("ttl").parse::<u64>().unwrap();
    // What is left of 45 seconds of ringing: 44, and less only on a machine that took its time.
    let least = |called: Instant| 44 - called.elapsed().as_secs();
    assert!((least(called)..=44).contains(&left(&asked)));
    let asked_at = Instant::now();
    let again = slow.message().await;
    assert!(asked_at.elapsed() >= Duration::from_millis(1_900));
    assert!(matches!(device.read(&again), PushNotice::Ring { call, .. } if call == rung));
    assert!((least(called)..=left(&asked) - 2).contains(&left(&again)));
}

#[tokio::test]
async fn a_device_has_a_few_addresses_of_which_the_oldest_goes() {
    let server = start(|_| ()).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let ben = closed_app(&server, "ben", &service, &device).await;
    let mut app = ben.session(&server).await;
    for number in 1..=4 {
        server.clock.advance(Duration::from_millis(1));
        app.done(service.subscribe(&device, &format!("ben{number}")))
            .await;
    }
    let endpoint = Secret::new(format!("{}/ben2", service.origin()));
    app.done(Request::DeletePushAddress { endpoint }).await;
    drop(app);
    let mut caller = anna.session(&server).await;
    call(&mut caller, "ben").await;
    let mut paths = Vec::new();
    for _ in 0..3 {
        paths.push(service.message().await.path);
    }
    paths.sort();
    assert_eq!(paths, ["ben1", "ben3", "ben4"]);
}

#[tokio::test]
async fn a_browser_that_changes_hands_rings_for_its_new_person_alone() {
    let server = start(|config| config.calls.ring_timeout_secs = 2).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let _ben = closed_app(&server, "ben", &service, &device).await;
    let cleo = Person::founder(&server, "cleo").await;
    let mut app = cleo.session(&server).await;
    app.done(service.subscribe(&device, "ben")).await;
    drop(app);
    let mut caller = anna.session(&server).await;
    let unheard = call(&mut caller, "ben").await;
    assert_eq!(ended(&mut caller, unheard).await, EndReason::NoAnswer);
    let rung = call(&mut caller, "cleo").await;
    let notice = device.read(&service.message().await);
    assert!(matches!(notice, PushNotice::Ring { call, .. } if call == rung));
}

// req: CALL-4
#[tokio::test]
async fn a_push_declines_its_call_once_without_a_session() {
    let server = start(|_| ()).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let _ben = closed_app(&server, "ben", &service, &device).await;
    let mut caller = anna.session(&server).await;
    let ring = async |caller: &mut Session, service: &mut PushService| {
        let call = call(caller, "ben").await;
        let PushNotice::Ring { decline, .. } = device.read(&service.message().await) else {
            panic!("it rings");
        };
        PushDecline { call, decline }
    };
    let decline = async |body: &PushDecline| server.post("/v1/push/decline", body).await;

    let first = ring(&mut caller, &mut service).await;
    caller.done(Request::Cancel { call: first.call }).await;
    ended(&mut caller, first.call).await;
    assert_eq!(decline(&first).await.code(), ErrorCode::NotFound, "over");
    service.message().await;

    let second = ring(&mut caller, &mut service).await;
    for (what, body) in [
        (
            "another call's secret",
            PushDecline {
                call: second.call,
                ..first.clone()
            },
        ),
        (
            "another call",
            PushDecline {
                call: CallId(fresh()),
                ..second.clone()
            },
        ),
    ] {
        assert_eq!(decline(&body).await.code(), ErrorCode::NotFound, "{what}");
    }
    assert_eq!(decline(&second).await.status.as_u16(), 204);
    assert_eq!(ended(&mut caller, second.call).await, EndReason::Declined);
    assert_eq!(decline(&second).await.code(), ErrorCode::NotFound, "once");
    let third = ring(&mut caller, &mut service).await;
    assert_ne!(third.decline, second.decline, "no push of the end between");
}

#[tokio::test]
async fn neither_pushes_nor_logs_hold_names_handles_or_secrets() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("info,homeline_signaling=trace")
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = start(|_| ()).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "annabella").await;
    let ben = closed_app(&server, "benedict", &service, &device).await;
    let mut caller = anna.session(&server).await;
    // A line of the code that another test reached for the first time just as the subscriber was set is off
    // for good, until this.
    tracing::callsite::rebuild_interest_cache();
    let call = call(&mut caller, "benedict").await;
    let ring = service.message().await;
    caller.done(Request::Cancel { call }).await;
    let missed = service.message().await;
    service.next(Answer::Status(403));
    let refused = self::call(&mut caller, "benedict").await;
    service.message().await;
    caller.done(Request::Cancel { call: refused }).await;

    let PushNotice::Ring { decline, .. } = device.read(&ring) else {
        panic!("it rings");
    };
    let words = |text: &str, what: &str| {
        let text = text.to_lowercase();
        for word in [
            "annabella",
            "benedict",
            &anna.token.expose().to_lowercase(),
            &ben.token.expose().to_lowercase(),
        ] {
            assert!(!text.contains(word), "{what} holds {word}");
        }
    };
    for pushed in [&ring, &missed] {
        words(
            &String::from_utf8(device.decrypt(pushed)).unwrap(),
            "a push",
        );
        words(&format!("{:?}", pushed.headers), "a header");
    }
    let log = log.text();
    assert!(
        log.contains("a push service has taken a message over"),
        "{log}"
    );
    words(&log, "the log");
    assert!(!log.contains(decline.expose()), "the log declines calls");
    assert!(!log.contains(&service.origin()), "the log holds endpoints");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
