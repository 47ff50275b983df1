//! Peers: their offers, whether their media flows, and how large they show what they receive.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, MediaReply, Publish, Subscribe, View};
use homeline_protocol::media_http::{Forwarding, PeerAnswer, PeerOffer, SectionTrack, ViewSize};
use homeline_protocol::session::ApiError;

use super::answer::Refusal;
use super::request::{Body, Ids};
use super::state::Control;

/// Takes a peer's offer and answers it.
///
/// The first makes the peer, later ones add or remove media or restart ICE. A new peer's media flows unless
/// `forwarding` is false; a later offer without it leaves that as it is.
#[utoipa::path(
    put, path = "/v1/rooms/{room}/peers/{peer}", tag = "peers", request_body = PeerOffer,
    security(("token" = [])),
    params(
        ("room" = String, Path, description = "The room"),
        ("peer" = String, Path, description = "The peer, chosen by whoever offers"),
    ),
    responses(
        (status = 200, description = "The answer.", body = PeerAnswer),
        (status = 400, description = "`bad_request`, `bad_offer`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 404, description = "`not_found`: no such room", body = ApiError),
        (status = 409, description = "`limit_reached`: peers, tracks, subscriptions", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn offer(
    State(control): State<Control>,
    Ids((room, peer)): Ids<(RoomId, PeerId)>,
    Body(body): Body<PeerOffer>,
) -> Result<Json<PeerAnswer>, Refusal> {
    // Only who leaves it open pays for the question.
    let is_new = body.forwarding.is_none() && !is_there(&control, room, peer).await?;
    let publish = |SectionTrack { mid, track }| Publish { mid, track };
    let subscribe = |SectionTrack { mid, track }| Subscribe { mid, track };
    let negotiate = MediaCommand::Negotiate {
        room,
        peer,
        offer: body.offer,
        publish: body.publish.into_iter().map(publish).collect(),
        subscribe: body.subscribe.into_iter().map(subscribe).collect(),
    };
    let MediaReply::Answer { sdp: answer } = control.send(negotiate).await? else {
        return Err(Refusal::internal());
    };
    if let Some(on) = body.forwarding.or(is_new.then_some(true)) {
        let flow = MediaCommand::SetForwarding { room, peer, on };
        control.send(flow).await?;
    }
    Ok(Json(PeerAnswer { answer }))
}

async fn is_there(control: &Control, room: RoomId, peer: PeerId) -> Result<bool, Refusal> {
    let MediaReply::Statistics(peers) = control.send(MediaCommand::Statistics { room }).await?
    else {
        return Err(Refusal::internal());
    };
    Ok(peers.iter().any(|there| there.peer == peer))
}

/// Lets a peer's media flow in both directions, or holds it.
#[utoipa::path(
    patch, path = "/v1/rooms/{room}/peers/{peer}", tag = "peers", request_body = Forwarding,
    security(("token" = [])),
    params(
        ("room" = String, Path, description = "The room"),
        ("peer" = String, Path, description = "The peer"),
    ),
    responses(
        (status = 204, description = "Done."),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 404, description = "`not_found`: no such room, or no such peer in it", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn set_forwarding(
    State(control): State<Control>,
    Ids((room, peer)): Ids<(RoomId, PeerId)>,
    Body(Forwarding { forwarding: on }): Body<Forwarding>,
) -> Result<StatusCode, Refusal> {
    let command = MediaCommand::SetForwarding { room, peer, on };
    control.send(command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a peer out of a room at once.
///
/// Removing one that is not there is no error.
#[utoipa::path(
    delete, path = "/v1/rooms/{room}/peers/{peer}", tag = "peers", security(("token" = [])),
    params(
        ("room" = String, Path, description = "The room"),
        ("peer" = String, Path, description = "The peer"),
    ),
    responses(
        (status = 204, description = "It is not there any more."),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 404, description = "`not_found`: no such room", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn remove(
    State(control): State<Control>,
    Ids((room, peer)): Ids<(RoomId, PeerId)>,
) -> Result<StatusCode, Refusal> {
    let command = MediaCommand::RemovePeer { room, peer };
    control.send(command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says how large a receiver shows a picture, which is the most that it is sent.
///
/// Of a track that the peer does not receive nothing is kept, and it is no error.
#[utoipa::path(
    put, path = "/v1/rooms/{room}/peers/{peer}/views/{track}", tag = "peers",
    request_body = ViewSize, security(("token" = [])),
    params(
        ("room" = String, Path, description = "The room"),
        ("peer" = String, Path, description = "The receiver"),
        ("track" = String, Path, description = "The track it shows"),
    ),
    responses(
        (status = 204, description = "Done."),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 404, description = "`not_found`: no such room, or no such peer in it", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn set_view(
    State(control): State<Control>,
    Ids((room, peer, track)): Ids<(RoomId, PeerId, TrackId)>,
    Body(ViewSize { width, height }): Body<ViewSize>,
) -> Result<StatusCode, Refusal> {
    let view = View { width, height };
    let command = MediaCommand::SetView {
        room,
        peer,
        track,
        view,
    };
    control.send(command).await?;
    Ok(StatusCode::NO_CONTENT)
}
