//! Where a device is woken.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::model::Speaker;

pub(super) async fn push(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    match request {
        Request::PutPushAddress(address) => services.push.put_address(speaker, &address).await?,
        Request::DeletePushAddress { endpoint } => {
            services.push.delete_address(speaker, &endpoint).await?;
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
