//! Microphone and camera switches: believed, told to both sides, and kept by the server.

use homeline_protocol::id::{CallId, DeviceId, PeerId, RoomId, TrackId};
use homeline_protocol::media_control::MediaCommand;
use homeline_protocol::session::{
    CameraSwitch, Capabilities, Event, MediaState, Reply, Request, Source, Switches,
};

use super::{BOTH, switches};
use crate::harness::{Client, Server, offer_with_camera, ringing};

async fn participant(client: &mut Client, whose: DeviceId) -> MediaState {
    client
        .event_of(|event| match event {
            Event::Participants { participants, .. } => participants
                .iter()
                .find(|one| one.device == whose)
                .map(|one| one.media),
            _ => None,
        })
        .await
}

async fn told_of_switches(client: &mut Client) -> (DeviceId, MediaState) {
    client
        .event_of(|event| match event {
            Event::CallSwitches { device, media, .. } => Some((*device, *media)),
            _ => None,
        })
        .await
}

/// The tracks that the node was told to hold, or to let flow, by their newest word.
fn flows(server: &Server, wanted: TrackId) -> Option<bool> {
    let told = server.node.told().into_iter().rev();
    let mut of_track = told.filter_map(|command| match command {
        MediaCommand::SetTrackForwarding { track, on, .. } if track == wanted => Some(on),
        _ => None,
    });
    of_track.next()
}

async fn tracks(client: &mut Client) -> (TrackId, TrackId) {
    client
        .event_of(|event| {
            let Event::Tracks { tracks, .. } = event else {
                return None;
            };
            let of = |source| tracks.iter().find(|one| one.source == source);
            Some((of(Source::Microphone)?.track, of(Source::Camera)?.track))
        })
        .await
}

/// Anna calls Ben, whose kitchen has told its switches, offers media and answers with everything on.
async fn answered_in_the_kitchen(
    server: &Server,
    at_first: Request,
) -> (Client, Client, CallId, (TrackId, TrackId)) {
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let mut phone = server.app(&anna).await;
    let mut kitchen = server.home_device(&ben).await;
    kitchen.ok(at_first).await;
    let call = phone.call(&ben).await;
    assert_eq!(kitchen.incoming().await, call);
    kitchen.ok(ringing(call)).await;
    kitchen.ok(offer_with_camera(call)).await;
    kitchen.ok(Request::Answer { call, media: BOTH }).await;
    let tracks = {
        // Before the answer the caller hears of the switches, and with it of the tracks.
        let (device, _) = told_of_switches(&mut phone).await;
        assert_eq!(device, kitchen.seat.device);
        let whose = kitchen.seat.device;
        let answered = phone
            .event_of(|event| match event {
                Event::CallAnswered { device, media, .. } => Some((*device, *media)),
                _ => None,
            })
            .await;
        assert_eq!(answered.0, whose);
        assert_eq!(participant(&mut phone, whose).await, answered.1);
        tracks(&mut phone).await
    };
    (phone, kitchen, call, tracks)
}

// req: DEV-5
#[tokio::test]
async fn a_device_whose_microphone_is_off_rings_and_is_never_heard() {
    let server = Server::start().await;
    let off = switches(false, CameraSwitch::On);
    let (mut phone, mut kitchen, call, (microphone, camera)) =
        answered_in_the_kitchen(&server, off).await;
    let device = kitchen.seat.device;
    server
        .node
        .was_told_such(|command| {
            matches!(command, MediaCommand::SetTrackForwarding { track, on: false, .. }
                if *track == microphone)
        })
        .await;
    assert_eq!(flows(&server, camera), None, "the camera is on");
    assert!(server.node.forwards(RoomId(call.0), PeerId(device.0)));

    // Whatever the device says, the server believes the switch.
    kitchen.ok(Request::SetMedia { call, media: BOTH }).await;
    let muted = MediaState {
        microphone: false,
        camera: true,
    };
    assert_eq!(participant(&mut phone, device).await, muted);

    // On again, in mid-call: both hear of it, and the sound flows.
    kitchen.ok(switches(true, CameraSwitch::On)).await;
    assert_eq!(participant(&mut phone, device).await, BOTH);
    assert_eq!(participant(&mut kitchen, device).await, muted);
    assert_eq!(flows(&server, microphone), Some(true));
}

// req: DEV-6
#[tokio::test]
async fn a_button_that_cuts_camera_and_microphones_cuts_both() {
    let server = Server::start().await;
    let off = switches(false, CameraSwitch::Off);
    let (mut phone, mut kitchen, call, (microphone, camera)) =
        answered_in_the_kitchen(&server, off).await;
    for track in [microphone, camera] {
        let room = RoomId(call.0);
        let held = MediaCommand::SetTrackForwarding {
            room,
            track,
            on: false,
        };
        server.node.was_told(&held).await;
    }
    let device = kitchen.seat.device;
    kitchen.ok(Request::SetMedia { call, media: BOTH }).await;
    let nothing = MediaState {
        microphone: false,
        camera: false,
    };
    assert_eq!(participant(&mut phone, device).await, nothing);
    kitchen.ok(switches(true, CameraSwitch::On)).await;
    assert_eq!(participant(&mut phone, device).await, BOTH);
}

// req: DEV-7
#[tokio::test]
async fn with_the_shutter_closed_there_is_sound_and_no_picture() {
    let server = Server::start().await;
    let shut = switches(true, CameraSwitch::Shutter);
    let (mut phone, mut kitchen, call, (microphone, camera)) =
        answered_in_the_kitchen(&server, shut).await;
    let device = kitchen.seat.device;
    server
        .node
        .was_told_such(|command| {
            matches!(command, MediaCommand::SetTrackForwarding { track, on: false, .. }
                if *track == camera)
        })
        .await;
    assert_eq!(flows(&server, microphone), None, "it is heard");
    kitchen.ok(Request::SetMedia { call, media: BOTH }).await;
    let sound = MediaState {
        microphone: true,
        camera: false,
    };
    assert_eq!(participant(&mut phone, device).await, sound);
}

#[tokio::test]
async fn the_household_sees_what_a_device_can_do_and_ringing_devices_what_the_caller_can_not() {
    let server = Server::start().await;
    let (anna, ben) = (server.person("anna").await, server.person("ben").await);
    let (mut phone, mut bens) = (server.app(&anna).await, server.app(&ben).await);
    let mut kitchen = server.home_device(&anna).await;
    let capabilities = Capabilities {
        microphone: true,
        speaker: true,
        screen: true,
        camera: false,
    };
    kitchen.ok(Request::SetCapabilities { capabilities }).await;
    kitchen.ok(switches(false, CameraSwitch::Off)).await;
    let Reply::Home(home) = phone.ok(Request::GetHome).await else {
        panic!()
    };
    let devices = home.household.unwrap().devices;
    let shown = devices
        .iter()
        .find(|one| one.id == kitchen.seat.device)
        .unwrap();
    assert_eq!(shown.settings.capabilities, capabilities);
    let off = Switches {
        microphone: false,
        camera: CameraSwitch::Off,
    };
    assert_eq!(shown.settings.switches, off);

    let call = kitchen.call(&ben).await;
    assert_eq!(bens.incoming().await, call);
    let nothing = MediaState {
        microphone: false,
        camera: false,
    };
    let told = told_of_switches(&mut bens).await;
    assert_eq!(told, (kitchen.seat.device, nothing));
    kitchen.ok(switches(true, CameraSwitch::On)).await;
    assert_eq!(told_of_switches(&mut bens).await.1, BOTH);
}
