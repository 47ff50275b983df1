//! Announcements that are heard while they are spoken: no microphone is opened for them, and one press ends it.

use crate::support::{Device, Homes, homes, pair_as};

/// Anna's kitchen, which listens for a tone, and her bath besides, which sends one.
async fn two_rooms() -> (Homes, Device, Device) {
    let homes = homes().await;
    let (kitchen, bath) = (
        homes.folder.path().join("a"),
        homes.folder.path().join("bath"),
    );
    pair_as(&homes.address, &homes.anna, "anna", "Bath", &bath).await;
    let listens = [
        "run",
        "--sound-in",
        "tone:1500",
        "--sound-out",
        "none",
        "--listen-for",
        "1000",
    ];
    let mut kitchen = Device::start(&kitchen, &listens);
    kitchen.event("ready").await;
    let sends = ["run", "--sound-in", "tone:1000", "--sound-out", "none"];
    let mut bath = Device::start(&bath, &sends);
    bath.event("ready").await;
    (homes, kitchen, bath)
}

// req: ANN-1, ANN-2, ANN-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_device_speaks_another_plays_with_its_microphone_shut_until_it_is_pressed() {
    let (_homes, mut kitchen, mut bath) = two_rooms().await;
    bath.say("announce live").await;
    bath.light("green").await;
    assert_eq!(bath.event("announcing_live").await["devices"], 1);
    assert_eq!(kitchen.event("live").await["from"], "Bath");
    // Its call light, which is lit whenever a microphone is open, stays dark.
    kitchen.event_before("tone_heard", "light").await;
    assert_eq!(bath.event("live_heard").await["at"], "Kitchen");
    kitchen.say("press").await;
    assert_eq!(kitchen.event("live_over").await["from"], "Bath");
    // Nobody hears it any more.
    assert_eq!(bath.event("ended").await["reason"], "hung_up");
    bath.light("off").await;
    kitchen.say("quit").await;
    assert_eq!(kitchen.exit_code().await, Some(0));
}

// req: ANN-4, DND-6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_do_not_disturb_begins_it_is_heard_no_more_and_then_not_at_all() {
    let (_homes, mut kitchen, mut bath) = two_rooms().await;
    bath.say("announce live").await;
    kitchen.event("tone_heard").await;
    kitchen.say("do not disturb on").await;
    kitchen.event("live_over").await;
    assert_eq!(bath.event("ended").await["reason"], "hung_up");
    bath.say("announce live").await;
    assert_eq!(bath.event("ended").await["reason"], "unreachable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_announces_ends_it_for_all() {
    let (_homes, mut kitchen, mut bath) = two_rooms().await;
    bath.say("announce live").await;
    kitchen.event("tone_heard").await;
    bath.say("hang up").await;
    assert_eq!(bath.event("ended").await["reason"], "hung_up");
    kitchen.event("live_over").await;
}
