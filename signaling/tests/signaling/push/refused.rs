//! What is refused: addresses that lead inside, keys that are none, who has no device; and who is
//! woken no more.

use homeline_e2ee::certificate::Kind;
use homeline_e2ee::roster::Change;
use homeline_protocol::http::{PushKey, SignIn, SignedIn};
use homeline_protocol::session::{EndReason, ErrorCode, PushAddress, Request};
use homeline_protocol::{Blob, Secret};
use homeline_signaling::model::{Clock, UnixMillis};
use homeline_signaling::store::{Db, StoreConfig};

use super::service::{Device, PushService};
use super::stories::{call, closed_app, ended, nearby};
use crate::pairing::pair;
use crate::support::{Person, Server, device_id};

#[tokio::test]
async fn an_endpoint_that_leads_inside_is_refused() {
    let server = Server::start().await;
    let device = Device::new(7);
    let ben = Person::founder(&server, "ben").await;
    let mut app = ben.session(&server).await;
    let long = format!("https://9.9.9.9/{}", "a".repeat(2_048));
    for endpoint in [
        "https://127.0.0.1/push",
        "https://localhost/push",
        "https://10.1.2.3/push",
        "https://192.168.1.1:8443/push",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/push",
        "https://[fd00::1]/push",
        "https://[::ffff:192.168.1.1]/push",
        "https://2130706433/push",
        "http://127.0.0.1:8080/push",
        "http://9.9.9.9/push",
        "ftp://9.9.9.9/push",
        "https://ben@9.9.9.9/push",
        "push",
        &long,
    ] {
        let request = Request::PutPushAddress(device.address(endpoint));
        assert_eq!(
            app.refused(request).await,
            ErrorCode::BadRequest,
            "{endpoint}"
        );
    }
    let good = device.address("https://9.9.9.9/push");
    for bad in [
        PushAddress {
            p256dh: Blob(vec![4; 65]),
            ..good.clone()
        },
        PushAddress {
            auth: Blob(vec![1; 15]),
            ..good.clone()
        },
    ] {
        let request = Request::PutPushAddress(bad);
        assert_eq!(app.refused(request).await, ErrorCode::BadRequest);
    }
    app.done(Request::PutPushAddress(good.clone())).await;
    app.done(Request::PutPushAddress(good)).await;
}

#[tokio::test]
async fn even_where_private_services_are_allowed_plain_http_stays_inside() {
    let server = Server::start_with(nearby).await;
    let device = Device::new(7);
    let ben = Person::founder(&server, "ben").await;
    let mut app = ben.session(&server).await;
    let put = |endpoint| Request::PutPushAddress(device.address(endpoint));
    assert_eq!(
        app.refused(put("http://9.9.9.9/push")).await,
        ErrorCode::BadRequest
    );
    app.done(put("http://192.168.1.1/push")).await;
}

#[tokio::test]
async fn who_has_no_device_can_not_be_woken_and_nobody_is_woken_for_another() {
    let server = Server::start_with_calls(nearby).await;
    let (mut service, device) = (PushService::start().await, Device::new(7));
    let ben = closed_app(&server, "ben", &service, &device).await;
    let (handle, password) = (ben.handle.clone(), ben.password.clone());
    let keyless = SignIn {
        handle,
        password,
        app: None,
    };
    let keyless: SignedIn = server.post("/v1/sign-in", &keyless).await.ok();
    let mut stranger = server.session(&keyless.token).await;
    assert_eq!(
        stranger.refused(service.subscribe(&device, "ben")).await,
        ErrorCode::Forbidden
    );

    // Somebody who guessed the endpoint, without its keys, takes nothing from Ben.
    let anna = Person::founder(&server, "anna").await;
    let mut caller = anna.session(&server).await;
    caller.done(service.subscribe(&Device::new(8), "ben")).await;
    let endpoint = Secret::new(format!("{}/ben", service.origin()));
    caller.done(Request::DeletePushAddress { endpoint }).await;
    let rung = call(&mut caller, "ben").await;
    let pushed = service.message().await;
    drop(device.read(&pushed));
    caller.done(Request::Cancel { call: rung }).await;
    service.message().await;
}

#[tokio::test]
async fn who_signed_out_or_was_removed_is_woken_no_more() {
    let server = Server::start_with_calls(|config| {
        nearby(config);
        config.calls.ring_timeout_secs = 2;
    })
    .await;
    let (service, device) = (PushService::start().await, Device::new(7));
    let anna = Person::founder(&server, "anna").await;
    let mut caller = anna.session(&server).await;

    let ben = closed_app(&server, "ben", &service, &device).await;
    server.post_as(&ben.token, "/v1/sign-out", &()).await;
    let unheard = call(&mut caller, "ben").await;
    assert_eq!(ended(&mut caller, unheard).await, EndReason::NoAnswer);
    // Signed in anew, it is woken only after it has asked for it again.
    let again: SignedIn = server
        .post("/v1/sign-in", &ben.sign_in(server.now().0))
        .await
        .ok();
    drop(again);
    let unheard = call(&mut caller, "ben").await;
    assert_eq!(ended(&mut caller, unheard).await, EndReason::NoAnswer);

    let mut cleo = Person::founder(&server, "cleo").await;
    let mut app = cleo.session(&server).await;
    let kitchen = pair(&server, &cleo, &mut app, Kind::HomeDevice).await;
    let mut woken = server.session(&kitchen.token).await;
    woken.done(service.subscribe(&device, "kitchen")).await;
    drop(woken);
    let roster = app.home().await.household.unwrap().roster;
    let signed = |entry: &Blob| homeline_e2ee::signed::Signed::decode(entry.as_ref()).unwrap();
    cleo.roster = roster.iter().map(signed).collect();
    let change = Change::RemoveDevice {
        device: kitchen.key.public(),
    };
    let entry = cleo.entry(change, server.now()).encode().into();
    let device = device_id(&kitchen.key);
    app.done(Request::RemoveDevice { device, entry }).await;
    drop(app);
    let unheard = call(&mut caller, "cleo").await;
    assert_eq!(ended(&mut caller, unheard).await, EndReason::NoAnswer);
    assert!(service.is_empty());
}

#[tokio::test]
async fn the_servers_key_is_made_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        path: folder.path().join("homeline.db"),
    };
    let mut keys = Vec::new();
    for _ in 0..2 {
        let db = Db::open(&config).await.unwrap();
        let server = Server::start_on(db, Clock::fixed(UnixMillis(1)), |_| {}).await;
        let key: PushKey = server.get("/v1/push/key").await.ok();
        server.signaling.shutdown().await;
        keys.push(key);
    }
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0].key.0.len(), 65);
    let other: PushKey = Server::start().await.get("/v1/push/key").await.ok();
    assert_ne!(other, keys[0]);
}
