//! Near which devices somebody was lately: seen by those who may drop in there, and by nobody else.

use std::time::Duration;

use homeline_protocol::session::{
    Activity, CameraSwitch, ErrorCode, Event, NearDevice, Reply, Request, Switches,
};

use super::Scene;
use crate::support::{Person, Session, device_id};

const SPOKE: Request = Request::ReportActivity {
    activity: Activity::Interaction,
};
const MOVED: Request = Request::ReportActivity {
    activity: Activity::Motion,
};

async fn near(session: &mut Session) -> Vec<NearDevice> {
    match session.request(Request::GetRecentlyActive).await {
        Ok(Reply::RecentlyActive { devices }) => devices,
        other => panic!("{other:?}"),
    }
}

async fn told(session: &mut Session) -> Vec<NearDevice> {
    session
        .event(|event| match event {
            Event::RecentlyActive { devices } => Some(devices.clone()),
            _ => None,
        })
        .await
}

/// As somebody of another household sees it: whose, and no device.
fn at_annas(minutes_ago: u8) -> Vec<NearDevice> {
    vec![NearDevice {
        device: None,
        handle: Some("anna".parse().unwrap()),
        minutes_ago,
    }]
}

impl Scene {
    fn at_home(&self, minutes_ago: u8) -> Vec<NearDevice> {
        vec![NearDevice {
            device: Some(device_id(&self.kitchen.key)),
            handle: None,
            minutes_ago,
        }]
    }

    fn later(&self, minutes: u64) {
        self.server.clock.advance(Duration::from_secs(60 * minutes));
    }
}

// req: RA-1, RA-2, RA-3, RA-5
#[tokio::test]
async fn whoever_may_drop_in_sees_that_somebody_is_near_until_they_may_no_more() {
    let mut scene = Scene::new().await;
    let zoe = Person::founder(&scene.server, "zoe").await;
    let mut zoes = zoe.session(&scene.server).await;
    scene.kitchen.session.done(SPOKE).await;
    // Nobody may drop in, so nobody sees it, not even at home.
    assert!(near(&mut scene.phone).await.is_empty());
    assert!(near(&mut scene.bens).await.is_empty());
    let (own, bens) = (scene.to_own_household(7), scene.to_bens_household(8));
    scene.give(&own).await;
    scene.give(&bens).await;
    assert_eq!(told(&mut scene.phone).await, scene.at_home(0));
    assert_eq!(told(&mut scene.bens).await, at_annas(0));
    assert_eq!(near(&mut scene.bens).await, at_annas(0));
    assert!(near(&mut zoes).await.is_empty());
    // Taken back, it is gone at once.
    scene.give(&bens.ended(scene.server.now())).await;
    assert!(told(&mut scene.bens).await.is_empty());
    assert!(near(&mut scene.bens).await.is_empty());
    assert_eq!(near(&mut scene.phone).await, scene.at_home(0));
    let heard = |event: &Event| matches!(event, Event::RecentlyActive { .. });
    assert!(!zoes.has_seen(heard).await);
}

// req: RA-3
#[tokio::test]
async fn it_is_rounded_to_five_minutes_and_forgotten_after_ten() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_own_household(7)).await;
    scene.kitchen.session.done(MOVED).await;
    for (minutes, shown) in [(4, Some(0)), (1, Some(5)), (4, Some(5)), (1, None)] {
        scene.later(minutes);
        let expected = shown.map_or(Vec::new(), |shown| scene.at_home(shown));
        assert_eq!(near(&mut scene.phone).await, expected);
    }
    scene.kitchen.session.done(SPOKE).await;
    assert_eq!(near(&mut scene.phone).await, scene.at_home(0));
    // Only home devices say it.
    assert_eq!(scene.phone.refused(SPOKE).await, ErrorCode::Forbidden);
}

// req: RA-4
#[tokio::test]
async fn a_camera_that_is_off_or_covered_sees_nobody() {
    for camera in [CameraSwitch::Off, CameraSwitch::Shutter] {
        let mut scene = Scene::new().await;
        scene.give(&scene.to_own_household(7)).await;
        let switches = |camera| Request::SetSwitches {
            switches: Switches {
                microphone: true,
                camera,
            },
        };
        scene.kitchen.session.done(switches(camera)).await;
        scene.kitchen.session.done(MOVED).await;
        assert!(near(&mut scene.phone).await.is_empty());
        scene.kitchen.session.done(SPOKE).await;
        assert_eq!(near(&mut scene.phone).await, scene.at_home(0));
        scene.later(11);
        scene.kitchen.session.done(switches(CameraSwitch::On)).await;
        scene.kitchen.session.done(MOVED).await;
        assert_eq!(near(&mut scene.phone).await, scene.at_home(0));
    }
}

#[tokio::test]
async fn a_device_that_is_switched_off_says_nothing_and_what_it_said_is_forgotten() {
    let mut scene = Scene::new().await;
    scene.give(&scene.to_own_household(7)).await;
    scene.kitchen.session.done(SPOKE).await;
    assert_eq!(told(&mut scene.phone).await, scene.at_home(0));
    let device = device_id(&scene.kitchen.key);
    let set = |on| Request::SetRecentlyActive { device, on };
    // Nobody else's, and no app's.
    assert_eq!(scene.bens.refused(set(false)).await, ErrorCode::NotFound);
    let app = scene.anna.device();
    let of_app = Request::SetRecentlyActive {
        device: app,
        on: false,
    };
    assert_eq!(scene.phone.refused(of_app).await, ErrorCode::NotFound);
    scene.phone.done(set(false)).await;
    assert!(told(&mut scene.phone).await.is_empty());
    scene.later(1);
    scene.kitchen.session.done(SPOKE).await;
    assert!(near(&mut scene.phone).await.is_empty());
    let household = scene.phone.home().await.household.unwrap();
    let kitchen = household.devices.iter().find(|one| one.id == device);
    assert!(!kitchen.unwrap().settings.recently_active);
    // The device may say so itself; what was said before stays forgotten.
    scene.kitchen.session.done(set(true)).await;
    assert!(near(&mut scene.phone).await.is_empty());
    scene.kitchen.session.done(SPOKE).await;
    assert_eq!(near(&mut scene.phone).await, scene.at_home(0));
}
