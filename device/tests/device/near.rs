//! That somebody is near: what a device says by itself, as those see it who may drop in there.

use std::fs;
use std::time::Duration;

use homeline_protocol::id::DeviceId;
use homeline_protocol::session::{Reply, Request};

use crate::support::{Device, Homes, homes};

/// The home devices near which somebody was lately, as Anna's app sees it.
async fn near(homes: &Homes) -> Vec<Option<DeviceId>> {
    let asked = homes.anna.session().request(Request::GetRecentlyActive);
    match asked.await {
        Ok(Reply::RecentlyActive { devices }) => devices.iter().map(|one| one.device).collect(),
        other => panic!("{other:?}"),
    }
}

/// Waits until somebody was near some device.
async fn somebody(homes: &Homes) -> Vec<Option<DeviceId>> {
    let waiting = async {
        loop {
            let near = near(homes).await;
            if !near.is_empty() {
                return near;
            }
            // A session may ask 20 times a second.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    waited.expect("somebody is near")
}

async fn kitchen(homes: &Homes, arguments: &[&str]) -> (Device, DeviceId) {
    let silent = ["run", "--sound-in", "silence", "--sound-out", "none"];
    let arguments = [&silent, arguments].concat();
    let mut kitchen = Device::start(&homes.folder.path().join("a"), &arguments);
    kitchen.event("ready").await;
    let household = homes.anna.household();
    let mut devices = household.devices().iter();
    let id = devices.find(|one| one.label == "Kitchen").unwrap().id;
    (kitchen, id)
}

// req: RA-1, RA-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_motion_sensor_says_that_somebody_is_near() {
    let homes = homes().await;
    homes.anna.let_household_drop_in(false).await.unwrap();
    let pin = homes.folder.path().join("value");
    fs::write(&pin, "0\n").unwrap();
    let sensor = ["--motion", pin.to_str().unwrap()];
    let (_kitchen, id) = kitchen(&homes, &sensor).await;
    assert!(near(&homes).await.is_empty());
    fs::write(&pin, "1\n").unwrap();
    assert_eq!(somebody(&homes).await, [Some(id)]);
}

// req: RA-1, RA-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_to_the_device_says_it_too() {
    let homes = homes().await;
    homes.anna.let_household_drop_in(false).await.unwrap();
    let (mut kitchen, id) = kitchen(&homes, &[]).await;
    assert!(near(&homes).await.is_empty());
    kitchen.say("press").await;
    assert_eq!(somebody(&homes).await, [Some(id)]);
}
