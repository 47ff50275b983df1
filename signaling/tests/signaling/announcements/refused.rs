//! Where it is refused: who may not announce, what is no announcement, and too much of it.

use std::time::Duration;

use homeline_e2ee::announcement::{Announcement, Draft, Sealed, SealingStatement};
use homeline_e2ee::signed::Signed;
use homeline_protocol::id::AnnouncementId;
use homeline_protocol::session::{AnnounceTo, AnnouncementHeard, ChildLimits, ErrorCode, Request};

use super::{Scene, fates, request, seal};
use crate::support::fresh_key;

#[tokio::test]
async fn announcements_stay_in_the_household() {
    let mut scene = Scene::new().await;
    let draft = scene.text(1);
    let sealed = scene.by_anna(&draft).await;
    let announce = request(draft.id, AnnounceTo::Home, &sealed);
    // Carl, of another household, hands on what Anna signed, and asks for what is sealed at hers.
    let refused = scene.family.carls.refused(announce.clone()).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    let device = scene.kitchen.id();
    let at_the_kitchen = request(draft.id, AnnounceTo::Device { device }, &sealed);
    let refused = scene.family.carls.refused(at_the_kitchen).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    fates(&mut scene.family.annas, announce).await;
    let announcement = draft.id;
    for request in [
        Request::GetAnnouncement { announcement },
        Request::HeardAnnouncement {
            announcement,
            heard: AnnouncementHeard::Played,
        },
    ] {
        assert_eq!(
            scene.family.carls.refused(request.clone()).await,
            ErrorCode::NotFound
        );
        // Nor does the announcing phone hear it.
        assert_eq!(
            scene.family.annas.refused(request).await,
            ErrorCode::NotFound
        );
    }
}

#[tokio::test]
async fn a_child_announces_while_the_adults_let_it_write() {
    let mut scene = Scene::new().await;
    let (draft, key) = (scene.text(1), scene.family.zeb.app.clone());
    let sealed = seal(&mut scene.family.zebs, &key, &draft).await;
    let announce = request(draft.id, AnnounceTo::Home, &sealed);
    // Nobody has consented yet.
    let refused = scene.family.zebs.refused(announce.clone()).await;
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
    let refused = scene.family.zebs.refused(announce.clone()).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    assert!(!scene.kitchen.was_told().await);
    scene.family.annas.done(on).await;
    fates(&mut scene.family.zebs, announce).await;
    scene.kitchen.told().await;
}

#[tokio::test]
async fn what_is_no_announcement_of_now_is_refused() {
    let mut scene = Scene::new().await;
    let draft = scene.text(1);
    let good = scene.by_anna(&draft).await;
    let said = Announcement::read(&good.statement.body).unwrap();
    let by = |key| Sealed {
        statement: said.sign(key),
        ..good.clone()
    };
    let other_content = Sealed {
        ciphertext: vec![1; 30],
        ..good.clone()
    };
    let long = Sealed {
        ciphertext: vec![1; 2_048 + 17],
        ..good.clone()
    };
    let mut garbled = good.clone();
    garbled.statement.body.push(0);
    let early = Draft {
        at: draft.at.plus(5 * 60_000 + 1),
        ..draft.clone()
    };
    let late = Draft {
        at: draft.at.minus(5 * 60_000 + 1),
        ..draft.clone()
    };
    let cases = [
        ("by a stranger", by(&fresh_key()), ErrorCode::Forbidden),
        (
            "by the kitchen",
            by(&scene.kitchen.key),
            ErrorCode::BadRequest,
        ),
        ("of another content", other_content, ErrorCode::BadRequest),
        ("too long", long, ErrorCode::TooLarge),
        ("garbled", garbled, ErrorCode::BadRequest),
        (
            "too early",
            scene.by_anna(&early).await,
            ErrorCode::BadRequest,
        ),
        (
            "too late",
            scene.by_anna(&late).await,
            ErrorCode::BadRequest,
        ),
    ];
    let phone = &mut scene.family.annas;
    for (what, sealed, code) in cases {
        let announce = request(draft.id, AnnounceTo::Home, &sealed);
        assert_eq!(phone.refused(announce).await, code, "{what}");
    }
    let other_id = request(AnnouncementId([9; 16]), AnnounceTo::Home, &good);
    assert_eq!(phone.refused(other_id).await, ErrorCode::BadRequest);
    let room = "Attic".to_owned();
    let nowhere = request(draft.id, AnnounceTo::Zone { room }, &good);
    assert_eq!(phone.refused(nowhere).await, ErrorCode::NotFound);
    let announce = request(draft.id, AnnounceTo::Home, &good);
    fates(phone, announce.clone()).await;
    // The id is used.
    let again = Draft {
        at: draft.at.plus(1),
        ..draft
    };
    let again = scene.by_anna(&again).await;
    let again = request(AnnouncementId([1; 16]), AnnounceTo::Home, &again);
    let phone = &mut scene.family.annas;
    assert_eq!(phone.refused(again).await, ErrorCode::Conflict);
    fates(phone, announce).await;
}

#[tokio::test]
async fn a_device_that_announces_too_often_waits_and_a_household_has_a_limit() {
    let mut scene = Scene::new().await;
    for number in 1..=32 {
        let draft = scene.text(number);
        if number > 6 {
            let sealed = scene.by_anna(&draft).await;
            let announce = request(draft.id, AnnounceTo::Home, &sealed);
            let refused = scene.family.annas.refused(announce).await;
            assert_eq!(refused, ErrorCode::RateLimited);
            scene.server.clock.advance(Duration::from_secs(10));
        }
        // The first ones would be gone; they count for as long as they are fresh.
        let draft = scene.text(number);
        scene.announce(&draft, AnnounceTo::Home).await;
    }
    scene.server.clock.advance(Duration::from_secs(10));
    let draft = scene.text(33);
    let sealed = scene.by_anna(&draft).await;
    let announce = request(draft.id, AnnounceTo::Home, &sealed);
    let refused = scene.family.annas.refused(announce.clone()).await;
    assert_eq!(refused, ErrorCode::LimitReached);
    scene.server.clock.advance(Duration::from_secs(30));
    fates(&mut scene.family.annas, announce).await;
}

#[tokio::test]
async fn a_sealing_key_is_put_by_its_own_device_only() {
    let mut scene = Scene::new().await;
    let genesis = scene.family.anna.genesis;
    let put = |signed: &Signed| Request::PutSealingKey {
        statement: signed.encode().into(),
    };
    let baths = SealingStatement::sign(genesis, &scene.bath.key);
    let kitchen = &mut scene.kitchen.session;
    assert_eq!(kitchen.refused(put(&baths)).await, ErrorCode::BadRequest);
    let elsewhere = SealingStatement::sign(fresh_key().public(), &scene.kitchen.key);
    assert_eq!(
        kitchen.refused(put(&elsewhere)).await,
        ErrorCode::BadRequest
    );
    let body = SealingStatement::sign(genesis, &fresh_key()).body;
    let context = homeline_e2ee::signed::Context::SealingKey;
    let strange = Signed::sign(context, body, &scene.kitchen.key);
    assert_eq!(kitchen.refused(put(&strange)).await, ErrorCode::Forbidden);
    kitchen
        .done(put(&SealingStatement::sign(genesis, &scene.kitchen.key)))
        .await;
}
