//! How large a device shows the pictures of a call.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::domain::calls::Act;
use crate::model::Speaker;

pub(super) async fn pictures(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    match request {
        Request::SetViews { call, views } => {
            let act = Act::SetViews(views);
            services.calls.act(speaker, call, act).await?;
            Ok(Reply::Done)
        }
        _ => Err(misplaced()),
    }
}
