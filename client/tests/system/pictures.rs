//! Calls with pictures between Rust clients: encoded, encrypted, forwarded, decrypted, decoded.

use std::time::Duration;

use homeline_client::media::{Camera, Seen, VideoFrame};
use homeline_client::picture::{self, Shown, pattern, pattern_at, similarity};
use homeline_client::{Call, CallEvent, Outgoing};
use homeline_protocol::session::EndReason;
use tokio::sync::{mpsc, watch};

use crate::house::{Person, code, ended, soon, sound, until};
use crate::server::TestServer;

/// The size of the test picture.
const SIZE: (u32, u32) = (320, 240);

/// Frames of the test picture that may pass between two that are looked at.
const SKIPPED_MAX: u32 = 60;

struct Talk {
    anna: Call,
    ben: Call,
    _people: [Person; 2],
}

/// Anna calls with these, and Ben answers with those.
async fn talk(server: &TestServer, with: [(Option<Camera>, mpsc::Sender<Seen>); 2]) -> Talk {
    let [anna_with, ben_with] = with.map(|(camera, screen)| {
        let (with, mut heard) = sound(1_000.0);
        tokio::spawn(async move { while heard.recv().await.is_some() {} });
        Outgoing {
            camera,
            screen: Some(screen),
            ..with
        }
    });
    let anna = Person::found(&server.server(), "anna").await;
    let mut ben = Person::found(&server.server(), "ben").await;
    let mut call = anna.client.call("ben", anna_with).await.unwrap();
    let incoming = ben.incoming().await;
    assert!(incoming.video());
    let mut answered = incoming.answer(ben_with).await;
    assert_eq!(code(&mut call).await, code(&mut answered).await);
    Talk {
        anna: call,
        ben: answered,
        _people: [anna, ben],
    }
}

/// Waits for a picture, and tells which of the test picture's it is; `None` when it resembles none of them.
async fn sees(images: &mut mpsc::Receiver<Shown>, from: u32) -> Option<u32> {
    let shown = soon("a picture", images.recv()).await.unwrap();
    let likeness = |number: &u32| {
        let image = pattern_at(SIZE, *number);
        similarity(&shown.image, &image).is_some_and(|likeness| likeness > 35.0)
    };
    (from..from + SKIPPED_MAX).find(likeness)
}

// req: CALL-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_see_each_others_moving_picture() {
    let server = TestServer::start().await;
    let mut screens = Vec::new();
    let with = [(); 2].map(|()| {
        let (shown, images) = mpsc::channel(8);
        screens.push(images);
        let camera = picture::camera(pattern()).unwrap();
        (Some(camera), picture::screen(shown).unwrap())
    });
    let mut talk = talk(&server, with).await;
    for images in &mut screens {
        let mut number = 0;
        for _ in 0..20 {
            number = sees(images, number).await.expect("the picture moves on") + 1;
        }
    }
    talk.ben.hang_up().await;
    assert_eq!(ended(&mut talk.anna).await, EndReason::HungUp);
}

// req: CALL-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn video_off_stops_the_picture_and_video_on_brings_it_back() {
    let server = TestServer::start().await;
    let (shown, mut images) = mpsc::channel(8);
    let camera = picture::camera(pattern()).unwrap();
    let (nobody, _nothing) = mpsc::channel(1);
    let with = [
        (Some(camera), nobody),
        (None, picture::screen(shown).unwrap()),
    ];
    let mut talk = talk(&server, with).await;
    let number = sees(&mut images, 0).await.unwrap();
    // There is nothing to switch on at the other side.
    talk.ben.video(true).await;
    talk.anna.video(false).await;
    camera_is(&mut talk.ben, false).await;
    // What was under way may still arrive; then nothing does.
    let quiet = Duration::from_millis(400);
    while tokio::time::timeout(quiet, images.recv()).await.is_ok() {}
    talk.anna.video(true).await;
    camera_is(&mut talk.ben, true).await;
    assert!(sees(&mut images, number + 1).await.is_some());
    talk.anna.hang_up().await;
    let others_camera = until_end(&mut talk.anna).await;
    assert!(!others_camera, "Ben has no camera");
}

async fn camera_is(call: &mut Call, on: bool) {
    until(call, "the switch", |event| match event {
        CallEvent::PartyMedia { media, .. } => (media.camera == on).then_some(()),
        _ => None,
    })
    .await;
}

/// Whether the other side ever told of a camera.
async fn until_end(call: &mut Call) -> bool {
    let mut told = false;
    loop {
        match soon("the end", call.next()).await {
            Some(CallEvent::PartyMedia { media, .. }) => told |= media.camera,
            Some(CallEvent::Ended(_)) | None => return told,
            Some(_) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_that_can_not_decode_gets_a_key_frame() {
    let server = TestServer::start().await;
    let (screen, mut seen) = mpsc::channel(64);
    let (nobody, _nothing) = mpsc::channel(1);
    let (camera, _sent) = numbered_camera();
    let with = [(Some(camera), nobody), (None, screen)];
    let _talk = talk(&server, with).await;
    let first = soon("a picture", seen.recv()).await.unwrap();
    assert!(first.frame.key);
    // Until those are through that others asked for at the start of the call.
    let quiet = async |seen: &mut mpsc::Receiver<Seen>| {
        for _ in 0..15 {
            if soon("a picture", seen.recv()).await.unwrap().frame.key {
                return false;
            }
        }
        true
    };
    while !quiet(&mut seen).await {}
    first.key_frame_wanted.ask();
    soon("a key frame", async {
        while !seen.recv().await.unwrap().frame.key {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_lost_frames_pictures_go_on_with_a_key_frame() {
    let server = TestServer::start().await;
    // A screen that holds two frames loses what comes while it does not look.
    let (screen, mut seen) = mpsc::channel(2);
    let (nobody, _nothing) = mpsc::channel(1);
    let (camera, mut sent) = numbered_camera();
    let with = [(Some(camera), nobody), (None, screen)];
    let _talk = talk(&server, with).await;
    let mut last = number(&soon("a picture", seen.recv()).await.unwrap());
    let later = last + 40;
    soon("later frames", sent.wait_for(|sent| *sent >= later))
        .await
        .unwrap();
    let mut went_on = false;
    while !went_on {
        let next = soon("a picture", seen.recv()).await.unwrap();
        went_on = number(&next) > last + 1;
        assert!(!went_on || next.frame.key, "it can be decoded after {last}");
        last = number(&next);
    }
    // From there on each follows the one before, or can be decoded without it.
    for _ in 0..10 {
        let next = soon("a picture", seen.recv()).await.unwrap();
        assert!(next.frame.key || number(&next) == last + 1);
        last = number(&next);
    }
}

fn number(seen: &Seen) -> u32 {
    u32::from_be_bytes(seen.frame.data[..4].try_into().unwrap())
}

/// Frames that are no pictures but numbers, and the newest that was sent; the network never looks
/// inside. Key frames come only when asked for.
fn numbered_camera() -> (Camera, watch::Receiver<u32>) {
    let (sender, frames) = mpsc::channel(1);
    let (key_frame_wanted, mut wanted) = mpsc::channel(4);
    let (newest, sent) = watch::channel(0);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(40));
        for number in 0_u32.. {
            ticks.tick().await;
            let key = wanted.try_recv().is_ok();
            let mut data = number.to_be_bytes().to_vec();
            data.resize(3_000, 7);
            if sender.send(VideoFrame { data, key }).await.is_err() {
                return;
            }
            newest.send_replace(number);
        }
    });
    let camera = Camera {
        frames,
        key_frame_wanted,
    };
    (camera, sent)
}
