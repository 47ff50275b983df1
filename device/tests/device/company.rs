//! A device in a call with more than two, one that hands its call over or takes one, and a second call.

use crate::support::{Device, Homes, app, homes, pair, pair_as};

/// Anna's device calls Ben's kitchen, which is answered by one press. Each is heard.
async fn talking(homes: &Homes) -> (Device, Device) {
    let arguments = ["run", "--sound-in", "tone:1500", "--listen-for"];
    let arguments = [&arguments[..], &["1000", "--listen-for", "2000"]].concat();
    let mut kitchen = Device::start(&homes.folder.path().join("b"), &arguments);
    kitchen.event("ready").await;
    let arguments = ["run", "--sound-in", "tone:1000", "--listen-for"];
    let arguments = [&arguments[..], &["1500", "--listen-for", "2000"]].concat();
    let mut caller = Device::start(&homes.folder.path().join("a"), &arguments);
    caller.event("ready").await;
    caller.say("call uncle ben").await;
    kitchen.event("ringing").await;
    kitchen.light("pulsing_green").await;
    kitchen.say("press").await;
    kitchen.light("green").await;
    caller.event("secured").await;
    (caller, kitchen)
}

/// Cleo, whom Anna and Ben know, with a device of her own.
async fn cleos(homes: &Homes) -> Device {
    let cleo = app(&homes.address, "cleo", "Cleo").await;
    let folder = homes.folder.path().join("c");
    pair(&homes.address, &cleo, "cleo", &folder).await;
    let key = |client: &homeline_client::Client| Some(client.household().roster().genesis_key());
    for knows in [&homes.anna, &homes.ben] {
        let handle = "cleo".parse().unwrap();
        knows
            .add_contact("Aunt Cleo", handle, key(&cleo))
            .await
            .unwrap();
    }
    cleo.add_contact("Ben", "ben".parse().unwrap(), key(&homes.ben))
        .await
        .unwrap();
    let arguments = ["run", "--sound-in", "tone:2000", "--listen-for"];
    let arguments = [&arguments[..], &["1000", "--listen-for", "1500"]].concat();
    let mut device = Device::start(&folder, &arguments);
    device.event("ready").await;
    device
}

/// Two tones that are told in whatever order.
async fn hears(device: &mut Device, wanted: [f64; 2]) {
    let mut heard = Vec::new();
    for _ in wanted {
        heard.push(device.event("tone_heard").await["hertz"].as_f64().unwrap());
    }
    heard.sort_by(f64::total_cmp);
    assert_eq!(heard, wanted);
}

// req: CALL-5, CALL-6, DEV-11, TOP-4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_press_answers_what_rings_and_one_hangs_up_what_is_on() {
    let homes = homes().await;
    let (mut caller, mut kitchen) = talking(&homes).await;
    kitchen.event("tone_heard").await;
    kitchen.say("press").await;
    assert_eq!(caller.event("ended").await["reason"], "hung_up");
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    kitchen.light("off").await;
}

// req: CALL-6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_adds_somebody_by_name_and_all_three_hear_each_other() {
    let homes = homes().await;
    let mut cleo = cleos(&homes).await;
    let (mut caller, mut kitchen) = talking(&homes).await;
    caller.say("add aunt cleo").await;
    assert_eq!(caller.event("adding").await["name"], "aunt cleo");
    assert_eq!(cleo.event("ringing").await["from"], "Anna");
    caller.event("adding_rings").await;
    cleo.say("answer").await;
    assert_eq!(caller.event("joined").await["name"], "Cleo");
    assert_eq!(kitchen.event("joined").await["name"], "Cleo");
    hears(&mut caller, [1_500.0, 2_000.0]).await;
    hears(&mut kitchen, [1_000.0, 2_000.0]).await;
    hears(&mut cleo, [1_000.0, 1_500.0]).await;
    // Whoever leaves leaves the others talking.
    cleo.say("hang up").await;
    assert_eq!(kitchen.event("left").await["name"], "Cleo");
    assert_eq!(cleo.event("ended").await["reason"], "hung_up");
    caller.say("end for everyone").await;
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_declines_is_not_added_and_adding_is_taken_back() {
    let homes = homes().await;
    let mut cleo = cleos(&homes).await;
    let (mut caller, mut kitchen) = talking(&homes).await;
    // Who is here already is refused in the server's words, and the call goes on.
    caller.say("add uncle ben").await;
    let warned = caller.event("warning").await;
    let text = warned["text"].as_str().unwrap();
    assert!(text.contains("in this call already"), "{text}");
    caller.event("not_added").await;
    caller.say("add aunt cleo").await;
    cleo.event("ringing").await;
    cleo.say("decline").await;
    let refused = caller.event("not_added").await;
    assert_eq!(
        (&refused["name"], &refused["reason"]),
        (&"aunt cleo".into(), &"declined".into())
    );
    cleo.event("ended").await;
    caller.say("add aunt cleo").await;
    cleo.event("ringing").await;
    caller.event("adding_rings").await;
    caller.say("cancel adding").await;
    assert_eq!(caller.event("not_added").await["reason"], "cancelled");
    assert_eq!(cleo.event("ended").await["reason"], "cancelled");
    kitchen.say("press").await;
    assert_eq!(caller.event("ended").await["reason"], "hung_up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_moves_to_another_room_and_is_taken_back() {
    let homes = homes().await;
    let hall = homes.folder.path().join("hall");
    pair_as(&homes.address, &homes.ben, "ben", "Hall", &hall).await;
    let (mut caller, mut kitchen) = talking(&homes).await;
    let arguments = ["run", "--sound-in", "tone:2000", "--listen-for", "1000"];
    let mut hall = Device::start(&hall, &arguments);
    hall.event("ready").await;
    assert_eq!(caller.event("tone_heard").await["hertz"], 1_500.0);
    // Nobody has such a room, and nothing is on elsewhere for Anna.
    kitchen.say("move to cellar").await;
    kitchen.event("warning").await;

    kitchen.say("move to hall").await;
    assert_eq!(kitchen.event("moving").await["to"], "Hall");
    let rings = hall.event("ringing").await;
    assert_eq!(
        (&rings["from"], &rings["moves"]),
        (&"Aunt Anna".into(), &true.into())
    );
    hall.say("decline").await;
    let stays = kitchen.event("not_moved").await;
    assert_eq!(
        (&stays["to"], &stays["reason"]),
        (&"Hall".into(), &"declined".into())
    );
    hall.event("ended").await;

    kitchen.say("move to hall").await;
    hall.event("ringing").await;
    hall.say("press").await;
    assert_eq!(kitchen.event("ended").await["reason"], "moved");
    kitchen.light("off").await;
    hall.event("tone_heard").await;
    assert_eq!(caller.event("tone_heard").await["hertz"], 2_000.0);

    // Fetched back by who stands in the kitchen; nothing rings there.
    kitchen.say("take over").await;
    kitchen.event("taking_over").await;
    kitchen.event_before("answered", "ringing").await;
    assert_eq!(hall.event("ended").await["reason"], "moved");
    kitchen.event("secured").await;
    caller.say("hang up").await;
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    kitchen.say("take over").await;
    kitchen.event("warning").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_call_waits_and_is_declined_or_answered() {
    let homes = homes().await;
    let mut cleo = cleos(&homes).await;
    let (mut caller, mut kitchen) = talking(&homes).await;
    kitchen.event("tone_heard").await;
    cleo.say("call ben").await;
    let waits = kitchen.event("waiting").await;
    assert_eq!(waits["from"], "Aunt Cleo");
    cleo.event("rings_there").await;
    kitchen.say("decline").await;
    kitchen.event("waiting_ended").await;
    assert_eq!(cleo.event("ended").await["reason"], "declined");

    // Given up: the first call does not notice.
    cleo.say("call ben").await;
    kitchen.event("waiting").await;
    cleo.say("hang up").await;
    cleo.event("ended").await;
    assert_eq!(kitchen.event("waiting_ended").await["reason"], "cancelled");

    cleo.say("call ben").await;
    kitchen.event("waiting").await;
    kitchen.say("answer").await;
    assert_eq!(caller.event("ended").await["reason"], "hung_up");
    assert_eq!(kitchen.event("ended").await["reason"], "hung_up");
    kitchen.event("answered").await;
    cleo.event("secured").await;
    assert_eq!(kitchen.event("secured").await["with"], "Aunt Cleo");
    assert_eq!(kitchen.event("tone_heard").await["hertz"], 2_000.0);
    assert_eq!(cleo.event("tone_heard").await["hertz"], 1_500.0);
    kitchen.say("press").await;
    assert_eq!(cleo.event("ended").await["reason"], "hung_up");
}
