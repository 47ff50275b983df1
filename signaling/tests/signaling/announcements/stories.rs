//! Where it works: told, opened, played, acknowledged, answered; and what do not disturb makes of it.

use std::time::Duration;

use homeline_e2ee::announcement::{Announcement, Content, Draft};
use homeline_protocol::id::AnnouncementId;
use homeline_protocol::session::{
    AnnounceTo, AnnouncementFate, AnnouncementHeard, ErrorCode, Event, Presence, Reply, Request,
};

use super::{DINNER, Scene, fate, fates, heard, request, seal};
use crate::support::Server;

// req: ANN-1, HH-5
#[tokio::test]
async fn dinner_is_announced_at_every_home_device_which_opens_it_and_says_that_it_was_heard() {
    let mut scene = Scene::new().await;
    let draft = Draft {
        content: Content::Sound {
            ogg: b"OggS dinner".to_vec(),
            length_ms: 1_500,
        },
        ..scene.text(1)
    };
    let fates = scene.announce(&draft, AnnounceTo::Home).await;
    assert_eq!(fates.len(), 2);
    let now = scene.server.clock.now();
    for device in [&mut scene.kitchen, &mut scene.bath] {
        assert_eq!(fate(device, &fates), Some(AnnouncementFate::Told));
        let told = device.told().await;
        assert_eq!(told.announcement, draft.id);
        // All begin at one moment.
        assert_eq!(told.begin_at_ms, now.0 + 250);
        assert!(told.play);
        assert!(device.open(&scene.server, &told).await == draft.content);
        device.heard(draft.id, AnnouncementHeard::Played).await;
        let said = scene.family.annas.event(heard).await;
        assert_eq!(said, (draft.id, device.id(), AnnouncementHeard::Played));
        assert!(device.waiting().await.is_empty());
    }
    // Nobody else's session is told of it, Anna's other devices and the family's apps neither.
    let told = |event: &_| super::announced(event).is_some();
    assert!(!scene.family.annas.has_seen(told).await);
    assert!(!scene.family.bens.has_seen(told).await);
    assert!(!scene.family.carls.has_seen(told).await);
}

// req: A-40
#[tokio::test]
async fn a_home_device_announces_to_the_others_and_does_not_hear_itself() {
    let mut scene = Scene::new().await;
    let (draft, key) = (scene.text(1), scene.kitchen.key.clone());
    let sealed = seal(&mut scene.kitchen.session, &key, &draft).await;
    let announce = request(draft.id, AnnounceTo::Home, &sealed);
    let told = fates(&mut scene.kitchen.session, announce.clone()).await;
    assert_eq!(told, [(scene.bath.id(), AnnouncementFate::Told)]);
    scene.bath.told().await;
    assert!(!scene.kitchen.was_told().await);
    // Sent again, after a lost connection perhaps: the same answer, and nobody is told twice.
    assert_eq!(fates(&mut scene.kitchen.session, announce).await, told);
    assert!(!scene.bath.was_told().await);
}

#[tokio::test]
async fn an_announcement_goes_to_one_device_or_to_those_of_a_room() {
    let mut scene = Scene::new().await;
    let device = scene.kitchen.id();
    let told = scene
        .announce(&scene.text(1), AnnounceTo::Device { device })
        .await;
    assert_eq!(told, [(device, AnnouncementFate::Told)]);
    scene.kitchen.told().await;
    assert!(!scene.bath.was_told().await);

    let room = "upstairs ".to_owned();
    let told = scene
        .announce(&scene.text(2), AnnounceTo::Zone { room })
        .await;
    assert_eq!(told, [(scene.bath.id(), AnnouncementFate::Told)]);
    scene.bath.told().await;
    assert!(!scene.kitchen.was_told().await);
    // What is sealed to a device that it does not go to is not handed out there.
    let kitchen = &mut scene.kitchen.session;
    let announcement = AnnouncementId([2; 16]);
    let code = kitchen.refused(Request::GetAnnouncement { announcement });
    assert_eq!(code.await, ErrorCode::NotFound);
}

// req: ANN-4, DND-6
#[tokio::test]
async fn a_device_on_do_not_disturb_is_told_nothing_and_may_offer_it_afterwards() {
    let mut scene = Scene::new().await;
    scene.kitchen.quiet(true).await;
    let draft = scene.text(1);
    let fates = scene.announce(&draft, AnnounceTo::Home).await;
    assert_eq!(fate(&scene.kitchen, &fates), Some(AnnouncementFate::Quiet));
    assert_eq!(fate(&scene.bath, &fates), Some(AnnouncementFate::Told));
    scene.bath.told().await;
    assert!(!scene.kitchen.was_told().await);

    scene.kitchen.quiet(false).await;
    let offered = scene.kitchen.waiting().await;
    assert_eq!(offered.len(), 1);
    assert!(!offered[0].play);
    let opened = scene.kitchen.open(&scene.server, &offered[0]).await;
    assert!(opened == Content::Text(DINNER.to_owned()));
    // On all devices of the household at once.
    scene.kitchen.quiet(true).await;
    scene.bath.quiet(true).await;
    let all = scene.announce(&scene.text(2), AnnounceTo::Home).await;
    assert!(all.iter().all(|(_, fate)| *fate == AnnouncementFate::Quiet));
    assert!(!scene.bath.was_told().await);
    // And everywhere, by the person whose devices they are.
    scene.kitchen.quiet(false).await;
    scene.bath.quiet(false).await;
    let everywhere = Request::SetDoNotDisturbEverywhere { on: true };
    scene.family.annas.done(everywhere).await;
    let draft = scene.text(3);
    let key = scene.family.ben.app.clone();
    let sealed = seal(&mut scene.family.bens, &key, &draft).await;
    let announce = request(draft.id, AnnounceTo::Home, &sealed);
    let all = super::fates(&mut scene.family.bens, announce).await;
    assert!(all.iter().all(|(_, fate)| *fate == AnnouncementFate::Quiet));
    assert!(!scene.kitchen.was_told().await);
}

// req: ANN-5
#[tokio::test]
async fn a_reply_is_an_announcement_to_the_device_that_announced() {
    let mut scene = Scene::new().await;
    let (asked, key) = (scene.text(1), scene.kitchen.key.clone());
    let sealed = seal(&mut scene.kitchen.session, &key, &asked).await;
    let announce = request(asked.id, AnnounceTo::Home, &sealed);
    fates(&mut scene.kitchen.session, announce).await;
    scene.bath.told().await;

    let reply = Draft {
        content: Content::Text("Coming".to_owned()),
        reply_to: Some(asked.id),
        ..scene.text(2)
    };
    let (device, key) = (scene.kitchen.id(), scene.bath.key.clone());
    let sealed = seal(&mut scene.bath.session, &key, &reply).await;
    let answer = request(reply.id, AnnounceTo::Device { device }, &sealed);
    fates(&mut scene.bath.session, answer).await;
    let told = scene.kitchen.told().await;
    let signed = homeline_e2ee::signed::Signed::decode(&told.statement.0).unwrap();
    let said = Announcement::read(&signed.body).unwrap();
    assert_eq!(said.reply_to, Some(asked.id));
    assert!(scene.kitchen.open(&scene.server, &told).await == reply.content);
}

#[tokio::test]
async fn a_device_that_was_away_is_told_when_it_comes_while_the_announcement_is_fresh() {
    let server = Server::start_with(|config| config.session.resume_window_secs = 0).await;
    let mut scene = Scene::at(server).await;
    let token = scene.bath.token.clone();
    let elsewhere = scene.server.session(&scene.kitchen.token).await;
    let gone = std::mem::replace(&mut scene.bath.session, elsewhere);
    drop(gone);
    let bath = scene.bath.id();
    let offline = |event: &Event| match event {
        Event::PresenceChanged { device, presence } => {
            (*device == bath && *presence == Presence::Offline).then_some(())
        }
        _ => None,
    };
    scene.family.annas.event(offline).await;
    let draft = scene.text(1);
    let fates = scene.announce(&draft, AnnounceTo::Home).await;
    assert_eq!(fate(&scene.bath, &fates), Some(AnnouncementFate::Away));

    scene.bath.session = scene.server.session(&token).await;
    let waiting = scene.bath.waiting().await;
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].play);
    let opened = scene.bath.open(&scene.server, &waiting[0]).await;
    assert!(opened == draft.content);

    // After five minutes it is deleted, with whatever was said about it.
    scene.server.clock.advance(Duration::from_mins(5));
    assert!(scene.bath.waiting().await.is_empty());
    let announcement = draft.id;
    let fetch = Request::GetAnnouncement { announcement };
    assert_eq!(scene.bath.session.refused(fetch).await, ErrorCode::NotFound);
    scene.server.signaling.sweep().await.unwrap();
    let heard = Request::HeardAnnouncement {
        announcement,
        heard: AnnouncementHeard::Played,
    };
    assert_eq!(scene.bath.session.refused(heard).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn the_servers_clock_is_told() {
    let mut scene = Scene::new().await;
    let reply = scene.kitchen.session.request(Request::GetTime).await;
    let server_time_ms = scene.server.clock.now().0;
    assert_eq!(reply, Ok(Reply::Time { server_time_ms }));
}
