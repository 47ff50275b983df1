//! Announcements: said at one device, played at another, which opens no microphone for it.

use std::path::Path;
use std::time::Duration;

use homeline_client::media::{Pcm, SAMPLES};
use homeline_client::sound::{Recorder, level_at, read_file};
use homeline_protocol::session::{Reply, Request};

use crate::support::{Device, Homes, flite_is_here, homes, pair_as};

/// A second of a tone.
fn tone_file(path: &Path, hertz: f64) {
    let mut recorder = Recorder::create(path).unwrap();
    for frame in 0..50 {
        let at = |index: usize| {
            let seconds = (frame * SAMPLES + index) as f64 / 48_000.0;
            (9_000.0 * (std::f64::consts::TAU * hertz * seconds).sin()) as i16
        };
        recorder.write(&Pcm(std::array::from_fn(at))).unwrap();
    }
}

/// Anna's kitchen, and her bath besides.
async fn two_rooms() -> (Homes, std::path::PathBuf, std::path::PathBuf) {
    let homes = homes().await;
    let (kitchen, bath) = (
        homes.folder.path().join("a"),
        homes.folder.path().join("bath"),
    );
    pair_as(&homes.address, &homes.anna, "anna", "Bath", &bath).await;
    (homes, kitchen, bath)
}

/// Waits until a device can be sealed to.
async fn can_hear(homes: &Homes) {
    let waiting = async {
        loop {
            let asked = homes.anna.session().request(Request::GetSealingKeys).await;
            let Ok(Reply::SealingKeys { keys }) = asked else {
                panic!("{asked:?}")
            };
            if !keys.is_empty() {
                return;
            }
            // The server tells nobody of a new one; a session may ask 20 times a second.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, waiting).await.unwrap();
}

// req: ANN-1, ANN-2, ANN-3, V18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_announcement_is_played_in_its_own_sound_and_who_announced_learns_of_it() {
    let (homes, kitchen_folder, bath_folder) = two_rooms().await;
    let (said, out) = (
        homes.folder.path().join("said.wav"),
        homes.folder.path().join("out.wav"),
    );
    tone_file(&said, 1_000.0);
    let arguments = ["run", "--sound-in", "tone:1500", "--sound-out"];
    let arguments = [&arguments[..], &[out.to_str().unwrap()]].concat();
    let mut kitchen = Device::start(&kitchen_folder, &arguments);
    kitchen.event("ready").await;
    can_hear(&homes).await;
    let arguments = ["announce", "--sound", said.to_str().unwrap()];
    let mut bath = Device::start(&bath_folder, &arguments);
    assert_eq!(bath.event("announced").await["devices"], 1);
    assert_eq!(kitchen.event("announcement").await["from"], "Bath");
    // Its call light, which is lit whenever a microphone is open, stays dark.
    kitchen.event_before("announcement_played", "light").await;
    let heard = bath.event("announcement_heard").await;
    assert_eq!(
        (&heard["at"], &heard["heard"]),
        (&"Kitchen".into(), &"played".into())
    );
    assert_eq!(bath.exit_code().await, Some(0));
    kitchen.say("quit").await;
    assert_eq!(kitchen.exit_code().await, Some(0));
    let played = read_file(&out).unwrap();
    assert!(played.len() > 40_000);
    assert!(level_at(1_000.0, &played[4_800..43_200]) > 0.9);
}

// req: ANN-2, ANN-5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_is_spoken_or_shown_and_answered() {
    let (homes, kitchen_folder, bath_folder) = two_rooms().await;
    let silent = ["run", "--sound-in", "silence", "--sound-out", "none"];
    let mut kitchen = Device::start(&kitchen_folder, &silent);
    kitchen.event("ready").await;
    let mut bath = Device::start(&bath_folder, &silent);
    bath.event("ready").await;
    can_hear(&homes).await;
    bath.say("announce Dinner is ready").await;
    let shown = kitchen.event("announcement_text").await;
    assert_eq!(
        (&shown["from"], &shown["text"]),
        (&"Bath".into(), &"Dinner is ready".into())
    );
    let heard = bath.event("announcement_heard").await;
    let how = if flite_is_here() { "played" } else { "shown" };
    assert_eq!(heard["heard"], how);
    kitchen.say("answer announcement: Coming").await;
    assert_eq!(bath.event("announcement_text").await["text"], "Coming");
    // By its microphone, which is opened where one announces.
    kitchen.say("record announcement").await;
    kitchen.event("recording").await;
    kitchen.say("send announcement").await;
    bath.event("announcement_plays").await;
}

// req: ANN-4, DND-6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_do_not_disturb_nothing_is_played_and_afterwards_it_is_offered() {
    let (homes, kitchen_folder, bath_folder) = two_rooms().await;
    let silent = ["run", "--sound-in", "silence", "--sound-out", "none"];
    let mut kitchen = Device::start(&kitchen_folder, &silent);
    kitchen.event("ready").await;
    can_hear(&homes).await;
    kitchen.say("do not disturb on").await;
    kitchen.event("do_not_disturb").await;
    let arguments = ["announce", "--text", "Dinner is ready", "--wait", "0"];
    let mut bath = Device::start(&bath_folder, &arguments);
    bath.event("announced").await;
    assert_eq!(bath.exit_code().await, Some(0));
    kitchen.say("do not disturb off").await;
    kitchen
        .event_before("announcement_offered", "announcement_text")
        .await;
    kitchen.say("play announcements").await;
    let shown = kitchen.event("announcement_text").await;
    assert_eq!(shown["text"], "Dinner is ready");
}
