//! A device that rings, speaks, answers, calls, and shows it.

use std::time::Duration;

use homeline_client::Client;
use homeline_e2ee::policy::Mode;
use homeline_protocol::session::{Capabilities, TopContact};

use crate::support::{Device, flite_is_here, homes};

// req: CALL-1, CALL-3, CALL-5, CALL-6, DEV-1, DEV-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_rings_with_the_callers_name_and_its_light_shows_the_call() {
    let homes = homes().await;
    let recorded = homes.folder.path().join("b.wav");
    let arguments = [
        "run",
        "--sound-in",
        "tone:1500",
        "--listen-for",
        "1000",
        "--sound-out",
    ];
    let arguments = [&arguments[..], &[recorded.to_str().unwrap()]].concat();
    let mut kitchen = Device::start(&homes.folder.path().join("b"), &arguments);
    kitchen.event("ready").await;
    let arguments = [
        "call",
        "uncle ben",
        "--sound-in",
        "tone:1000",
        "--listen-for",
        "1500",
    ];
    let mut caller = Device::start(&homes.folder.path().join("a"), &arguments);
    let ringing = kitchen.event("ringing").await;
    assert_eq!(
        (&ringing["from"], &ringing["trust"]),
        (&"Aunt Anna".into(), &"verified".into())
    );
    kitchen.light("pulsing_green").await;
    caller.light("green").await;
    caller.event("rings_there").await;
    if flite_is_here() {
        assert_eq!(
            kitchen.event("spoken").await["text"],
            "Incoming call from Aunt Anna"
        );
    }
    kitchen.say("answer").await;
    kitchen.light("green").await;
    let (here, there) = (
        kitchen.event("secured").await,
        caller.event("secured").await,
    );
    assert_eq!(here["code"], there["code"]);
    kitchen.event("tone_heard").await;
    caller.event("tone_heard").await;
    kitchen.say("hang up").await;
    assert_eq!(caller.event("ended").await["reason"], "hung_up");
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    kitchen.light("off").await;
    caller.light("off").await;
    assert_eq!(caller.exit_code().await, Some(0));
    kitchen.say("quit").await;
    assert_eq!(kitchen.exit_code().await, Some(0));
    let samples = homeline_client::sound::read_file(&recorded).unwrap();
    assert!(
        homeline_client::sound::loudness(&samples) > 100.0,
        "ring tone and call were heard"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_answers_by_itself_only_for_whom_the_signed_setting_names() {
    let homes = homes().await;
    let household = homes.ben.household();
    let device = household
        .devices()
        .iter()
        .find(|device| !device.adult)
        .unwrap()
        .id;
    homes
        .ben
        .set_answer_mode(device, "anna", Some(Mode::Echo))
        .await
        .unwrap();
    let mut kitchen = Device::start(&homes.folder.path().join("b"), &["run"]);
    kitchen.event("ready").await;
    let arguments = [
        "call",
        "Uncle Ben",
        "--sound-in",
        "tone:1000",
        "--listen-for",
        "1000",
    ];
    let mut caller = Device::start(&homes.folder.path().join("a"), &arguments);
    kitchen.event("answered").await;
    // Its own tone comes back.
    caller.event("tone_heard").await;
    caller.say("hang up").await;
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    assert_eq!(caller.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_stopped_hangs_up_first() {
    let homes = homes().await;
    let mut kitchen = Device::start(&homes.folder.path().join("b"), &["run"]);
    kitchen.event("ready").await;
    let mut caller = Device::start(&homes.folder.path().join("a"), &["call", "Uncle Ben"]);
    kitchen.event("ringing").await;
    kitchen.say("answer").await;
    caller.event("secured").await;
    kitchen.event("secured").await;
    caller.terminate().await;
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    assert_eq!(caller.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_talks_by_the_ways_that_it_is_given_and_says_which_lead_nowhere() {
    let homes = homes().await;
    let answered = homes.folder.path().join("b");
    let mut kitchen = Device::start(
        &answered,
        &["--media-ways", "tcp", "run", "--sound-in", "tone:1500"],
    );
    kitchen.event("ready").await;
    let sound = ["--sound-in", "tone:1000", "--listen-for", "1500"];
    let folder = homes.folder.path().join("a");
    let arguments = ["--media-ways", "tcp", "call", "uncle ben"];
    let mut caller = Device::start(&folder, &[&arguments[..], &sound].concat());
    kitchen.event("ringing").await;
    kitchen.say("answer").await;
    caller.event("tone_heard").await;
    caller.say("hang up").await;
    assert_eq!(caller.exit_code().await, Some(0));
    // Until it has heard of the end, the kitchen is busy.
    kitchen.event("ended").await;
    // There is no relay here.
    let arguments = ["--media-ways", "relay", "call", "uncle ben"];
    let mut caller = Device::start(&folder, &[&arguments[..], &sound].concat());
    let text = caller.event("warning").await["text"].to_string();
    assert!(text.contains("no way to the server"), "{text}");
    caller.say("hang up").await;
    caller.event("ended").await;
}

/// What the household is told that the kitchen has. The app's own question is answered after the news
/// of whatever the kitchen told before.
async fn kitchen_has(ben: &Client) -> Capabilities {
    ben.set_do_not_disturb(false).await.unwrap();
    let household = ben.household();
    let mut devices = household.devices().iter();
    let kitchen = devices.find(|device| !device.adult).unwrap();
    kitchen.settings.capabilities
}

// req: REG-9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_household_sees_that_a_device_without_a_picture_has_no_camera_and_a_call_has_none() {
    let homes = homes().await;
    let mut kitchen = Device::start(&homes.folder.path().join("b"), &["run"]);
    kitchen.event("ready").await;
    let has = kitchen_has(&homes.ben).await;
    assert!(has.microphone && has.speaker && !has.screen && !has.camera);

    // Called with a picture it answers all the same, and has nothing to show.
    let arguments = ["call", "uncle ben", "--picture", "pattern"];
    let mut caller = Device::start(&homes.folder.path().join("a"), &arguments);
    assert_eq!(kitchen.event("ringing").await["video"], true);
    kitchen.say("answer").await;
    caller.event_before("secured", "picture_seen").await;
    kitchen.say("video on").await;
    kitchen.event("warning").await;
    kitchen.say("hang up").await;
    kitchen.event_before("ended", "picture_seen").await;
    caller.event_before("ended", "picture_seen").await;
}

// req: CALL-10, CALL-11, REG-9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_with_pictures_see_each_other_and_switch_theirs_off_and_on() {
    let homes = homes().await;
    let film = homes.folder.path().join("film.y4m");
    let header = b"YUV4MPEG2 W64 H48 F20:1\nFRAME\n";
    std::fs::write(&film, [&header[..], &[128; 64 * 48 * 3 / 2]].concat()).unwrap();
    let arguments = ["run", "--picture", "pattern"];
    let mut kitchen = Device::start(&homes.folder.path().join("b"), &arguments);
    kitchen.event("ready").await;
    assert!(kitchen_has(&homes.ben).await.camera);
    let film = film.to_str().unwrap();
    let arguments = ["call", "uncle ben", "--picture", film];
    let mut caller = Device::start(&homes.folder.path().join("a"), &arguments);
    assert_eq!(kitchen.event("ringing").await["video"], true);
    kitchen.say("answer").await;
    let here = kitchen.event("picture_seen").await;
    assert_eq!((&here["width"], &here["height"]), (&64.into(), &48.into()));
    let there = caller.event("picture_seen").await;
    assert_eq!(
        (&there["width"], &there["height"]),
        (&320.into(), &240.into())
    );
    // Off and on again: the picture goes on.
    caller.say("video off").await;
    caller.say("video on").await;
    let later = kitchen.event("picture_seen").await["frames"].as_u64();
    assert!(later > here["frames"].as_u64());
    caller.say("hang up").await;
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    assert_eq!(caller.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_can_not_be_used_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.y4m");
    std::fs::write(&film, "no film").unwrap();
    let film = film.to_str().unwrap();
    let arguments = ["--server", "http://localhost:1", "run", "--picture", film];
    let device = Device::start(folder.path(), &arguments);
    assert_eq!(device.exit_code().await, Some(1));
}

// req: CALL-7, DEV-5, TOP-2, TOP-3, TOP-4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_button_calls_and_hangs_up_and_another_cuts_the_microphone() {
    let homes = homes().await;
    let vibrator = homes.folder.path().join("vibrator");
    std::fs::create_dir(&vibrator).unwrap();
    let path = vibrator.to_str().unwrap();
    let shaken = || vibrator.join("activate").exists();
    let arguments = ["run", "--sound-in", "tone:1000", "--vibrator", path];
    let mut caller = Device::start(&homes.folder.path().join("a"), &arguments);
    let arguments = ["run", "--listen-for", "1000"];
    let mut kitchen = Device::start(&homes.folder.path().join("b"), &arguments);
    caller.event("ready").await;
    kitchen.event("ready").await;
    // Nobody is chosen yet: it says so, and calls nobody.
    caller.say("double press").await;
    caller.event("warning").await;
    assert!(!shaken());

    let contact = homes.anna.household().find_contact("Uncle Ben").unwrap().id;
    let top = Some(TopContact::Contact { contact });
    homes.anna.set_top_contact(top).await.unwrap();
    caller.say("microphone off").await;
    assert_eq!(caller.event("red_light").await["on"], true);
    // The news of the top contact and this answer come the same way, in this order.
    caller.say("do not disturb on").await;
    caller.event("do_not_disturb").await;
    caller.say("double press").await;
    caller.event("confirmed").await;
    assert!(shaken(), "it is felt as well as heard");
    kitchen.event("ringing").await;
    kitchen.say("answer").await;
    kitchen.event("secured").await;
    caller.event("secured").await;
    let deaf = kitchen.event("tone_heard");
    let unheard = tokio::time::timeout(Duration::from_secs(2), deaf).await;
    assert!(unheard.is_err(), "a microphone that is off was heard");
    caller.say("microphone on").await;
    assert_eq!(caller.event("red_light").await["on"], false);
    kitchen.event("tone_heard").await;
    caller.say("press").await;
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    assert_eq!(caller.event("ended").await["reason"], "hung_up");

    // A device that was told to be silent does not ring, until it is told otherwise.
    kitchen.say("do not disturb on").await;
    kitchen.event("do_not_disturb").await;
    caller.say("double press").await;
    caller.event("calling").await;
    caller.say("press").await;
    assert_eq!(caller.event("ended").await["reason"], "cancelled");
    kitchen.say("do not disturb off").await;
    let waited_for = kitchen.event_before("do_not_disturb", "ringing").await;
    assert_eq!(waited_for["on"], false);
    // A name alone is enough to reach a contact's devices; one that nobody has reaches nobody.
    caller.say("call nobody we know").await;
    caller.event("warning").await;
    caller.say("call uncle ben").await;
    kitchen.event("ringing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_without_a_household_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::start(folder.path(), &["--server", "http://localhost:1", "run"]);
    assert_eq!(device.exit_code().await, Some(1));
}
