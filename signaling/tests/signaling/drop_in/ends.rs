//! Where a drop-in is refused, given up or ended.

use std::time::Duration;

use homeline_e2ee::contact::Pin;
use homeline_e2ee::drop_in::{Grant, Hours, Window};
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{
    Callee, DropInRefusal, DropInStage, EndReason, ErrorCode, Event, Request,
};

use super::asked::{
    CALL, SECOND, call_ended, hang_up, is_asked, is_over, on_device, on_person, open, refuse,
    was_asked, was_refused,
};
use super::{BEN, Scene};
use crate::support::{Person, device_id};

/// The same words for everything that stands in the way at the target, at the same time.
async fn is_unavailable(scene: &mut Scene, call: CallId) {
    let told = was_refused(&mut scene.bens, call).await;
    assert_eq!(told, DropInRefusal::Unavailable);
}

// req: DROP-1, DROP-6, DROP-18
#[tokio::test]
async fn whoever_has_no_grant_is_refused_and_the_target_hears_nothing_of_it() {
    let mut scene = Scene::with_calls().await;
    let zoe = Person::founder(&scene.server, "zoe").await;
    let mut zoes = zoe.session(&scene.server).await;
    let nobody = zoes.request(on_person(CALL, "nobody")).await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::Forbidden);
    assert_eq!(
        zoes.request(on_person(CALL, "anna")).await.unwrap_err(),
        nobody
    );
    assert_eq!(
        scene.bens.refused(on_person(CALL, "anna")).await,
        ErrorCode::Forbidden
    );
    let granted = scene.to_bens_household(7);
    scene.give(&granted).await;
    // Another household's device is none that could be named.
    let kitchen = device_id(&scene.kitchen.key);
    let refused = scene.bens.refused(on_device(CALL, kitchen)).await;
    assert_eq!(refused, ErrorCode::NotFound);
    assert_eq!(
        zoes.request(on_person(CALL, "anna")).await.unwrap_err(),
        nobody
    );
    // It is no mutual thing, and it is gone when it was taken back.
    assert_eq!(
        scene.phone.refused(on_person(CALL, "ben")).await,
        ErrorCode::Forbidden
    );
    scene.give(&granted.ended(scene.server.now())).await;
    assert_eq!(
        scene.bens.refused(on_person(CALL, "anna")).await,
        ErrorCode::Forbidden
    );
    assert!(!was_asked(&mut scene.kitchen.session, CALL).await);
}

// req: DROP-5
#[tokio::test]
async fn what_is_taken_from_the_own_household_leaves_the_contacts_theirs() {
    let mut scene = Scene::with_calls().await;
    let (own, bens) = (scene.to_own_household(7), scene.to_bens_household(8));
    scene.give(&own).await;
    scene.give(&bens).await;
    scene.give(&own.ended(scene.server.now())).await;
    let kitchen = device_id(&scene.kitchen.key);
    let refused = scene.phone.refused(on_device(CALL, kitchen)).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    scene.bens.done(on_person(SECOND, "anna")).await;
    is_asked(&mut scene.kitchen.session, SECOND).await;
}

// req: DROP-8, DROP-18, DND-5
#[tokio::test]
async fn do_not_disturb_is_told_at_home_and_looks_like_an_empty_house_to_others() {
    let mut scene = Scene::with_calls().await;
    scene.give(&scene.to_own_household(7)).await;
    scene.give(&scene.to_bens_household(8)).await;
    let device = device_id(&scene.kitchen.key);
    let quiet = |on| Request::SetDeviceDoNotDisturb { device, on };
    scene.kitchen.session.done(quiet(true)).await;
    let refused = scene.phone.refused(on_device(CALL, device)).await;
    assert_eq!(refused, ErrorCode::NotAvailable);
    scene.bens.done(on_person(SECOND, "anna")).await;
    is_unavailable(&mut scene, SECOND).await;
    assert!(!was_asked(&mut scene.kitchen.session, SECOND).await);
    scene.kitchen.session.done(quiet(false)).await;
    let third = CallId([0x53; 16]);
    scene.bens.done(on_person(third, "anna")).await;
    is_asked(&mut scene.kitchen.session, third).await;
    // Nor does the target's own word show, before the time has passed.
    let no = refuse(third, DropInRefusal::Quiet);
    scene.kitchen.session.done(no).await;
    let seen = |event: &Event| matches!(event, Event::DropInRefused { .. });
    assert!(!scene.bens.has_seen(seen).await);
    is_unavailable(&mut scene, third).await;
}

// req: DROP-7
#[tokio::test]
async fn a_device_that_is_switched_off_is_no_target_and_a_running_drop_in_ends_there() {
    let mut scene = Scene::with_calls().await;
    scene.ben_is_in(DropInStage::Clear).await;
    let device = device_id(&scene.kitchen.key);
    let off = Request::SetDropIn { device, on: false };
    scene.phone.done(off).await;
    assert_eq!(call_ended(&mut scene.bens, CALL).await, EndReason::HungUp);
    call_ended(&mut scene.kitchen.session, CALL).await;
    scene.bens.done(on_person(SECOND, "anna")).await;
    is_unavailable(&mut scene, SECOND).await;
    assert!(!was_asked(&mut scene.kitchen.session, SECOND).await);
    scene.give(&scene.to_own_household(8)).await;
    let refused = scene
        .phone
        .refused(on_device(CallId([0x53; 16]), device))
        .await;
    assert_eq!(refused, ErrorCode::NotAvailable);
}

#[tokio::test]
async fn whoever_gives_up_is_let_go_and_a_late_target_opens_nothing() {
    let mut scene = Scene::with_calls().await;
    scene.give(&scene.to_bens_household(7)).await;
    scene.bens.done(on_person(CALL, "anna")).await;
    is_asked(&mut scene.kitchen.session, CALL).await;
    // A second one at once, or somebody else's word, changes nothing.
    let second = scene.bens.refused(on_person(SECOND, "anna")).await;
    assert_eq!(second, ErrorCode::AlreadyInCall);
    let others = scene.phone.refused(hang_up(CALL)).await;
    assert_eq!(others, ErrorCode::NotFound);
    let early = Request::SetDropInStage {
        call: CALL,
        stage: DropInStage::Clear,
    };
    let kitchen = &mut scene.kitchen.session;
    assert_eq!(kitchen.refused(early).await, ErrorCode::Conflict);
    scene.bens.done(hang_up(CALL)).await;
    scene.bens.done(hang_up(CALL)).await;
    is_over(kitchen, CALL).await;
    let late = open(CALL, DropInStage::Clear);
    assert_eq!(kitchen.refused(late).await, ErrorCode::CallEnded);
    // A target that says nothing is told when it is too late.
    scene.bens.done(on_person(SECOND, "anna")).await;
    is_asked(kitchen, SECOND).await;
    is_over(kitchen, SECOND).await;
    is_unavailable(&mut scene, SECOND).await;
    let late = open(SECOND, DropInStage::Clear);
    let kitchen = &mut scene.kitchen.session;
    assert_eq!(kitchen.refused(late).await, ErrorCode::CallEnded);
}

// req: DROP-6
#[tokio::test]
async fn a_grant_that_is_taken_back_ends_what_it_let_in() {
    let mut scene = Scene::with_calls().await;
    scene.ben_is_in(DropInStage::Clear).await;
    let granted = scene.to_bens_household(7);
    scene.give(&granted.ended(scene.server.now())).await;
    assert_eq!(call_ended(&mut scene.bens, CALL).await, EndReason::HungUp);
    let there = call_ended(&mut scene.kitchen.session, CALL).await;
    assert_eq!(there, EndReason::HungUp);
    assert_eq!(
        scene.bens.refused(on_person(SECOND, "anna")).await,
        ErrorCode::Forbidden
    );
}

#[tokio::test]
async fn a_grant_taken_back_while_it_is_asked_opens_nothing() {
    let mut scene = Scene::with_calls().await;
    let own = scene.to_own_household(7);
    scene.give(&own).await;
    let kitchen = device_id(&scene.kitchen.key);
    scene.phone.done(on_device(CALL, kitchen)).await;
    is_asked(&mut scene.kitchen.session, CALL).await;
    scene.give(&own.ended(scene.server.now())).await;
    is_over(&mut scene.kitchen.session, CALL).await;
    let told = was_refused(&mut scene.phone, CALL).await;
    assert_eq!(told, DropInRefusal::NoGrant);
    let opens = open(CALL, DropInStage::Clear);
    let refused = scene.kitchen.session.refused(opens).await;
    assert_eq!(refused, ErrorCode::CallEnded);
}

#[tokio::test]
async fn a_deleted_contact_a_block_and_the_end_of_the_hours_end_it_too() {
    for end in ["deleted", "blocked", "hours", "expired"] {
        let mut scene = Scene::with_calls().await;
        let minute = u16::try_from(scene.server.now().0 / 60_000 % 1440).unwrap();
        let window = Window {
            days: 127,
            from_minute: minute,
            to_minute: (minute + 60) % 1440,
        };
        let hours = Hours::new("UTC".to_owned(), vec![window]).unwrap();
        let granted = Grant {
            hours: (end == "hours").then_some(hours),
            expires_at: scene
                .server
                .now()
                .plus(if end == "expired" { 60_000 } else { 86_400_000 }),
            ..scene.to_bens_household(7)
        };
        scene.give(&granted).await;
        scene.bens.done(on_person(CALL, "anna")).await;
        is_asked(&mut scene.kitchen.session, CALL).await;
        scene
            .kitchen
            .session
            .done(open(CALL, DropInStage::Clear))
            .await;
        match end {
            "deleted" => {
                let card = scene.anna.card(1, 2, "Ben", "ben", Pin::Deleted);
                let contact = BEN;
                scene
                    .phone
                    .done(Request::DeleteContact { contact, card })
                    .await;
            }
            "blocked" => {
                let handle = "ben".parse().unwrap();
                scene.phone.done(Request::Block { handle }).await;
            }
            "hours" => scene.server.clock.advance(Duration::from_secs(3_600)),
            _ => scene.server.clock.advance(Duration::from_secs(60)),
        }
        let reason = call_ended(&mut scene.bens, CALL).await;
        assert_eq!(reason, EndReason::HungUp, "{end}");
        call_ended(&mut scene.kitchen.session, CALL).await;
    }
}

#[tokio::test]
async fn a_device_that_begins_anew_has_lost_its_drop_in() {
    let mut scene = Scene::with_calls().await;
    scene.ben_is_in(DropInStage::Clear).await;
    let newer = scene.server.session(&scene.kitchen.token).await;
    scene.kitchen.session = newer;
    assert_eq!(
        call_ended(&mut scene.bens, CALL).await,
        EndReason::DeviceLost
    );
    // So has one that only asked.
    scene.bens.done(on_person(SECOND, "anna")).await;
    is_asked(&mut scene.kitchen.session, SECOND).await;
    scene.bens = scene.ben.session(&scene.server).await;
    is_over(&mut scene.kitchen.session, SECOND).await;
}

#[tokio::test]
async fn what_is_too_long_or_of_somebody_elses_id_is_refused() {
    let mut scene = Scene::with_calls().await;
    scene.give(&scene.to_bens_household(7)).await;
    scene.give(&scene.to_own_household(8)).await;
    let long = Request::DropIn {
        call: CALL,
        to: Callee::Person {
            handle: "anna".parse().unwrap(),
        },
        picture: true,
        asking: Blob(vec![0; 16 * 1024 + 1]),
        key_package: Blob(vec![]),
    };
    assert_eq!(scene.bens.refused(long).await, ErrorCode::BadRequest);
    scene.bens.done(on_person(CALL, "anna")).await;
    let kitchen = device_id(&scene.kitchen.key);
    let taken = scene.phone.refused(on_device(CALL, kitchen)).await;
    assert_eq!(taken, ErrorCode::Conflict);
    let unknown = open(SECOND, DropInStage::Clear);
    assert_eq!(
        scene.kitchen.session.refused(unknown).await,
        ErrorCode::NotFound
    );
}
