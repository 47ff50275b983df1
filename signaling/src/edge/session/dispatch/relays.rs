//! The way to this server: relays for hostile networks, and whether it can be reached from outside.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, outside};
use crate::model::Speaker;

pub(super) const fn takes(request: &Request) -> bool {
    matches!(
        request,
        Request::GetRelays | Request::TestFromOutside | Request::GetOutside
    )
}

pub(super) fn networks(services: &Services, speaker: &Speaker, request: &Request) -> Answer {
    match request {
        Request::GetRelays => Ok(Reply::Relays(services.relays.servers(speaker)?)),
        _ => outside::outside(services, speaker, request),
    }
}
