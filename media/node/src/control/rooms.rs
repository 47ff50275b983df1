//! Rooms: making, ending and looking into them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use homeline_protocol::id::{RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaReply};
use homeline_protocol::media_http::{Forwarding, MakeRoom, RoomFigures, RoomMade};
use homeline_protocol::session::ApiError;

use super::answer::Refusal;
use super::request::{Body, Ids};
use super::state::Control;

/// Makes a room.
#[utoipa::path(
    post, path = "/v1/rooms", tag = "rooms", request_body = MakeRoom, security(("token" = [])),
    responses(
        (status = 201, description = "Made.", body = RoomMade),
        (status = 200, description = "It is there already.", body = RoomMade),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 409, description = "`limit_reached`", body = ApiError),
        (status = 413, description = "`too_large`", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn make(
    State(control): State<Control>,
    Body(wanted): Body<MakeRoom>,
) -> Result<(StatusCode, Json<RoomMade>), Refusal> {
    let room = wanted.room.unwrap_or_else(|| RoomId(rand::random()));
    let _making = control.inner.making.lock().await;
    let status = match control.send(MediaCommand::Statistics { room }).await {
        Ok(_) => StatusCode::OK,
        Err(MediaError::NoRoom) => {
            control.send(MediaCommand::CreateRoom { room }).await?;
            StatusCode::CREATED
        }
        Err(error) => return Err(error.into()),
    };
    Ok((status, Json(RoomMade { room })))
}

/// Ends a room and all its transports.
///
/// Ending one that is not there is no error.
#[utoipa::path(
    delete, path = "/v1/rooms/{room}", tag = "rooms", security(("token" = [])),
    params(("room" = String, Path, description = "The room")),
    responses(
        (status = 204, description = "It is not there any more."),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn close(
    State(control): State<Control>,
    Ids(room): Ids<RoomId>,
) -> Result<StatusCode, Refusal> {
    control.send(MediaCommand::CloseRoom { room }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the figures of every peer, track and layer of a room.
#[utoipa::path(
    get, path = "/v1/rooms/{room}", tag = "rooms", security(("token" = [])),
    params(("room" = String, Path, description = "The room")),
    responses(
        (status = 200, description = "Its figures.", body = RoomFigures),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 404, description = "`not_found`: no such room", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn figures(
    State(control): State<Control>,
    Ids(room): Ids<RoomId>,
) -> Result<Json<RoomFigures>, Refusal> {
    match control.send(MediaCommand::Statistics { room }).await? {
        MediaReply::Statistics(peers) => Ok(Json(RoomFigures { room, peers })),
        MediaReply::Done | MediaReply::Answer { .. } => Err(Refusal::internal()),
    }
}

/// Asks every video sender of a room for a key frame.
#[utoipa::path(
    post, path = "/v1/rooms/{room}/key-frames", tag = "rooms", security(("token" = [])),
    params(("room" = String, Path, description = "The room")),
    responses(
        (status = 204, description = "They are asked, at most every 300 ms each."),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 404, description = "`not_found`: no such room", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn key_frames(
    State(control): State<Control>,
    Ids(room): Ids<RoomId>,
) -> Result<StatusCode, Refusal> {
    let command = MediaCommand::RequestKeyFrames { room };
    control.send(command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a track flow, or holds it.
///
/// A new track flows. Of a track that is not there nothing is kept, and it is no error.
#[utoipa::path(
    put, path = "/v1/rooms/{room}/tracks/{track}", tag = "rooms", request_body = Forwarding,
    security(("token" = [])),
    params(
        ("room" = String, Path, description = "The room"),
        ("track" = String, Path, description = "The track"),
    ),
    responses(
        (status = 204, description = "Done."),
        (status = 400, description = "`bad_request`", body = ApiError),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 404, description = "`not_found`: no such room", body = ApiError),
        (status = 503, description = "`shutting_down`", body = ApiError),
    )
)]
pub(super) async fn set_track(
    State(control): State<Control>,
    Ids((room, track)): Ids<(RoomId, TrackId)>,
    Body(Forwarding { forwarding: on }): Body<Forwarding>,
) -> Result<StatusCode, Refusal> {
    let command = MediaCommand::SetTrackForwarding { room, track, on };
    control.send(command).await?;
    Ok(StatusCode::NO_CONTENT)
}
