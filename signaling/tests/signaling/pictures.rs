//! Pictures and lines of a call over real sessions: views, wanted encodings, speakers, grades.

use homeline_protocol::id::{CallId, PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, MediaEvent, PeerStatistics, Publish, View};
use homeline_protocol::session::{
    EndReason, ErrorCode, Event, Grade, GradedDevice, OwnConnection, Request, Source, Track,
    TrackView,
};

use crate::calls::{anna_and_ben, talking};
use crate::harness::{Client, Server, offer_with_camera};

fn views(call: CallId, views: &[(TrackId, u16, u16)]) -> Request {
    let view = |(track, width, height): &(TrackId, u16, u16)| TrackView {
        track: *track,
        width: *width,
        height: *height,
    };
    let views = views.iter().map(view).collect();
    Request::SetViews { call, views }
}

async fn camera_of_other(client: &mut Client) -> TrackId {
    let camera = |track: &&Track| track.source == Source::Camera;
    let told = |event: &Event| match event {
        Event::Tracks { tracks, .. } => tracks.iter().find(camera).map(|track| track.track),
        _ => None,
    };
    client.event_of(told).await
}

/// Anna and Ben talk and send pictures; and the track of Ben's camera.
async fn seeing(server: &Server) -> (Client, Client, CallId, TrackId) {
    let (mut anna, mut bens, call) = talking(server).await;
    anna.ok(offer_with_camera(call)).await;
    bens.ok(offer_with_camera(call)).await;
    let track = camera_of_other(&mut anna).await;
    (anna, bens, call, track)
}

fn is_of_pictures(event: &Event) -> bool {
    matches!(
        event,
        Event::LayersWanted { .. } | Event::Speakers { .. } | Event::CallConnections { .. }
    )
}

#[tokio::test]
async fn a_view_reaches_the_node_and_another_calls_track_is_refused() {
    let server = Server::start().await;
    let (mut anna, mut bens, call, bens_camera) = seeing(&server).await;
    let annas_camera = camera_of_other(&mut bens).await;
    anna.ok(views(call, &[(bens_camera, 640, 360)])).await;
    let annas = anna.peer();
    let command = |width, height| MediaCommand::SetView {
        room: RoomId(call.0),
        peer: annas,
        track: bens_camera,
        view: View { width, height },
    };
    server.node.was_told(&command(640, 360)).await;
    anna.ok(views(call, &[(bens_camera, 640, 360), (bens_camera, 0, 0)]))
        .await;
    server.node.was_told(&command(0, 0)).await;

    // One's own, one of another call, more than there can be; and somebody who is in no call.
    let refused = ErrorCode::BadRequest;
    assert_eq!(
        anna.err(views(call, &[(annas_camera, 1, 1)])).await,
        refused
    );
    let foreign = TrackId([9; 16]);
    let both = [(bens_camera, 8, 8), (foreign, 8, 8)];
    assert_eq!(anna.err(views(call, &both)).await, refused);
    assert_eq!(anna.err(views(call, &[both[0]; 33])).await, refused);
    let stranger = server.person("cleo").await;
    let mut cleos = server.app(&stranger).await;
    let code = cleos.err(views(call, &[(bens_camera, 1, 1)])).await;
    assert_eq!(code, ErrorCode::NotFound);
    let told = server.node.told();
    let eight = |told: &MediaCommand| matches!(told, MediaCommand::SetView { view, .. } if view.width < 10 && view.width > 0);
    assert!(!told.iter().any(eight), "a refused request changes nothing");
}

#[tokio::test]
async fn the_sender_alone_hears_which_encodings_are_wanted_again_after_an_absence() {
    let server = Server::start().await;
    let (mut anna, mut bens, call, track) = seeing(&server).await;
    let wanted = |event: &Event| match event {
        Event::LayersWanted { source, wanted, .. } => Some((*source, wanted.clone())),
        _ => None,
    };
    let say = |wanted: Vec<u8>, peer: PeerId| MediaEvent::LayersWanted {
        room: RoomId(call.0),
        peer,
        track,
        wanted,
    };
    server.node.say(say(vec![0, 1], bens.peer())).await;
    assert_eq!(bens.event_of(wanted).await, (Source::Camera, vec![0, 1]));
    // Said of a track that is not that peer's, nobody hears it.
    server.node.say(say(vec![2], anna.peer())).await;
    server.node.say(say(vec![], bens.peer())).await;
    assert_eq!(bens.event_of(wanted).await, (Source::Camera, vec![]));
    assert!(!anna.events_so_far().await.iter().any(is_of_pictures));

    let away = bens.away();
    let gone = |event: &Event| {
        matches!(
            event,
            Event::ParticipantConnection {
                connected: false,
                ..
            }
        )
        .then_some(())
    };
    anna.event_of(gone).await;
    let ben = PeerId(camera_owner(&anna, &server, track));
    server.node.say(say(vec![1], ben)).await;
    let mut bens = away.back(&server).await;
    assert_eq!(bens.event_of(wanted).await, (Source::Camera, vec![1]));
}

/// Whose camera it is, by what the node was told.
fn camera_owner(anna: &Client, server: &Server, track: TrackId) -> [u8; 16] {
    let sends = |publish: &Publish| publish.track == track;
    let told = server.node.told().into_iter();
    let mut owners = told.filter_map(|command| match command {
        MediaCommand::Negotiate { peer, publish, .. } => publish.iter().any(sends).then_some(peer),
        _ => None,
    });
    let owner = owners.next().unwrap();
    assert_ne!(owner, anna.peer());
    owner.0
}

#[tokio::test]
async fn participants_hear_who_speaks_and_nobody_else_does() {
    let server = Server::start().await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let mut kitchen = server.home_device(&ben).await;
    let call = anna.call(&ben).await;
    for device in [&mut bens, &mut kitchen] {
        device.ring().await;
        device.offer(call).await;
    }
    let (annas, bens_peer, kitchens) = (anna.peer(), bens.peer(), kitchen.peer());
    let say = |peers: Vec<PeerId>| MediaEvent::Speakers {
        room: RoomId(call.0),
        peers,
    };
    let speak = |event: &Event| match event {
        Event::Speakers { devices, .. } => Some(devices.clone()),
        _ => None,
    };
    // Nobody hears of it while it rings.
    server.node.say(say(vec![annas])).await;
    bens.answer(call).await;
    server.node.say(say(vec![bens_peer, kitchens, annas])).await;
    let expected = vec![bens.seat.device, anna.seat.device];
    assert_eq!(anna.event_of(speak).await, expected);
    assert_eq!(bens.event_of(speak).await, expected);
    server.node.say(say(vec![])).await;
    assert_eq!(anna.event_of(speak).await, vec![]);
    assert!(!kitchen.events_so_far().await.iter().any(is_of_pictures));
}

/// A device's figures as the node has them.
fn figures(client: &Client, loss_in_256ths: u8) -> PeerStatistics {
    PeerStatistics {
        peer: client.peer(),
        connected: true,
        packets_in: 100,
        packets_out: 100,
        packets_dropped: 0,
        round_trip_ms: Some(20),
        loss_in_256ths,
        loss_out_256ths: 0,
        jitter_ms: 4,
        quality: Some(if loss_in_256ths == 0 { 96 } else { 20 }),
        quality_up: None,
        quality_down: None,
        estimate_bits_per_second: Some(2_400_500),
        transport: None,
        published: vec![],
        received: vec![],
    }
}

#[tokio::test]
async fn each_hears_its_own_figures_and_one_word_of_the_other() {
    let server = Server::start().await;
    let (mut anna, mut bens, call, _) = seeing(&server).await;
    let known = vec![figures(&anna, 0), figures(&bens, 64)];
    server.node.measures(known);
    let lines = |event: &Event| match event {
        Event::CallConnections { own, others, .. } => Some((*own, others.clone())),
        _ => None,
    };
    let (own, others) = anna.event_of(lines).await;
    let good = OwnConnection {
        grade: Grade::Good,
        loss_up_percent: 0,
        loss_down_percent: 0,
        round_trip_ms: Some(20),
        jitter_ms: 4,
        estimate_kbit_per_second: Some(2_400),
    };
    let of = |client: &Client, grade| GradedDevice {
        device: client.seat.device,
        grade,
    };
    assert_eq!(own, Some(good));
    assert_eq!(others, [of(&bens, Grade::Poor)]);
    let (own, others) = bens.event_of(lines).await;
    let own = own.unwrap();
    assert_eq!((own.grade, own.loss_up_percent), (Grade::Poor, 25));
    assert_eq!(others, [of(&anna, Grade::Good)]);

    // The figures stay with whom they are of: what the other learns has none.
    let said = serde_json::to_string(&others).unwrap();
    assert!(!said.contains("loss") && said.contains("good"), "{said}");
    anna.ok(Request::HangUp {
        call,
        reason: EndReason::HungUp,
    })
    .await;
}
