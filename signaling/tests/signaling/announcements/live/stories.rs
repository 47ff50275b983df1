//! As it should go.

use homeline_protocol::Blob;
use homeline_protocol::id::CallId;
use homeline_protocol::session::{
    AnnounceTo, AnnouncementFate, Callee, EndReason, ErrorCode, Event, MediaState, Reply, Request,
    Source, SubscribeSection,
};

use super::super::{fate, fates};
use super::{
    CALL, SECOND, announce, ended, hang_up, hear, is_told, offer, participants, was_told,
    with_calls,
};

// req: ANN-1, ANN-3
#[tokio::test]
async fn it_is_heard_at_every_home_device_and_only_who_announces_publishes() {
    let mut scene = with_calls().await;
    let said = scene.by_phone(CALL).await;
    let request = announce(CALL, AnnounceTo::Home, &said, &scene.family.anna.app);
    let all = fates(&mut scene.family.annas, request.clone()).await;
    for device in [&scene.kitchen, &scene.bath] {
        assert_eq!(fate(device, &all), Some(AnnouncementFate::Told));
    }
    // Said twice it is told once, and replied alike.
    assert_eq!(fates(&mut scene.family.annas, request).await, all);
    let phone = scene.family.anna.device();
    let signed: Blob = said.sign(&scene.family.anna.app).encode().into();
    assert_eq!(is_told(&mut scene.kitchen).await, (CALL, phone, signed));
    assert!(!was_told(&mut scene.kitchen).await);

    let phones = &mut scene.family.annas;
    let spoken = phones.request(offer(&[Source::Microphone], vec![])).await;
    assert!(
        matches!(spoken, Ok(Reply::MediaAnswer { .. })),
        "{spoken:?}"
    );
    // Nobody but those who were told may hear it, nor the one who announces.
    assert_eq!(phones.refused(hear(CALL)).await, ErrorCode::Forbidden);
    let strangers = scene.family.carls.refused(hear(CALL)).await;
    assert_eq!(strangers, ErrorCode::NotFound);
    let bens = scene.family.bens.refused(hear(CALL)).await;
    assert_eq!(bens, ErrorCode::NotFound);
}

// req: ANN-3
#[tokio::test]
async fn whoever_hears_it_listens_and_leaves_alone_and_who_announces_ends_it_for_all() {
    let mut scene = with_calls().await;
    scene.announces(CALL).await;
    let phone = scene.family.anna.device();
    let spoken = offer(&[Source::Microphone], vec![]);
    scene.family.annas.request(spoken).await.unwrap();
    let kitchen = &mut scene.kitchen.session;
    let early = kitchen.refused(offer(&[], vec![])).await;
    assert_eq!(early, ErrorCode::Conflict);
    kitchen.done(hear(CALL)).await;
    kitchen.done(hear(CALL)).await;
    let tracks = kitchen.event(|event| match event {
        Event::Tracks { tracks, .. } => Some(tracks.clone()),
        _ => None,
    });
    let tracks = tracks.await;
    assert_eq!(
        (tracks.len(), tracks[0].device, tracks[0].source),
        (1, phone, Source::Microphone)
    );
    let answered = scene.family.annas.event(|event| match event {
        Event::CallAnswered {
            device,
            media,
            key_package,
            ..
        } => Some((*device, *media, key_package.clone())),
        _ => None,
    });
    let nothing = MediaState {
        microphone: false,
        camera: false,
    };
    let introduced = (scene.kitchen.id(), nothing, Blob(b"key package".to_vec()));
    assert_eq!(answered.await, introduced);
    let there = participants(&mut scene.family.annas).await;
    assert_eq!(there, [phone, scene.kitchen.id()]);
    let kitchen = &mut scene.kitchen.session;
    for source in [Source::Microphone, Source::Camera] {
        let publishes = kitchen.refused(offer(&[source], vec![])).await;
        assert_eq!(publishes, ErrorCode::Forbidden);
    }
    let listens = SubscribeSection {
        mid: "0".to_owned(),
        track: tracks[0].track,
    };
    let listens = kitchen.request(offer(&[], vec![listens])).await;
    assert!(
        matches!(listens, Ok(Reply::MediaAnswer { .. })),
        "{listens:?}"
    );

    // Whoever hears it leaves alone; the one who announces ends it for all.
    scene.bath.session.done(hear(CALL)).await;
    scene.kitchen.session.done(hang_up(CALL)).await;
    let reason = ended(&mut scene.kitchen.session, CALL).await;
    assert_eq!(reason, EndReason::HungUp);
    assert_eq!(
        scene.kitchen.session.refused(hear(CALL)).await,
        ErrorCode::CallEnded
    );
    scene.family.annas.done(hang_up(CALL)).await;
    assert_eq!(
        ended(&mut scene.bath.session, CALL).await,
        EndReason::HungUp
    );
    assert_eq!(scene.refused(CALL).await, ErrorCode::CallEnded);
    // It is in nobody's history.
    let listing = Request::ListHistory {
        before_ms: None,
        limit: 10,
    };
    let history = scene.family.annas.request(listing).await;
    assert_eq!(history, Ok(Reply::History { calls: vec![] }));
}

#[tokio::test]
async fn it_goes_to_one_device_or_to_those_of_a_room() {
    let mut scene = with_calls().await;
    let (device, room) = (scene.kitchen.id(), "upstairs".to_owned());
    let only = [(scene.kitchen.id(), AnnouncementFate::Told)];
    let upstairs = [(scene.bath.id(), AnnouncementFate::Told)];
    let key = scene.family.anna.app.clone();
    let said = scene.by_phone(CALL).await;
    let request = announce(CALL, AnnounceTo::Device { device }, &said, &key);
    assert_eq!(fates(&mut scene.family.annas, request).await, only);
    is_told(&mut scene.kitchen).await;
    assert!(!was_told(&mut scene.bath).await);
    // Whoever was not told can't come in, though the statement names it.
    let refused = scene.bath.session.refused(hear(CALL)).await;
    assert_eq!(refused, ErrorCode::NotFound);
    scene.family.annas.done(hang_up(CALL)).await;
    ended(&mut scene.family.annas, CALL).await;
    let said = scene.by_phone(SECOND).await;
    let request = announce(SECOND, AnnounceTo::Zone { room }, &said, &key);
    assert_eq!(fates(&mut scene.family.annas, request).await, upstairs);
    is_told(&mut scene.bath).await;
}

// req: ANN-4, DND-6
#[tokio::test]
async fn do_not_disturb_keeps_it_out_and_where_nobody_can_hear_it_none_begins() {
    let mut scene = with_calls().await;
    scene.kitchen.quiet(true).await;
    let all = scene.announces(CALL).await;
    assert_eq!(fate(&scene.kitchen, &all), Some(AnnouncementFate::Quiet));
    is_told(&mut scene.bath).await;
    assert!(!was_told(&mut scene.kitchen).await);
    scene.family.annas.done(hang_up(CALL)).await;
    ended(&mut scene.family.annas, CALL).await;
    // What was spoken is kept nowhere.
    scene.kitchen.quiet(false).await;
    assert!(scene.kitchen.waiting().await.is_empty());
    scene.kitchen.quiet(true).await;
    scene.bath.quiet(true).await;
    assert_eq!(scene.refused(SECOND).await, ErrorCode::NotAvailable);
    assert!(!was_told(&mut scene.bath).await);
}

#[tokio::test]
async fn a_device_that_hears_one_is_rung_as_usual_and_leaves_it_for_a_call() {
    let mut scene = with_calls().await;
    scene.announces(CALL).await;
    scene.kitchen.session.done(hear(CALL)).await;
    let call = |to| Request::StartCall {
        call: SECOND,
        to,
        video: false,
        invitation: Blob(vec![1]),
    };
    let device = scene.kitchen.id();
    scene
        .family
        .bens
        .done(call(Callee::Device { device }))
        .await;
    let rings = |event: &Event| matches!(event, Event::IncomingCall { .. }).then_some(());
    scene.kitchen.session.event(rings).await;
    let cancel = Request::Cancel { call: SECOND };
    scene.family.bens.done(cancel).await;
    // And it may call: the announcement goes on without it.
    scene.bath.session.done(hear(CALL)).await;
    let handle = scene.family.ben.handle.clone();
    let third = Request::StartCall {
        call: CallId([0x73; 16]),
        to: Callee::Person { handle },
        video: false,
        invitation: Blob(vec![1]),
    };
    scene.kitchen.session.done(third).await;
    let reason = ended(&mut scene.kitchen.session, CALL).await;
    assert_eq!(reason, EndReason::HungUp);
    let bath = scene.bath.id();
    let remain = |event: &Event| match event {
        Event::Participants { participants, .. } => {
            (participants.len() == 2 && participants[1].device == bath).then_some(())
        }
        _ => None,
    };
    scene.family.annas.event(remain).await;
}
