//! The steps of a pairing, in and out of order.

use homeline_protocol::Blob;
use homeline_protocol::http::{PairingReveal, PairingState};
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::DeviceKind;

use super::machine::{AppSide, Stage, Step};
use super::{AppPairingError, DevicePairingError};
use crate::domain::identity::{PublicKey, pairing_commit};

const PHONE: DeviceId = DeviceId([1; 16]);
const TABLET: DeviceId = DeviceId([2; 16]);

fn blob(byte: u8) -> Blob {
    Blob(vec![byte; 32])
}

fn reveal(label: &str) -> PairingReveal {
    PairingReveal {
        device_key: blob(5),
        nonce: blob(6),
        kind: DeviceKind::HomeDevice,
        label: label.to_owned(),
    }
}

fn committed() -> [u8; 32] {
    pairing_commit(
        PublicKey([5; 32]),
        &[6; 32],
        DeviceKind::HomeDevice,
        "Kitchen",
    )
}

fn app_side() -> AppSide {
    AppSide {
        genesis: blob(7),
        app_key: blob(8),
        nonce: blob(9),
    }
}

#[test]
fn both_sides_commit_before_either_reveals() {
    let mut stage = Stage::Waiting;
    let early = stage.reveal_device(&committed(), reveal("Kitchen"));
    assert!(matches!(early, Err(DevicePairingError::OutOfTurn)));
    assert!(matches!(
        stage.reveal_app(PHONE, app_side()),
        Err(AppPairingError::OutOfTurn)
    ));

    assert_eq!(stage.accept(PHONE, blob(3)).unwrap(), Step::Moved);
    assert!(matches!(
        stage.reveal_app(PHONE, app_side()),
        Err(AppPairingError::OutOfTurn)
    ));
    assert_eq!(
        stage
            .reveal_device(&committed(), reveal("Kitchen"))
            .unwrap(),
        Step::Moved
    );
    assert_eq!(
        stage.number(),
        1,
        "the device still waits for the app's side"
    );
    assert_eq!(stage.reveal_app(PHONE, app_side()).unwrap(), Step::Moved);
    assert!(matches!(
        stage.for_the_device(),
        Some(PairingState::Revealed { .. })
    ));
}

#[test]
fn repeating_a_step_changes_nothing() {
    let mut stage = Stage::Waiting;
    stage.accept(PHONE, blob(3)).unwrap();
    assert_eq!(stage.accept(PHONE, blob(3)).unwrap(), Step::Repeated);
    assert!(matches!(
        stage.accept(PHONE, blob(4)),
        Err(AppPairingError::OutOfTurn)
    ));
    stage
        .reveal_device(&committed(), reveal("Kitchen"))
        .unwrap();
    assert_eq!(
        stage
            .reveal_device(&committed(), reveal("Kitchen"))
            .unwrap(),
        Step::Repeated
    );
    assert!(stage.reveal_device(&committed(), reveal("Cellar")).is_err());
    stage.reveal_app(PHONE, app_side()).unwrap();
    assert_eq!(stage.reveal_app(PHONE, app_side()).unwrap(), Step::Repeated);
}

#[test]
fn the_first_app_has_it() {
    let mut stage = Stage::Waiting;
    stage.accept(PHONE, blob(3)).unwrap();
    assert!(matches!(
        stage.accept(TABLET, blob(4)),
        Err(AppPairingError::TakenByAnother)
    ));
    stage
        .reveal_device(&committed(), reveal("Kitchen"))
        .unwrap();
    assert!(matches!(
        stage.reveal_app(TABLET, app_side()),
        Err(AppPairingError::TakenByAnother)
    ));
}

#[test]
fn a_device_reveals_what_it_committed_to() {
    for other in [
        reveal("Cellar"),
        reveal(""),
        PairingReveal {
            nonce: blob(1),
            ..reveal("Kitchen")
        },
    ] {
        let mut stage = Stage::Waiting;
        stage.accept(PHONE, blob(3)).unwrap();
        let answer = stage.reveal_device(&committed(), other);
        assert!(
            matches!(answer, Err(DevicePairingError::Field(_))),
            "{answer:?}"
        );
    }
}
