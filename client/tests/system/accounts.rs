//! Signing in anew, recovering with the code on paper, and removing a device.

use homeline_client::api::{
    Credentials, FounderPlan, HttpError, RecoverError, about, found_household, recover, sign_in,
};
use homeline_client::{Client, ClientEvent};
use homeline_e2ee::recovery::RecoveryCode;
use homeline_protocol::Secret;
use homeline_protocol::session::ErrorCode;

use crate::house::{Person, soon};
use crate::server::TestServer;

fn who(password: &str) -> Credentials {
    Credentials {
        handle: "anna".parse().unwrap(),
        password: Secret::new(password),
    }
}

fn plan() -> FounderPlan {
    FounderPlan {
        display_name: "Anna".to_owned(),
        label: "Phone".to_owned(),
        household_name: "Anna's home".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_signs_in_anew_with_its_key_and_password() {
    let server = TestServer::start().await;
    let server = server.server();
    assert_eq!(
        about(&server).await.unwrap().protocol,
        homeline_protocol::PROTOCOL_VERSION
    );
    let mut identity = found_household(&server, who("long enough"), plan())
        .await
        .unwrap()
        .identity;
    let before = identity.token.clone();
    let wrong = sign_in(&server, who("wrong one"), &mut identity).await;
    assert!(wrong.is_err_and(|error| error.code() == Some(ErrorCode::WrongCredentials)));
    sign_in(&server, who("long enough"), &mut identity)
        .await
        .unwrap();
    assert_ne!(identity.token.expose(), before.expose());
    soon("connecting", Client::connect(server, identity, None))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_account_comes_back_with_its_recovery_code_and_only_with_that() {
    let server = TestServer::start().await;
    let server = server.server();
    let founded = found_household(&server, who("long enough"), plan())
        .await
        .unwrap();
    let wrong = RecoveryCode::from_bytes([1; 20]);
    let refused = recover(&server, who("a new password"), "New phone", &wrong).await;
    assert!(matches!(
        refused,
        Err(RecoverError::Http(HttpError::Refused(_)))
    ));
    let typed = RecoveryCode::parse(&founded.recovery_code.text()).unwrap();
    let back = recover(&server, who("a new password"), "New phone", &typed)
        .await
        .unwrap();
    assert_eq!(back.genesis, founded.identity.genesis);
    let (client, _events) = soon("connecting", Client::connect(server, back.clone(), None))
        .await
        .unwrap();
    // As adult as before: it can sign for its household.
    assert!(client.household().may_sign(&back));
    client
        .add_contact("Ben", "ben".parse().unwrap(), None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_device_ends_at_once_and_says_so() {
    let server = TestServer::start().await;
    let anna = Person::found(&server.server(), "anna").await;
    let mut kitchen = anna.pair(&server.server(), "anna", "Kitchen").await;
    let household = anna.client.household();
    let device = household
        .devices()
        .iter()
        .find(|device| !device.adult)
        .unwrap()
        .id;
    anna.client.remove_device(device).await.unwrap();
    soon("the end", async {
        loop {
            match kitchen.events.recv().await.expect("the end is told") {
                ClientEvent::Ended(error) => {
                    return assert_eq!(error.code, ErrorCode::DeviceRevoked);
                }
                ClientEvent::Alarm(_) => return,
                _ => {}
            }
        }
    })
    .await;
}
