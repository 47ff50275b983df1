//! Where it is refused: who is busy, who may not announce, and what is no announcement.

use homeline_e2ee::announcement::LiveAnnouncement;
use homeline_e2ee::drop_in::Grantee;
use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{
    AnnounceTo, AnnouncementFate, Callee, ChildLimits, DropInStage, ErrorCode, MediaState, Request,
};

use super::super::{fate, fates};
use super::{CALL, SECOND, announce, ended, hang_up, hear, is_told, said, was_told, with_calls};
use crate::drop_in::{grant, put};
use crate::support::fresh_key;

// req: A-41
#[tokio::test]
async fn a_device_that_hears_one_or_is_in_a_call_is_busy() {
    let mut scene = with_calls().await;
    scene.announces(CALL).await;
    scene.kitchen.session.done(hear(CALL)).await;
    // Another member announces at the same devices meanwhile.
    let to = [scene.kitchen.key.public(), scene.bath.key.public()];
    let (key, now) = (scene.family.ben.app.clone(), scene.server.now());
    let second = said(&mut scene.family.bens, &key, SECOND, (now, &to)).await;
    let request = announce(SECOND, AnnounceTo::Home, &second, &key);
    let all = fates(&mut scene.family.bens, request).await;
    assert_eq!(fate(&scene.kitchen, &all), Some(AnnouncementFate::Busy));
    assert_eq!(fate(&scene.bath, &all), Some(AnnouncementFate::Told));
    // Whoever announces is in a call, and announces no second one.
    let third = CallId([0x73; 16]);
    assert_eq!(scene.refused(third).await, ErrorCode::AlreadyInCall);
    // The bath hears one of the two.
    scene.bath.session.done(hear(CALL)).await;
    let refused = scene.bath.session.refused(hear(SECOND)).await;
    assert_eq!(refused, ErrorCode::AlreadyInCall);
    // Where every device hears one already, none begins.
    let (key, now) = (scene.kitchen.key.clone(), scene.server.now());
    scene.kitchen.session.done(hang_up(CALL)).await;
    ended(&mut scene.kitchen.session, CALL).await;
    let to = [scene.bath.key.public()];
    let third = said(&mut scene.kitchen.session, &key, third, (now, &to)).await;
    let request = announce(third.call, AnnounceTo::Home, &third, &key);
    let refused = scene.kitchen.session.refused(request).await;
    assert_eq!(refused, ErrorCode::NotAvailable);
}

// req: A-25
#[tokio::test]
async fn nobody_drops_in_on_a_device_that_hears_one() {
    let mut scene = with_calls().await;
    let granted = grant(&scene.server, &scene.family.anna, 7, Grantee::OwnHousehold);
    let given = put(&granted, &scene.family.anna.app);
    scene.family.annas.done(given).await;
    scene.announces(CALL).await;
    scene.kitchen.session.done(hear(CALL)).await;
    let device = scene.kitchen.id();
    let asks = Request::DropIn {
        call: SECOND,
        to: Callee::Device { device },
        picture: false,
        asking: Blob(b"asking".to_vec()),
        key_package: Blob(b"key package".to_vec()),
    };
    scene.family.bens.done(asks).await;
    let opens = Request::OpenDropIn {
        call: SECOND,
        media: MediaState {
            microphone: true,
            camera: false,
        },
        stage: DropInStage::Clear,
    };
    let refused = scene.kitchen.session.refused(opens).await;
    assert_eq!(refused, ErrorCode::AlreadyInCall);
}

#[tokio::test]
async fn what_is_no_live_announcement_of_now_is_refused() {
    let mut scene = with_calls().await;
    let good = scene.by_phone(CALL).await;
    let key = scene.family.anna.app.clone();
    let kitchens = scene.kitchen.key.clone();
    let at = |at| LiveAnnouncement { at, ..good.clone() };
    let early = at(good.at.plus(5 * 60_000 + 1));
    let late = at(good.at.minus(5 * 60_000 + 1));
    let itself = LiveAnnouncement {
        devices: vec![key.public()],
        ..good.clone()
    };
    let elsewhere = LiveAnnouncement {
        genesis: fresh_key().public(),
        ..good.clone()
    };
    let home = AnnounceTo::Home;
    let cases = [
        (
            "by a stranger",
            announce(CALL, home.clone(), &good, &fresh_key()),
            ErrorCode::Forbidden,
        ),
        (
            "by the kitchen",
            announce(CALL, home.clone(), &good, &kitchens),
            ErrorCode::BadRequest,
        ),
        (
            "in another call",
            announce(SECOND, home.clone(), &good, &key),
            ErrorCode::BadRequest,
        ),
        (
            "too early",
            announce(CALL, home.clone(), &early, &key),
            ErrorCode::BadRequest,
        ),
        (
            "too late",
            announce(CALL, home.clone(), &late, &key),
            ErrorCode::BadRequest,
        ),
        (
            "for itself",
            announce(CALL, home.clone(), &itself, &key),
            ErrorCode::BadRequest,
        ),
        (
            "of another household",
            announce(CALL, home.clone(), &elsewhere, &key),
            ErrorCode::BadRequest,
        ),
        (
            "in no room",
            announce(
                CALL,
                AnnounceTo::Zone {
                    room: "Attic".to_owned(),
                },
                &good,
                &key,
            ),
            ErrorCode::NotFound,
        ),
    ];
    for (what, request, code) in cases {
        assert_eq!(scene.family.annas.refused(request).await, code, "{what}");
    }
    assert!(!was_told(&mut scene.kitchen).await);
}

#[tokio::test]
async fn another_household_hands_nothing_on_and_an_id_is_used_once() {
    let mut scene = with_calls().await;
    let key = scene.family.anna.app.clone();
    let good = scene.by_phone(CALL).await;
    // Carl, of another household, hands on what Anna signed.
    let stolen = announce(CALL, AnnounceTo::Home, &good, &key);
    let refused = scene.family.carls.refused(stolen).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    scene.announces(CALL).await;
    is_told(&mut scene.kitchen).await;
    // The id is used.
    let other = LiveAnnouncement {
        at: good.at.plus(1),
        ..good
    };
    let again = announce(CALL, AnnounceTo::Home, &other, &key);
    assert_eq!(scene.family.annas.refused(again).await, ErrorCode::Conflict);
}

#[tokio::test]
async fn a_child_announces_while_the_adults_let_it_write_and_nobody_too_often() {
    let mut scene = with_calls().await;
    let to = [scene.kitchen.key.public()];
    let (key, now) = (scene.family.zeb.app.clone(), scene.server.now());
    let spoken = said(&mut scene.family.zebs, &key, CALL, (now, &to)).await;
    let request = announce(CALL, AnnounceTo::Home, &spoken, &key);
    let refused = scene.family.zebs.refused(request.clone()).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    scene.family.consent().await;
    let limits = |messaging| Request::SetChildLimits {
        account: scene.family.zeb.account,
        limits: ChildLimits {
            calling: true,
            messaging,
            drop_in: false,
            contacts: vec![],
        },
    };
    let (off, on) = (limits(false), limits(true));
    scene.family.annas.done(off).await;
    let refused = scene.family.zebs.refused(request.clone()).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    assert!(!was_told(&mut scene.kitchen).await);
    scene.family.annas.done(on).await;
    fates(&mut scene.family.zebs, request).await;
    is_told(&mut scene.kitchen).await;
    for number in 0..6 {
        let call = CallId([0x80 + number; 16]);
        scene.announces(call).await;
        scene.family.annas.done(hang_up(call)).await;
        ended(&mut scene.family.annas, call).await;
    }
    let often = scene.refused(CallId([0x90; 16])).await;
    assert_eq!(often, ErrorCode::RateLimited);
}
