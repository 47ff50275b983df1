//! A home device comes into a household by six digits, and only by the right ones.

use homeline_client::api::{NewDevice, PairError, offer_pairing};
use homeline_client::client::AddDeviceError;
use homeline_protocol::session::DeviceKind;

use crate::house::{Person, soon};
use crate::server::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_paired_by_its_digits_and_pins_the_household() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let kitchen = anna.pair(&server.server(), "anna", "Kitchen").await;
    let (theirs, own) = (kitchen.client.household(), anna.client.household());
    assert_eq!(theirs.roster().genesis_key(), own.roster().genesis_key());
    assert_eq!(theirs.devices().len(), 2);
    assert!(!theirs.may_sign(&kitchen.identity));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_digits_end_a_pairing_on_both_sides() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut listener = anna.client.listen_for_devices().await.unwrap();
    let new = NewDevice {
        kind: DeviceKind::HomeDevice,
        label: "Kitchen".to_owned(),
    };
    let offered = offer_pairing(&server.server(), "anna".parse().unwrap(), new)
        .await
        .unwrap();
    let device = tokio::spawn(offered.digits());
    let app = soon("the device", listener.next()).await.unwrap();
    let shown = soon("the app", device).await.unwrap().unwrap();
    let wrong = if shown.text() == "000000" {
        "000001"
    } else {
        "000000"
    };
    let refused = app.enter(wrong).await;
    assert!(matches!(refused, Err(AddDeviceError::Pairing(_))));
    assert!(matches!(
        soon("the refusal", shown.finish()).await,
        Err(PairError::Refused)
    ));
}
