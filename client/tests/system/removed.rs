//! What a removed app had signed and certified: an adult's app that is there takes it over at once.

use std::time::SystemTime;

use homeline_client::ClientEvent;
use homeline_e2ee::chain::verify_chain_bytes;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::id::DeviceId;
use homeline_protocol::session::DeviceKind;

use crate::house::{Person, soon};
use crate::server::TestServer;

/// Waits until what a person's client knows of the household is so.
async fn until(person: &mut Person, what: &str, holds: impl Fn(&Person) -> bool) {
    soon(what, async {
        while !holds(person) {
            person.events.recv().await.expect("the client lives");
        }
    })
    .await;
}

fn chain_of(person: &Person, device: DeviceId) -> Vec<u8> {
    let household = person.client.household();
    let mut devices = household.devices().iter();
    let found = devices.find(|one| one.id == device);
    found.map(|one| one.chain.0.clone()).unwrap_or_default()
}

fn opened(chain: &[u8]) -> homeline_e2ee::chain::Identity {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = UnixMs(since.as_millis().try_into().unwrap());
    verify_chain_bytes(chain, now).unwrap()
}

fn own_device(person: &Person) -> DeviceId {
    homeline_e2ee::ids::device_id(person.identity.device_key.public())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_and_certificates_of_a_removed_app_are_signed_anew_and_hold() {
    let server = TestServer::start().await;
    let mut anna = Person::found(&server.server(), "anna").await;
    let tablet = (DeviceKind::App, "Tablet");
    let tablet = anna.pair_as(&server.server(), "anna", tablet).await;
    // The tablet signs a card and certifies the kitchen: both hang on it.
    let ben = "ben".parse().unwrap();
    tablet.client.add_contact("Ben", ben, None).await.unwrap();
    let mut kitchen = tablet.pair(&server.server(), "anna", "Kitchen").await;
    let device = own_device(&kitchen);
    until(&mut anna, "the kitchen and the card", |anna| {
        let household = anna.client.household();
        household.find_contact("Ben").is_some() && !chain_of(anna, device).is_empty()
    })
    .await;
    let before = chain_of(&anna, device);

    anna.client
        .remove_device(own_device(&tablet))
        .await
        .unwrap();
    until(&mut kitchen, "a new certificate", |kitchen| {
        let now = chain_of(kitchen, device);
        !now.is_empty() && now != before
    })
    .await;
    // Whoever is in a call with it lets it in as one of the household: its old chain named the tablet.
    let household = anna.client.household();
    let admits = |chain: &[u8]| household.roster().admits(&opened(chain));
    assert!(!admits(&before));
    assert!(admits(&chain_of(&kitchen, device)));

    // Whoever opens the household next finds the card signed by somebody who counts.
    let kept = |one: &Person| one.client.household().find_contact("Ben").is_some();
    let mut again = Person::connect(&server.server(), kitchen.identity.clone()).await;
    until(&mut again, "the card", kept).await;
    let last = Person::connect(&server.server(), kitchen.identity.clone()).await;
    assert!(kept(&last) && last.client.household().refused() == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_was_removed_signs_and_certifies_nothing_any_more() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let tablet = (DeviceKind::App, "Tablet");
    let mut tablet = anna.pair_as(&server.server(), "anna", tablet).await;
    anna.client
        .remove_device(own_device(&tablet))
        .await
        .unwrap();
    soon("the end", async {
        loop {
            match tablet.events.recv().await {
                Some(ClientEvent::Ended(_) | ClientEvent::Alarm(_)) | None => return,
                Some(_) => {}
            }
        }
    })
    .await;
    let ben = "ben".parse().unwrap();
    assert!(tablet.client.add_contact("Ben", ben, None).await.is_err());
    assert!(anna.client.household().find_contact("Ben").is_none());
}
