//! Relays for hostile networks.

use homeline_protocol::session::Reply;

use super::{Answer, Services};
use crate::model::Speaker;

pub(super) fn relays(services: &Services, speaker: &Speaker) -> Answer {
    Ok(Reply::Relays(services.relays.servers(speaker)?))
}
