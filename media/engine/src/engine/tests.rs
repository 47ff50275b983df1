//! A failed room and bad identities.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

const FAILING: RoomId = RoomId([1; 16]);
const HEALTHY: RoomId = RoomId([2; 16]);

fn engine() -> (Engine, Instant) {
    #[expect(
        clippy::disallowed_methods,
        reason = "an arbitrary start of the test's clock"
    )]
    let now = Instant::now();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let identity = Identity::new(certificate.der().to_vec(), key.serialize_der()).unwrap();
    let mut engine = Engine::new(EngineConfig::default(), identity, [7; 32], now);
    for room in [FAILING, HEALTHY] {
        engine
            .handle_command(now, MediaCommand::CreateRoom { room })
            .unwrap();
    }
    (engine, now)
}

/// A bug shows while the failing room is at work.
fn fail(engine: &mut Engine) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        engine
            .in_room(FAILING, |_, _, _| panic!("a bug, for the test"))
            .unwrap_or(())
    }));
    assert!(panicked.is_err());
}

#[test]
fn a_panic_costs_its_room_and_no_other() {
    let (mut engine, now) = engine();
    fail(&mut engine);
    assert_eq!(engine.drop_failed_room(), Some(FAILING));
    assert_eq!(
        engine.poll_output(),
        Output::Event(MediaEvent::RoomFailed { room: FAILING })
    );
    assert!(matches!(engine.poll_output(), Output::Timeout(_)));
    let ask = |room| MediaCommand::Statistics { room };
    assert_eq!(
        engine.handle_command(now, ask(FAILING)),
        Err(MediaError::NoRoom)
    );
    let empty = Ok(MediaReply::Statistics(Vec::new()));
    assert_eq!(engine.handle_command(now, ask(HEALTHY)), empty);
    assert_eq!(engine.drop_failed_room(), None, "nothing else failed");
}

#[test]
fn other_parts_of_a_room_that_failed_are_told() {
    let (mut engine, now) = engine();
    engine.extend_room(now, FAILING, &[EngineId(1)]);
    assert!(!engine.is_whole(FAILING));
    while !matches!(engine.poll_output(), Output::Timeout(_)) {}
    fail(&mut engine);
    engine.drop_failed_room();
    let failed = MediaEvent::RoomFailed { room: FAILING };
    assert_eq!(engine.poll_output(), Output::Event(failed));
    let farewell = RoomNews::farewell(FAILING);
    assert_eq!(engine.poll_output(), Output::News(EngineId(1), farewell));
}

#[test]
fn news_of_a_healthy_room_outlive_the_failure_of_another() {
    let (mut engine, now) = engine();
    engine.extend_room(now, HEALTHY, &[EngineId(1)]);
    fail(&mut engine);
    engine.drop_failed_room();
    let failed = MediaEvent::RoomFailed { room: FAILING };
    assert_eq!(engine.poll_output(), Output::Event(failed));
    assert!(matches!(
        engine.poll_output(),
        Output::News(EngineId(1), news) if news.room() == HEALTHY
    ));
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    assert_eq!(
        Identity::new(vec![1], vec![2]).err(),
        Some(crate::IdentityError)
    );
}
