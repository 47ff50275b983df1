//! The OpenAPI document of the control interface.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use homeline_protocol::media_control::{MediaEvent, PeerStatistics};
use homeline_protocol::media_http::{
    AskReachability, EventLine, Forwarding, MakeRoom, NodeFigures, OutsideTest, PeerAnswer,
    PeerOffer, RoomFigures, RoomMade, SectionTrack, TransitFigures, ViewSize,
};
use homeline_protocol::media_statistics::{
    LayerStatistics, PathKind, PublishedStatistics, ReceivedStatistics, TrackKind,
    TransportStatistics,
};
use homeline_protocol::session::{
    ApiError, ErrorCode, OutsideCode, OutsideFinding, OutsideFrom, OutsideLast, OutsideResult,
    OutsideState, OutsideTried, OutsideWay,
};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{events, figures, health, peers, reachability, rooms};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Homeline media node",
        description = "Commands a media node (SFU): rooms, peers and tracks, without people. Ids are 32 \
            lowercase hexadecimal digits, chosen by whoever makes the thing. Every error is an `ApiError`: \
            a stable `code` for programs and a `message` that says what to do."
    ),
    paths(
        rooms::make,
        rooms::close,
        rooms::figures,
        rooms::key_frames,
        rooms::set_track,
        peers::offer,
        peers::set_forwarding,
        peers::remove,
        peers::set_view,
        figures::node,
        events::stream,
        reachability::reachability,
        document,
        health::healthz,
    ),
    components(schemas(
        MakeRoom, RoomMade, PeerOffer, SectionTrack, PeerAnswer, Forwarding, ViewSize, RoomFigures,
        NodeFigures, TransitFigures, PeerStatistics, PublishedStatistics, LayerStatistics,
        ReceivedStatistics, TransportStatistics, TrackKind, PathKind, EventLine,
        MediaEvent, AskReachability, OutsideTest, OutsideTried, OutsideState, OutsideResult,
        OutsideLast, OutsideFinding, OutsideCode, OutsideFrom, OutsideWay, ApiError, ErrorCode,
    )),
    modifiers(&Schemes),
    tags(
        (name = "rooms", description = "Rooms and their tracks"),
        (name = "peers", description = "Who sends and receives in a room"),
        (name = "node", description = "The node itself"),
    )
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", bearer);
    }
}

/// Describes this interface.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "node",
    responses((status = 200, description = "This document, OpenAPI 3.1."))
)]
pub(super) async fn document() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        Document::openapi()
            .to_pretty_json()
            .expect("the document has only string keys")
    });
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
