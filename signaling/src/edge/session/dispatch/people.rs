//! Owners, and numbers that were called.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::model::Speaker;

pub(super) async fn people(services: &Services, speaker: &Speaker, request: Request) -> Answer {
    match request {
        Request::HandOverOwnership { to } => {
            let members = services.rules.members();
            members.hand_over_ownership(speaker, to).await?;
        }
        Request::NoteNumberUsed { of, number } => {
            services.address_books.used(speaker, of, &number).await?;
        }
        _ => return Err(misplaced()),
    }
    Ok(Reply::Done)
}
