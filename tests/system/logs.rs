//! A whole story at the loudest log level: no person, key or token is in the log, nor in the figures.

use std::sync::Arc;

use homeline_client::api::{NewDevice, found_household, offer_pairing, sign_in};
use homeline_protocol::Blob;
use homeline_protocol::session::{DeviceKind, EndReason};

use crate::people::{PASSWORD, Person, credentials, ended, hears, plan, soon, talk};
use crate::server::{Server, Start};
use crate::web::get;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_story_leaves_no_person_and_no_secret_in_the_log() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("HOMELINE_LOG__FILTER", "trace")];
    let start = Start {
        data: data.path(),
        settings: &settings,
        namespace: None,
    };
    let server = Server::start_with(&start);
    let mut secrets = live(&server).await;
    let metrics = get(("127.0.0.1", server.port()), "localhost", "/metrics").text();
    assert!(metrics.contains("homeline_calls_ended_total"));
    let log = Arc::clone(&server.log);
    server.terminate();
    assert!(server.ended().success());

    let log = log.lock().unwrap().to_lowercase();
    assert!(log.contains("stopping"), "the log was on:\n{log}");
    secrets.extend(
        [
            "zaphodine",
            "trillianne",
            "Kitchen-of-Zaphodine",
            "Auntie Trill",
        ]
        .map(str::to_owned),
    );
    secrets.push(PASSWORD.to_owned());
    for secret in secrets {
        for (place, text) in [("log", &log), ("metrics", &metrics.to_lowercase())] {
            if let Some(at) = text.find(&secret.to_lowercase()) {
                let line = text[..at].lines().count().saturating_sub(1);
                panic!("{secret} is in the {place}: {:?}", text.lines().nth(line));
            }
        }
    }
}

/// Sign-up, wrong and right sign-in, contact, pairing, call, history, removal; gives all that must stay unsaid.
async fn live(server: &Server) -> Vec<String> {
    let here = server.here();
    let founded = found_household(&here, credentials("zaphodine"), plan("zaphodine"))
        .await
        .unwrap();
    let recovery = &founded.recovery_code;
    let mut secrets = vec![
        recovery.text().to_string(),
        Blob(recovery.server_secret().to_vec()).to_base64url(),
        founded.identity.token.expose().to_owned(),
    ];
    let mut identity = founded.identity;
    sign_in(&here, credentials("zaphodine"), &mut identity)
        .await
        .unwrap();
    let mut wrong = credentials("zaphodine");
    wrong.password = homeline_protocol::Secret::new("the-wrong-password");
    secrets.push("the-wrong-password".to_owned());
    assert!(sign_in(&here, wrong, &mut identity.clone()).await.is_err());

    let anna = Person::connect(&here, identity).await;
    let mut ben = Person::found(&here, "trillianne").await;
    let handle = "trillianne".parse().unwrap();
    anna.client
        .add_contact("Auntie Trill", handle, None)
        .await
        .unwrap();
    let kitchen = anna.pair(&here, "zaphodine", "Kitchen-of-Zaphodine").await;
    let speaker = Person::connect(&here, kitchen.clone()).await;
    // Nobody takes this one up.
    let new = NewDevice {
        kind: DeviceKind::HomeDevice,
        label: "Kitchen-of-Zaphodine".to_owned(),
    };
    offer_pairing(&here, "nobody-at-home".parse().unwrap(), new)
        .await
        .unwrap();
    secrets.push("nobody-at-home".to_owned());

    let (mut caller, mut callee) = talk(&anna, &mut ben, "Auntie Trill").await;
    hears(&mut callee.heard, 1_000.0).await;
    caller.call.hang_up().await;
    assert_eq!(ended(&mut caller.call).await, EndReason::HungUp);
    assert_eq!(ended(&mut callee.call).await, EndReason::HungUp);
    assert_eq!(
        soon("the history", anna.client.history(10))
            .await
            .unwrap()
            .len(),
        1
    );

    let id = homeline_e2ee::ids::device_id(kitchen.device_key.public());
    anna.client.remove_device(id).await.unwrap();
    for person in [&anna, &ben, &speaker] {
        let identity = &person.identity;
        secrets.push(identity.token.expose().to_owned());
        let keys = [
            *identity.device_key.seed(),
            identity.genesis.0,
            identity.device_key.public().0,
        ];
        for key in keys {
            let hex = key.iter().map(|byte| format!("{byte:02x}")).collect();
            secrets.extend([hex, Blob(key.to_vec()).to_base64url()]);
        }
    }
    secrets
}
