//! Where it is refused: who may not give, and what is no grant.

use homeline_e2ee::contact::Pin;
use homeline_e2ee::drop_in::{Grant, Grantee, Hours, Window};
use homeline_protocol::Blob;
use homeline_protocol::id::{ContactId, GrantId};
use homeline_protocol::session::{ErrorCode, Request};

use super::{BEN, Scene, grant, put, put_ben};
use crate::support::{device_id, fresh_key};

#[tokio::test]
async fn only_an_adults_app_gives_and_only_for_its_own_household() {
    let mut scene = Scene::new().await;
    let granted = scene.to_bens_household(7);
    let by_anna = put(&granted, &scene.anna.app);
    // A device hands on what an adult signed, and may not; nor may another household.
    let kitchen = &mut scene.kitchen.session;
    assert_eq!(kitchen.refused(by_anna.clone()).await, ErrorCode::Forbidden);
    assert_eq!(
        scene.bens.refused(by_anna.clone()).await,
        ErrorCode::Forbidden
    );
    // What the device itself, or an adult of another household, signed.
    for key in [&scene.kitchen.key, &scene.ben.app] {
        let refused = scene.phone.refused(put(&granted, key)).await;
        assert_eq!(refused, ErrorCode::Forbidden);
    }
    let theirs = grant(&scene.server, &scene.ben, 7, Grantee::OwnHousehold);
    let refused = scene.phone.refused(put(&theirs, &scene.ben.app)).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    let refused = scene.phone.refused(put(&theirs, &scene.anna.app)).await;
    assert_eq!(refused, ErrorCode::BadRequest);
    assert!(scene.phone.home().await.drop_in_grants.is_empty());
    assert!(!scene.ben_may().await);
    scene.phone.done(by_anna.clone()).await;
    scene.phone.done(by_anna).await;
}

/// What is given instead of a good grant, and how it is refused.
type Case = (&'static str, Request, ErrorCode);

async fn all_refused(scene: &mut Scene, cases: Vec<Case>) {
    for (what, request, code) in cases {
        assert_eq!(scene.phone.refused(request).await, code, "{what}");
    }
    assert!(scene.phone.home().await.drop_in_grants.is_empty());
}

fn changed(scene: &Scene, change: impl FnOnce(&mut Grant)) -> Request {
    let mut grant = scene.to_bens_household(7);
    change(&mut grant);
    put(&grant, &scene.anna.app)
}

#[tokio::test]
async fn what_is_no_grant_or_of_another_time_is_refused() {
    let mut scene = Scene::new().await;
    let (now, good) = (scene.server.now(), scene.to_bens_household(7));
    let long = changed(&scene, |one| one.expires_at = one.expires_at.plus(1));
    let over = changed(&scene, |one| {
        (one.signed_at, one.expires_at) = (now.minus(9), now);
    });
    let of_tomorrow = changed(&scene, |one| {
        (one.signed_at, one.expires_at) = (now.plus(86_400_000), now.plus(86_500_000));
    });
    let in_no_zone = changed(&scene, |one| {
        let window = Window {
            days: 1,
            from_minute: 0,
            to_minute: 1,
        };
        one.hours = Some(Hours::new("Nowhere/Atall".to_owned(), vec![window]).unwrap());
    });
    let raw = |grant, statement| Request::PutDropInGrant { grant, statement };
    let signed = Blob(good.sign(&scene.anna.app).encode());
    let cases = vec![
        ("for too long", long, ErrorCode::BadRequest),
        ("over", over, ErrorCode::BadRequest),
        ("of tomorrow", of_tomorrow, ErrorCode::BadRequest),
        ("in no zone", in_no_zone, ErrorCode::BadRequest),
        (
            "under another id",
            raw(GrantId([8; 16]), signed),
            ErrorCode::BadRequest,
        ),
        (
            "damaged",
            raw(good.id, Blob(vec![7; 100])),
            ErrorCode::BadRequest,
        ),
        (
            "endless",
            raw(good.id, Blob(vec![7; 4097])),
            ErrorCode::TooLarge,
        ),
    ];
    all_refused(&mut scene, cases).await;
}

#[tokio::test]
async fn a_grant_to_nobody_who_is_known_or_on_no_device_is_refused() {
    let mut scene = Scene::new().await;
    let theirs = scene.ben.genesis;
    let phone = scene.anna.app.public();
    let ben = scene.ben.account.to_string();
    let household = |contact, their_genesis| Grantee::Household {
        contact,
        their_genesis,
        people: vec![ben.clone()],
    };
    let on = |device| changed(&scene, |one| one.devices = vec![device]);
    let to = |whom| changed(&scene, |one| one.to = whom);
    let nobody = ContactId([9; 16]);
    let no_account = Grantee::Person {
        contact: BEN,
        their_genesis: theirs,
        person: "ben".to_owned(),
    };
    let whole = |people| Grantee::Household {
        contact: BEN,
        their_genesis: theirs,
        people,
    };
    let (no_accounts, empty) = (whole(vec!["ben".to_owned()]), whole(vec![]));
    let cases = vec![
        (
            "on no device",
            on(fresh_key().public()),
            ErrorCode::NotFound,
        ),
        ("on an app", on(phone), ErrorCode::NotFound),
        (
            "to nobody",
            to(household(nobody, theirs)),
            ErrorCode::NotFound,
        ),
        (
            "to another key",
            to(household(BEN, fresh_key().public())),
            ErrorCode::NotFound,
        ),
        ("to no account", to(no_account), ErrorCode::BadRequest),
        ("to no accounts", to(no_accounts), ErrorCode::BadRequest),
        ("to a household of nobody", to(empty), ErrorCode::BadRequest),
    ];
    all_refused(&mut scene, cases).await;
    // A contact whose key was never seen can't be let in: nobody could tell them from another.
    let unmet = put_ben(&scene.anna, 2, Pin::NoneYet);
    scene.phone.done(unmet).await;
    let good = changed(&scene, |_| {});
    all_refused(
        &mut scene,
        vec![("to a contact without a key", good, ErrorCode::NotFound)],
    )
    .await;
}

#[tokio::test]
async fn a_household_gives_so_many_grants_and_takes_back_any_of_them() {
    let mut scene = Scene::new().await;
    for number in 0..128_u8 {
        let granted = scene.to_bens_household(number);
        scene.give(&granted).await;
    }
    let further = put(&scene.to_own_household(200), &scene.anna.app);
    assert_eq!(scene.phone.refused(further).await, ErrorCode::LimitReached);
    scene
        .give(&scene.to_bens_household(5).ended(scene.server.now()))
        .await;
}

#[tokio::test]
async fn drop_in_is_switched_at_home_devices_and_by_no_other_device() {
    let mut scene = Scene::new().await;
    let device = device_id(&scene.kitchen.key);
    let phone = scene.anna.device();
    // An app is never a target, so there is nothing to switch.
    let own = Request::SetDropIn {
        device: phone,
        on: false,
    };
    assert_eq!(scene.phone.refused(own).await, ErrorCode::NotFound);
    let by_another = Request::SetDropIn {
        device: phone,
        on: true,
    };
    assert_eq!(
        scene.kitchen.session.refused(by_another).await,
        ErrorCode::Forbidden
    );
    scene
        .phone
        .done(Request::SetDropIn { device, on: false })
        .await;
}
