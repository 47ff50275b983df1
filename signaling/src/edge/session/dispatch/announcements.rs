//! What is announced.

use homeline_protocol::session::{Reply, Request};

use super::{Answer, Services, misplaced};
use crate::domain::calls::Act;
use crate::model::Speaker;

/// Whether a request belongs here.
pub(super) const fn takes(request: &Request) -> bool {
    matches!(
        request,
        Request::GetTime
            | Request::PutSealingKey { .. }
            | Request::GetSealingKeys
            | Request::Announce { .. }
            | Request::ListAnnouncements
            | Request::GetAnnouncement { .. }
            | Request::HeardAnnouncement { .. }
            | Request::AnnounceLive { .. }
            | Request::HearLive { .. }
    )
}

pub(super) async fn announcements(
    services: &Services,
    speaker: &Speaker,
    request: Request,
) -> Answer {
    let announcements = &services.announcements;
    Ok(match request {
        Request::GetTime => Reply::Time {
            server_time_ms: announcements.time().0,
        },
        Request::PutSealingKey { statement } => {
            announcements.put_key(speaker, &statement).await?;
            Reply::Done
        }
        Request::GetSealingKeys => Reply::SealingKeys {
            keys: announcements.keys(speaker).await?,
        },
        Request::Announce {
            announcement,
            to,
            statement,
            content,
        } => {
            let what = (&statement, &content);
            let receivers = announcements.announce(speaker, (announcement, &to), what);
            Reply::Announced {
                receivers: receivers.await?,
            }
        }
        Request::ListAnnouncements => Reply::Announcements {
            announcements: announcements.waiting(speaker).await?,
        },
        Request::GetAnnouncement { announcement } => Reply::AnnouncementContent {
            content: announcements.content(speaker, announcement).await?,
        },
        Request::HeardAnnouncement {
            announcement,
            heard,
        } => {
            announcements.heard(speaker, announcement, heard).await?;
            Reply::Done
        }
        Request::AnnounceLive {
            call,
            to,
            statement,
        } => {
            let receivers = services
                .live
                .announce(speaker, (call, &to), &statement)
                .await?;
            Reply::Announced { receivers }
        }
        Request::HearLive {
            call,
            key_package,
            statement,
        } => {
            let act = Act::Hear {
                key_package,
                statement,
            };
            services.calls.act(speaker, call, act).await?;
            Reply::Done
        }
        _ => return Err(misplaced()),
    })
}
