//! Do not disturb: one device, everything, at weekly times, and who gets through.

use homeline_protocol::session::{
    DoNotDisturb, ErrorCode, Event, QuietSchedule, QuietWindow, Reply, Request, Weekday,
};

use super::{quick, refused, rung, silent};
use crate::harness::{Client, Server, start_call};

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn everywhere(on: bool) -> Request {
    Request::SetDoNotDisturbEverywhere { on }
}

fn always() -> QuietSchedule {
    QuietSchedule {
        time_zone: "America/New_York".to_owned(),
        windows: vec![QuietWindow {
            days: DAYS.to_vec(),
            from_minute: 0,
            to_minute: 0,
        }],
    }
}

async fn own(client: &mut Client) -> DoNotDisturb {
    match client.ok(Request::GetHome).await {
        Reply::Home(home) => home.settings.do_not_disturb,
        other => panic!("{other:?}"),
    }
}

// req: DND-1, DND-3, CALL-13
#[tokio::test]
async fn a_device_on_do_not_disturb_is_silent_until_switched_off_while_the_app_rings() {
    let server = Server::start().await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut phone, mut app) = (server.app(&anna).await, server.app(&ben).await);
    let mut kitchen = server.home_device(&ben).await;
    let device = kitchen.seat.device;

    kitchen.ok(silent(device, true)).await;
    let seen = rung(&mut phone, &ben, [&mut app, &mut kitchen]).await;
    assert_eq!(seen, [true, false]);
    kitchen.ok(silent(device, false)).await;
    let seen = rung(&mut phone, &ben, [&mut app, &mut kitchen]).await;
    assert_eq!(seen, [true, true]);

    // A device speaks for itself only, and nobody silences another household's.
    let mut hall = server.home_device(&ben).await;
    assert_eq!(hall.err(silent(device, true)).await, ErrorCode::Forbidden);
    assert_eq!(phone.err(silent(device, true)).await, ErrorCode::NotFound);
}

// req: DND-2, HH-6
#[tokio::test]
async fn the_app_has_the_same_switch_for_each_device_and_the_household_sees_it() {
    let server = Server::start().await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut phone, mut app) = (server.app(&anna).await, server.app(&ben).await);
    let (mut kitchen, mut hall) = (
        server.home_device(&ben).await,
        server.home_device(&ben).await,
    );
    let device = kitchen.seat.device;

    app.ok(silent(device, true)).await;
    for client in [&mut app, &mut kitchen, &mut hall] {
        let changed = client
            .event_of(|event| match event {
                Event::DeviceSettingsChanged {
                    device, settings, ..
                } => Some((*device, settings.do_not_disturb)),
                _ => None,
            })
            .await;
        assert_eq!(changed, (device, true));
    }
    let seen = rung(&mut phone, &ben, [&mut app, &mut kitchen, &mut hall]).await;
    assert_eq!(seen, [true, false, true]);

    // Its room and name stand in the same place.
    let rename = Request::SetDevice {
        device,
        label: Some("Cooking".to_owned()),
        room: Some("Downstairs".to_owned()),
    };
    app.ok(rename.clone()).await;
    let Reply::Home(home) = app.ok(Request::GetHome).await else {
        panic!()
    };
    let devices = home.household.unwrap().devices;
    let shown = devices.into_iter().find(|one| one.id == device).unwrap();
    assert_eq!(shown.label, "Cooking");
    assert_eq!(shown.settings.room, "Downstairs");
    assert!(shown.settings.do_not_disturb);
    assert_eq!(kitchen.err(rename.clone()).await, ErrorCode::Forbidden);
    assert_eq!(phone.err(rename).await, ErrorCode::NotFound);
    let endless = Request::SetDevice {
        device,
        label: None,
        room: Some("x".repeat(65)),
    };
    assert_eq!(app.err(endless).await, ErrorCode::BadRequest);
}

// req: DND-4
#[tokio::test]
async fn everywhere_silences_everything_of_one_person_but_for_exceptions() {
    let server = Server::with(quick()).await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut phone, mut app) = (server.app(&anna).await, server.app(&ben).await);
    let mut kitchen = server.home_device(&ben).await;
    let cleo = server.member("cleo", ben.household).await;
    let mut cleos = server.app(&cleo).await;

    // Said at a device, it holds for the person's app too.
    kitchen.ok(everywhere(true)).await;
    let told = app
        .event_of(|event| match event {
            Event::DoNotDisturbChanged(now) => Some(now.clone()),
            _ => None,
        })
        .await;
    assert!(told.everywhere && own(&mut app).await.everywhere);
    let seen = rung(&mut phone, &ben, [&mut app, &mut kitchen]).await;
    assert_eq!(seen, [false, false]);
    assert!(rung(&mut phone, &cleo, [&mut cleos]).await[0]);
    // The household is told why, at once; nobody else ever is.
    let error = refused(&mut cleos, start_call(super::a_call(), "ben")).await;
    assert_eq!(error.code, ErrorCode::NotAvailable);
    assert_eq!(error.message, "BEN is on do not disturb.");

    let contact = server.contact(&ben, &anna.handle).await;
    let but_anna = DoNotDisturb {
        everywhere: true,
        schedule: None,
        exceptions: vec![contact],
    };
    app.ok(Request::SetDoNotDisturb {
        do_not_disturb: but_anna.clone(),
    })
    .await;
    assert_eq!(own(&mut app).await, but_anna);
    // What silenced itself stays silent for exceptions too.
    kitchen.ok(silent(kitchen.seat.device, true)).await;
    let seen = rung(&mut phone, &ben, [&mut app, &mut kitchen]).await;
    assert_eq!(seen, [true, false]);

    let set = Request::SetDoNotDisturb {
        do_not_disturb: but_anna,
    };
    assert_eq!(kitchen.err(set).await, ErrorCode::Forbidden);
}

// req: DND-7
#[tokio::test]
async fn it_lasts_until_it_is_switched_off_and_a_schedule_comes_and_goes_by_itself() {
    let server = Server::start().await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let mut app = server.app(&ben).await;
    let mut kitchen = server.home_device(&ben).await;
    let (on_everything, on_device) = (everywhere(true), silent(kitchen.seat.device, true));
    app.ok(on_everything).await;
    kitchen.ok(on_device).await;
    let (app, kitchen) = (app.away(), kitchen.away());

    // It was acknowledged, so it is still on after the server died.
    let server = server.killed_and_restarted(quick()).await;
    let (mut app, mut kitchen) = (app.back(&server).await, kitchen.back(&server).await);
    let mut phone = server.app(&anna).await;
    let seen = rung(&mut phone, &ben, [&mut app, &mut kitchen]).await;
    assert_eq!(seen, [false, false]);
    app.ok(everywhere(false)).await;
    let seen = rung(&mut phone, &ben, [&mut app, &mut kitchen]).await;
    assert_eq!(seen, [true, false]);

    let scheduled = |schedule| Request::SetDoNotDisturb {
        do_not_disturb: DoNotDisturb {
            schedule,
            ..DoNotDisturb::default()
        },
    };
    app.ok(scheduled(Some(always()))).await;
    assert!(!rung(&mut phone, &ben, [&mut app]).await[0]);
    let mut never = always();
    never.windows.clear();
    app.ok(scheduled(Some(never))).await;
    assert!(rung(&mut phone, &ben, [&mut app]).await[0]);
    let mut nowhere = always();
    nowhere.time_zone = "Mars/Olympus".to_owned();
    let refused = app.err(scheduled(Some(nowhere))).await;
    assert_eq!(refused, ErrorCode::BadRequest);
}
