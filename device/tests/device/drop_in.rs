//! A device that is dropped in on: its tone and its light come first, and somebody at it has the last word.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use homeline_client::sound::{level_at, loudness, read_file};
use homeline_e2ee::drop_in::ledger::{EndedBy, Head, LedgerReader, What};
use homeline_e2ee::drop_in::{Grant, Grantee, LIFETIME_MS_MAX, Opening};
use homeline_e2ee::signed::Signed;
use homeline_e2ee::time::UnixMs;
use homeline_protocol::Blob;
use homeline_protocol::id::GrantId;
use homeline_protocol::session::{Reply, Request};

use crate::support::{Device, Homes, homes};

/// The tone's first note.
const FIRST_NOTE: f64 = 587.0;
const SAMPLE_RATE: usize = 48_000;

/// Anna lets Ben's household person drop in.
async fn give(homes: &Homes, opening: Opening, picture: bool) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = UnixMs(u64::try_from(since.as_millis()).unwrap());
    let (anna, ben) = (homes.anna.household(), homes.ben.household());
    let to = Grantee::Person {
        contact: anna.find_contact("ben").unwrap().id,
        their_genesis: ben.roster().genesis_key(),
        person: ben.own().id.to_string(),
    };
    let grant = Grant {
        genesis: anna.roster().genesis_key(),
        id: GrantId([1; 16]),
        revision: at.0,
        to,
        devices: vec![],
        hours: None,
        picture,
        opening,
        signed_at: at,
        expires_at: at.plus(LIFETIME_MS_MAX),
        revoked: false,
    };
    homes.anna.put_drop_in_grant(&grant).await.unwrap();
}

async fn begin(homes: &Homes, folder: &str, arguments: &[&str]) -> Device {
    let arguments = [&["run"], arguments].concat();
    let mut device = Device::start(&homes.folder.path().join(folder), &arguments);
    device.event("ready").await;
    device
}

const BEN: [&str; 6] = [
    "--sound-in",
    "tone:1500",
    "--listen-for",
    "1000",
    "--picture",
    "pattern",
];

// req: DROP-8, DROP-9, DROP-10, DROP-11, DROP-12, DROP-13, DROP-14, DROP-16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tone_and_light_come_before_sound_and_picture_and_the_device_ends_it() {
    let homes = homes().await;
    give(&homes, Opening::AtOnce, true).await;
    let recorded = homes.folder.path().join("kitchen.wav");
    let kitchen = [
        "--sound-in",
        "tone:1000",
        "--listen-for",
        "1500",
        "--picture",
        "pattern",
        "--frosted",
        "5",
        "--sound-out",
        recorded.to_str().unwrap(),
    ];
    let mut kitchen = begin(&homes, "a", &kitchen).await;
    let mut bens = begin(&homes, "b", &BEN).await;
    bens.say("drop in on the aunt anna").await;
    bens.event("dropping_in").await;
    let comes = kitchen.event("drop_in").await;
    assert_eq!(comes["from"], "Uncle Ben");
    assert_eq!(
        (&comes["picture"], &comes["knocks"]),
        (&true.into(), &false.into())
    );
    let light = kitchen.event_before("light", "drop_in_stage").await;
    assert_eq!(light["light"], "green");
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "frosted");
    assert_eq!(bens.event("dropped_in").await["room"], "Kitchen");
    bens.event("secured").await;
    bens.event("tone_heard").await;
    kitchen.event("tone_heard").await;
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "clear");
    kitchen.say("hush").await;
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "hushed");
    kitchen.say("hush").await;
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "clear");
    kitchen.say("video off").await;
    kitchen.say("hang up").await;
    assert_eq!(kitchen.event("drop_in_ended").await["by"], "here");
    kitchen.light("off").await;
    bens.event("ended").await;
    kitchen.say("quit").await;
    assert_eq!(kitchen.exit_code().await, Some(0));
    // What the speaker gave first is the tone, whole.
    let samples = read_file(&recorded).unwrap();
    assert!(level_at(FIRST_NOTE, &samples[..SAMPLE_RATE * 2 / 5]) > 0.7);
    assert!(loudness(&samples[..SAMPLE_RATE * 4 / 5]) > 5_000.0);
}

// req: DEV-5, DROP-10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_microphone_that_is_switched_off_while_it_begins_opens_when_it_is_switched_on() {
    let homes = homes().await;
    give(&homes, Opening::AtOnce, false).await;
    let recorded = homes.folder.path().join("kitchen.wav");
    let kitchen = [
        "--sound-in",
        "tone:1000",
        "--listen-for",
        "1500",
        "--sound-out",
        recorded.to_str().unwrap(),
    ];
    let mut kitchen = begin(&homes, "a", &kitchen).await;
    let mut bens = begin(&homes, "b", &BEN).await;
    bens.say("drop in on aunt anna").await;
    kitchen.event("drop_in").await;
    // While its tone plays.
    kitchen.say("microphone off").await;
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "clear");
    bens.event("secured").await;
    kitchen.event("tone_heard").await;
    kitchen.say("microphone on").await;
    bens.event("tone_heard").await;
}

// req: DROP-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_was_torn_out_of_a_drop_in_says_so_in_its_ledger_when_it_begins_again() {
    let homes = homes().await;
    give(&homes, Opening::AtOnce, false).await;
    let recorded = homes.folder.path().join("kitchen.wav");
    let arguments = ["--sound-in", "tone:1000", "--sound-out"];
    let arguments = [&arguments[..], &[recorded.to_str().unwrap()]].concat();
    let mut kitchen = begin(&homes, "a", &arguments).await;
    let mut bens = begin(&homes, "b", &BEN).await;
    bens.say("drop in on aunt anna").await;
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "clear");
    bens.event("tone_heard").await;
    // After the grant, and the picture that it does not cover.
    assert!(matches!(ledger(&homes, 3).await[2], What::Opened { .. }));
    kitchen.kill().await;
    let _kitchen = begin(&homes, "a", &arguments).await;
    assert_eq!(bens.event("ended").await["reason"], "device_lost");
    let ledger = ledger(&homes, 4).await;
    let What::Ended { by, .. } = &ledger[3] else {
        panic!("it ended");
    };
    assert_eq!(*by, EndedBy::Connection);
}

/// What Anna's device has written, as her app reads it: with at least so many entries.
async fn ledger(homes: &Homes, length: usize) -> Vec<What> {
    let household = homes.anna.household();
    let mut devices = household.devices().iter();
    let device = devices.find(|one| one.label == "Kitchen").unwrap().id;
    loop {
        let listed = Request::ListLedger {
            device,
            from: 0,
            limit: 200,
        };
        let entries = match homes.anna.session().request(listed).await {
            Ok(Reply::Ledger { entries, .. }) => entries,
            other => panic!("no ledger: {other:?}"),
        };
        if entries.len() >= length {
            let genesis = household.roster().genesis_key();
            let mut reader = LedgerReader::new(genesis, device, Head::default());
            let read = |entry: &Blob| {
                let entry = Signed::decode(&entry.0).unwrap();
                reader.read(&entry).unwrap().what
            };
            return entries.iter().map(read).collect();
        }
        // A session may ask 20 times a second, and is told of nothing here.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_knocked_at_and_somebody_says_yes_or_puts_everyone_out() {
    let homes = homes().await;
    give(&homes, Opening::KnockUntilYes, false).await;
    let recorded = homes.folder.path().join("kitchen.wav");
    let kitchen = [
        "--sound-in",
        "tone:1000",
        "--sound-out",
        recorded.to_str().unwrap(),
    ];
    let mut kitchen = begin(&homes, "a", &kitchen).await;
    let mut bens = begin(&homes, "b", &BEN).await;
    bens.say("drop in on aunt anna").await;
    assert_eq!(kitchen.event("drop_in").await["knocks"], true);
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "knocking");
    bens.event("secured").await;
    kitchen.say("yes").await;
    assert_eq!(kitchen.event("drop_in_stage").await["stage"], "clear");
    bens.event("tone_heard").await;
    kitchen.say("everyone out").await;
    assert_eq!(kitchen.event("drop_in_ended").await["by"], "put_out");
    kitchen.light("off").await;
    bens.event("ended").await;
    bens.say("drop in on aunt anna").await;
    assert_eq!(
        kitchen.event("drop_in_refused").await["refusal"],
        "ended_here"
    );
    assert_eq!(
        bens.event("drop_in_refused").await["refusal"],
        "unavailable"
    );
}

// req: DROP-9, DROP-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_whose_speaker_or_light_fails_lets_nobody_in() {
    let homes = homes().await;
    give(&homes, Opening::AtOnce, false).await;
    let mut bens = begin(&homes, "b", &BEN).await;
    let recorded = homes.folder.path().join("kitchen.wav");
    let no_light = [
        "--led",
        "/nowhere/led",
        "--sound-out",
        recorded.to_str().unwrap(),
    ];
    for broken in [&["--sound-out", "none"][..], &no_light] {
        let mut kitchen = begin(&homes, "a", broken).await;
        bens.say("drop in on aunt anna").await;
        let refused = kitchen
            .event_before("drop_in_refused", "drop_in_stage")
            .await;
        assert_eq!(refused["refusal"], "no_signal");
        assert_eq!(
            bens.event("drop_in_refused").await["refusal"],
            "unavailable"
        );
        bens.event("ended").await;
        kitchen.say("quit").await;
        kitchen.exit_code().await;
    }
    // The node's figures are a quarter of a second old at most.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let figures = homes.node.metrics();
    assert_eq!((figures.counters.datagrams_in, figures.peers), (0, 0));
}
