//! How a call uses the media node: who may be heard when, and what happens when it fails.

use homeline_protocol::id::{CallId, RoomId};
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaEvent};
use homeline_protocol::session::{
    EndReason, ErrorCode, Event, Reply, Request, SubscribeSection, Track,
};

use crate::calls::{anna_and_ben, talking};
use crate::harness::{Client, Server, offer};

async fn tracks(client: &mut Client) -> Vec<Track> {
    client
        .event_of(|event| match event {
            Event::Tracks { tracks, .. } => Some(tracks.clone()),
            _ => None,
        })
        .await
}

fn subscribing(call: CallId, track: &Track) -> Request {
    let Request::OfferMedia { sdp, publish, .. } = offer(call) else {
        panic!()
    };
    let subscribe = vec![SubscribeSection {
        mid: "1".to_owned(),
        track: track.track,
    }];
    Request::OfferMedia {
        call,
        sdp,
        publish,
        subscribe,
    }
}

#[tokio::test]
async fn media_is_held_until_the_answer_and_losers_are_taken_out() {
    let server = Server::start().await;
    let ((_, mut anna), (ben, mut bens)) = anna_and_ben(&server).await;
    let mut kitchen = server.home_device(&ben).await;
    let call = anna.call(&ben).await;
    let room = RoomId(call.0);
    let Reply::MediaAnswer { sdp, tracks: none } = anna.offer(call).await else {
        panic!()
    };
    assert_eq!((sdp.as_str(), none.len()), ("answer to offer", 0));
    assert_eq!(
        bens.err(offer(call)).await,
        ErrorCode::Conflict,
        "ring first"
    );
    for device in [&mut bens, &mut kitchen] {
        device.ring().await;
        device.offer(call).await;
    }
    for client in [&anna, &bens, &kitchen] {
        assert!(!server.node.forwards(room, client.peer()));
    }
    let events = anna.events_so_far().await;
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Tracks { .. }))
    );

    bens.answer(call).await;
    let (of_ben, of_anna) = (tracks(&mut anna).await, tracks(&mut bens).await);
    assert_eq!((of_ben.len(), of_ben[0].device), (1, bens.seat.device));
    assert_eq!((of_anna.len(), of_anna[0].device), (1, anna.seat.device));
    let removed = MediaCommand::RemovePeer {
        room,
        peer: kitchen.peer(),
    };
    server.node.was_told(&removed).await;
    assert!(server.node.forwards(room, anna.peer()) && server.node.forwards(room, bens.peer()));
    assert_eq!(kitchen.err(offer(call)).await, ErrorCode::AnsweredElsewhere);
}

#[tokio::test]
async fn each_subscribes_to_the_other_and_not_to_themselves() {
    let server = Server::start().await;
    let (mut anna, mut bens, call) = talking(&server).await;
    bens.offer(call).await;
    let of_ben = tracks(&mut anna).await;
    let Reply::MediaAnswer { tracks, .. } = anna.ok(subscribing(call, &of_ben[0])).await else {
        panic!()
    };
    assert_eq!(tracks, of_ben);
    assert_eq!(
        bens.err(subscribing(call, &of_ben[0])).await,
        ErrorCode::BadRequest
    );
}

#[tokio::test]
async fn a_failed_room_is_made_again_and_a_dead_node_ends_calls() {
    let server = Server::start().await;
    let (mut anna, mut bens, call) = talking(&server).await;
    let restart = |event: &Event| matches!(event, Event::MediaRestart { .. }).then_some(());
    anna.offer(call).await;
    server
        .node
        .say(MediaEvent::RoomFailed {
            room: RoomId(call.0),
        })
        .await;
    anna.event_of(restart).await;
    anna.offer(call).await;
    server.node.answer_with(|command| match command {
        MediaCommand::Negotiate { .. } => Err(MediaError::BadOffer("no".to_owned())),
        other => crate::harness::usual_answer(other),
    });
    assert_eq!(anna.err(offer(call)).await, ErrorCode::BadOffer);
    server.node.die();
    assert_eq!(anna.ended(call).await, EndReason::MediaFailed);
    assert_eq!(bens.ended(call).await, EndReason::MediaFailed);
}
