//! Whether this home can be reached from outside.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::model::Speaker;

pub(super) fn outside(services: &Services, speaker: &Speaker, request: &Request) -> Answer {
    match request {
        Request::TestFromOutside => {
            let (secret, expires, address) = services.outside.ticket(speaker)?;
            Ok(Reply::OutsideTicket {
                secret,
                address: address.map(|address| address.to_string()),
                expires_at_ms: expires.0,
            })
        }
        Request::GetOutside => {
            let state = services.outside.state_for(speaker)?;
            Ok(Reply::Outside(Box::new(state)))
        }
        _ => Err(misplaced()),
    }
}
